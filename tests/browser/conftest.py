"""The browser that the tests of the page share."""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.conftest import PATIENCE_SECONDS

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = PATIENCE_SECONDS * 1000

needs_chromium = pytest.mark.skipif(
    not CHROMIUM, reason="no Chromium: apt-get install chromium, or name one in CHROMIUM"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield running
        running.close()


@pytest.fixture
def desktop(browser: Browser) -> Iterator[Page]:
    """An empty page with a desktop viewport."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    context.close()


def stored_files(page: Page) -> list[str]:
    """Return the names of the files in the browser's own databases."""
    names: list[str] = page.evaluate(
        """async () => {
            const done = (request) => new Promise((resolve) => (request.onsuccess = () => resolve(request.result)));
            const files = [];
            for (const { name } of await indexedDB.databases()) {
                const database = await done(indexedDB.open(name));
                if (database.objectStoreNames.length) {
                    files.push(...await done(database.transaction("files").objectStore("files").getAll()));
                }
                database.close();
            }
            return files.map(({ name }) => name);
        }"""
    )
    return names
