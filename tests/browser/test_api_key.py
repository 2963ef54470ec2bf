"""The page of an API that requires a key, in a real browser."""

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from shared.domain.access import Scope
from tests.browser.conftest import needs_chromium, stored_files
from tests.conftest import ClosedApi, PicTrace
from tests.images import noise

pytestmark = needs_chromium


class Requests:
    """The requests that a page sent, with their key."""

    def __init__(self, page: Page) -> None:
        self.sent: list[tuple[str, str | None]] = []
        page.on("request", self._note)

    def _note(self, request: Request) -> None:
        if request.url.startswith("http"):
            self.sent.append(("/".join(request.url.split("/")[:3]), request.headers.get("authorization")))


@pytest.fixture
def page(desktop: Page, closed: ClosedApi) -> Page:
    desktop.goto(closed.url)
    return desktop


def save_screenshot(page: Page, name: str) -> None:
    """Save a screenshot of the page if `SCREENSHOTS` names a folder."""
    if folder := os.environ.get("SCREENSHOTS"):
        page.wait_for_load_state("networkidle")
        page.screenshot(path=str(Path(folder) / f"{name}.png"))


def wait_until_shown(page: Page, selector: str) -> None:
    """Wait until an image is loaded; the page's policy forbids `wait_for_function`, which evaluates text."""
    image = page.locator(f"{selector}[src]").first
    image.wait_for()
    assert image.evaluate("(img) => img.decode().then(() => img.naturalWidth)") > 0


def enter_key(page: Page, key: str) -> None:
    page.get_by_label("Your key").fill(key)
    page.get_by_role("button", name="Continue").click()


def test_a_key_unlocks_the_page_for_the_session(
    page: Page, closed: ClosedApi, running: PicTrace, collection: str
) -> None:
    running.add(noise(5001), collection=collection, name="behind the door.png")
    key = closed.key(Scope.ADMIN, collections=[collection])
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    requests = Requests(page)
    dialog, count = page.locator("#key"), page.locator("#count")

    expect(dialog).to_be_visible()
    expect(page.get_by_label("Your key")).to_be_focused()
    expect(page.locator("#key-problem")).to_be_hidden()
    save_screenshot(page, "asks")
    enter_key(page, f"  {key} ")
    expect(dialog).to_be_hidden()
    expect(count).to_have_text("1")
    wait_until_shown(page, "#images img")
    save_screenshot(page, "open")

    page.reload()
    expect(count).to_have_text("1")
    expect(dialog).to_be_hidden()
    assert page.evaluate("[localStorage.length, document.cookie]") == [0, ""]

    page.get_by_role("button", name="Open behind the door.png").click()
    wait_until_shown(page, "#viewer img")
    expect(page.get_by_role("link", name="Open original")).to_have_attribute("href", re.compile("Signature="))
    page.keyboard.press("Escape")

    page.set_input_files("#files", {"name": "a.png", "mimeType": "image/png", "buffer": noise(5002)})
    expect(page.locator("#uploads li").first).to_contain_text("Indexed")
    expect(count).to_have_text("2")
    page.set_input_files("#file", {"name": "a.png", "mimeType": "image/png", "buffer": noise(5002)})
    expect(page.locator("#matches .card").first).to_contain_text("Identical")
    wait_until_shown(page, "#matches img")

    assert len(stored_files(page)) == 1  # the file that was searched for
    page.get_by_role("button", name="Forget the key").click()
    expect(dialog).to_be_visible()
    expect(page.locator("#images img")).to_have_count(0)
    assert page.evaluate("sessionStorage.length") == 0
    assert len(stored_files(page)) == 0
    assert {host for host, _ in requests.sent} == {closed.url, running.cloud.endpoint}
    assert {given for host, given in requests.sent if host == closed.url} == {None, f"Bearer {key}"}
    assert {given for host, given in requests.sent if host == running.cloud.endpoint} == {None}
    assert complaints == []


def test_the_page_asks_again_after_a_wrong_key(page: Page, closed: ClosedApi, collection: str) -> None:
    key = closed.key(Scope.ADMIN, collections=[collection])
    enter_key(page, key[:-1] + ("A" if key[-1] != "A" else "B"))
    expect(page.locator("#key-problem")).to_be_visible()
    expect(page.get_by_label("Your key")).to_have_value("")
    save_screenshot(page, "refused")
    enter_key(page, key)
    expect(page.locator("#count")).to_have_text("0")
    expect(page.locator("#problem")).to_be_hidden()


def test_without_a_key_the_page_shows_a_message_and_asks_on_the_next_call(
    page: Page, closed: ClosedApi, collection: str
) -> None:
    expect(page.locator("#key")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#problem")).to_have_text("This needs a key. Try again to enter one.")
    page.set_input_files("#file", {"name": "a.png", "mimeType": "image/png", "buffer": noise(5003)})
    expect(page.locator("#key")).to_be_visible()
    enter_key(page, closed.key(Scope.SEARCH, collections=[collection]))
    expect(page.locator("#none")).to_be_visible()
    expect(page.locator("#problem")).to_be_hidden()
    page.set_input_files("#files", {"name": "a.png", "mimeType": "image/png", "buffer": noise(5003)})
    expect(page.locator("#uploads li").first).to_contain_text("lack the scope write")


def test_a_key_for_several_collections_shows_the_collection_in_the_url(
    page: Page, closed: ClosedApi, running: PicTrace, collection: str
) -> None:
    running.add(noise(5004), collection=f"{collection}-2")
    enter_key(page, closed.key(Scope.ADMIN, collections=[collection, f"{collection}-2"]))
    expect(page.locator("#problem")).to_contain_text(f"one of {collection}, {collection}-2")
    page.goto(f"{closed.url}/?collection={collection}-2")
    expect(page.locator("#count")).to_have_text("1")
    page.set_input_files("#files", {"name": "a.png", "mimeType": "image/png", "buffer": noise(5005)})
    expect(page.locator("#count")).to_have_text("2")


@pytest.mark.parametrize("width", [320, 768])
def test_the_key_dialog_and_the_page_fit_narrow_screens(
    page: Page, closed: ClosedApi, collection: str, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    expect(page.locator("#key")).to_be_visible()
    save_screenshot(page, f"asks-{width}")
    box = page.locator("#key").bounding_box()
    assert box
    assert 0 <= box["x"] <= box["x"] + box["width"] <= width
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    enter_key(page, closed.key(Scope.SEARCH, collections=[collection]))
    expect(page.locator("#count")).to_have_text("0")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_swagger_ui_runs_under_its_policy_and_accepts_a_key(
    browser: Browser, closed: ClosedApi, collection: str
) -> None:
    page = browser.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    requests = Requests(page)
    page.goto(f"{closed.url}/docs")
    page.get_by_role("button", name="Authorize").click()
    page.locator(".auth-container input").first.fill(closed.key(Scope.SEARCH, collections=[collection]))
    page.locator(".auth-btn-wrapper .authorize").first.click()
    page.locator(".btn-done").first.click()
    page.locator("#operations-service-stats_v1_stats_get .opblock-summary-control").click()
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".responses-table.live-responses-table")).to_contain_text(f'"collection": "{collection}"')
    save_screenshot(page, "docs")
    assert {host for host, _ in requests.sent} == {closed.url}
    assert complaints == []
    page.close()
