"""The documentation builds as a site whose links hold and which needs no network."""

import json
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from infra.site import navigation, sources
from tests.repository.files import ROOT


class Page(HTMLParser):
    """The ids, links and loaded files of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = defaultdict(str, {name: value or "" for name, value in attrs})
        self.ids |= {found["id"], found["name"]}
        if tag == "a":
            self.links.append(found["href"])
        if tag in ("script", "img", "iframe") or (tag == "link" and found["rel"] == "stylesheet"):
            self.loaded.append(found["src"] or found["href"])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs") / "site"
    command = [sys.executable, "-m", "infra.site", "--out", str(folder)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return {path: Page(path) for path in site.rglob("*.html") if path.name != "404.html" and "files" not in path.parts}


def test_every_link_of_the_site_has_a_target(site: Path, pages: dict[Path, Page]) -> None:
    broken = []
    for path, page in pages.items():
        for link in {*page.links, *page.loaded} - {""}:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            fragment = unquote(parts.fragment)
            known = target in pages and fragment and not fragment.startswith("__")
            if not target.exists() or (known and fragment not in pages[target].ids):
                broken.append(f"{path.relative_to(site)}: {link}")
    assert sum(len(page.links) for page in pages.values()) > 1000
    assert broken == []


def test_the_site_loads_nothing_from_elsewhere(pages: dict[Path, Page]) -> None:
    assert {link for page in pages.values() for link in page.loaded if urlsplit(link).netloc} == set()


def test_the_site_is_searchable_without_a_server(site: Path) -> None:
    index = (site / "search.js").read_text(encoding="utf-8")
    assert "near-duplicate" in index
    assert "fetch_image" in index
    assert len(json.loads((site / "search.json").read_text(encoding="utf-8"))["items"]) > 300


def test_a_browser_searches_the_files(site: Path) -> None:
    sync_api = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium")
    if not chromium:
        pytest.skip("Chromium is not installed")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto((site / "index.html").as_uri())
        page.keyboard.press("/")
        page.keyboard.type("block list")
        page.get_by_text("Moderate uploads").last.wait_for(timeout=20_000)
        assert page.evaluate("document.documentElement.scrollWidth") <= 1280
        page.set_viewport_size({"width": 390, "height": 800})
        page.goto((site / "explanation" / "how-they-combine.html").as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        browser.close()


def test_references_are_made_from_the_document_and_the_docstrings(site: Path) -> None:
    calls = (site / "reference" / "calls.html").read_text(encoding="utf-8")
    assert "Find the nearest images" in calls
    assert "resolve_duplicates" in (site / "reference" / "python.html").read_text(encoding="utf-8")


def test_the_navigation_names_pages_that_exist() -> None:
    places = {*sources.pages().values(), "reference/calls.md", "reference/types.md", "reference/python.md"}
    listed = [place for entries in navigation.SECTIONS.values() for place in entries]
    assert len(listed) == len(set(listed))
    assert set(listed) - places == set()


def test_links_in_code_stay_and_links_to_code_are_dropped(tmp_path: Path) -> None:
    places = sources.pages()
    page = "[a](../guides/tutorial.md#x) `[b](c.md)` [d](../../bench) ![e](../images/search.png)\n```\n[f](g)\n```\n"
    shown = sources.rewritten("docs/reference/api.md", page, places, tmp_path)
    assert shown == "[a](../guides/tutorial.md#x) `[b](c.md)` d ![e](../images/search.png)\n```\n[f](g)\n```\n"
    assert re.search(
        r"\(project/readme.md\)", sources.rewritten("docs/README.md", "[r](../README.md)", places, tmp_path)
    )
    assert (tmp_path / "images" / "search.png").is_file()
