"""The number of API calls that one view of the page makes, in a real browser."""

import os
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Page, Request, expect

from shared.domain.access import Scope
from shared.vision.resizing import resize_square
from tests.browser.conftest import needs_chromium
from tests.conftest import ClosedApi, PicTrace
from tests.images import encoded, noise, pixels
from tests.integration.conftest import until

pytestmark = needs_chromium

IMAGES = 26
MOST_CALLS = 3
MOST_FILES = 6
"""The page, two style sheets, the script, and the icon in two places; the API function answers each in AWS."""


def upload_album(running: PicTrace, collection: str) -> None:
    """Upload more than one page of images, with a group of near-duplicates, into a collection."""
    ids = [running.upload(noise(5200 + seed), collection=collection) for seed in range(IMAGES - 2)]
    rgb = pixels("astronaut.png")
    for side in (512, 320):
        ids.append(running.upload(encoded(resize_square(rgb, side), ".png"), collection=collection))
        running.wait_for_upload(ids[-1])
    assert {running.wait_for_upload(upload_id)["status"] for upload_id in ids} == {"indexed"}
    where = {"collection": collection}
    until(lambda: running.client.get("/v1/duplicates", params=where).json()["groups"])


class RequestLog:
    """A count of the page's requests: API calls by path, files of the page, and storage by folder of the bucket."""

    def __init__(self, page: Page, url: str) -> None:
        self.calls: Counter[str] = Counter()
        self.stored: Counter[str] = Counter()
        self.files = 0
        self._url = url
        page.on("request", self._note)

    def _note(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if not request.url.startswith(self._url):
            self.stored["/".join(parts.path.split("/")[2:3])] += 1
        elif parts.path.startswith("/v1/"):
            self.calls[parts.path] += 1
        else:
            self.files += 1


def scroll_through(page: Page, name: str, count: int) -> None:
    """Scroll through images until every thumbnail is loaded."""
    expect(page.locator(name)).to_have_count(count)
    for image in page.locator(name).all():
        image.scroll_into_view_if_needed()
        page.wait_for_selector(f"{name}[src]")
        assert image.evaluate("(img) => img.decode().then(() => img.naturalWidth)") > 0


def test_the_number_of_calls_does_not_grow_with_the_thumbnails(
    desktop: Page, closed: ClosedApi, running: PicTrace, collection: str
) -> None:
    upload_album(running, collection)
    requests = RequestLog(desktop, closed.url)
    desktop.goto(closed.url)
    desktop.get_by_label("Your key").fill(closed.key(Scope.SEARCH, collections=[collection]))
    desktop.get_by_role("button", name="Continue").click()
    scroll_through(desktop, "#images img", 24)
    first = requests.calls.total()
    assert requests.files <= MOST_FILES
    if folder := os.environ.get("SCREENSHOTS"):
        desktop.screenshot(path=str(Path(folder) / "view.png"), full_page=True)
    requests.calls.clear()
    requests.stored.clear()
    desktop.reload()
    scroll_through(desktop, "#images img", 24)
    assert requests.calls == {"/v1/images": 1, "/v1/stats": 1}
    assert first == requests.calls.total() + 1 <= MOST_CALLS, "a first visit has one call that asks for the key"
    requests.calls.clear()
    desktop.set_input_files("#file", {"name": "a.png", "mimeType": "image/png", "buffer": noise(5200)})
    expect(desktop.locator("#matches .card").first).to_contain_text("Identical")
    desktop.get_by_role("button", name="Show more").click()
    expect(desktop.locator("#images img")).to_have_count(IMAGES)
    assert requests.calls == {"/v1/search": 1, "/v1/images": 1}
