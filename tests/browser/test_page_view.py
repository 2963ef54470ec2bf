"""What one view of the page asks of the API, in a real browser."""

import os
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Page, Request, expect

from shared.domain.access import Scope
from shared.vision.resizing import resize_square
from tests.browser.conftest import needs_chromium
from tests.conftest import Closed, PicTrace
from tests.images import encoded, noise, pixels
from tests.integration.conftest import until

pytestmark = needs_chromium

IMAGES = 26
MOST_CALLS = 4


def album(running: PicTrace, collection: str) -> None:
    """A collection with more than one page of images, and a group of near-duplicates."""
    ids = [running.open(noise(5200 + seed), collection=collection) for seed in range(IMAGES - 2)]
    rgb = pixels("astronaut.png")
    for side in (512, 320):
        ids.append(running.open(encoded(resize_square(rgb, side), ".png"), collection=collection))
        running.settled(ids[-1])
    assert {running.settled(upload_id)["status"] for upload_id in ids} == {"indexed"}
    where = {"collection": collection}
    until(lambda: running.client.get("/v1/duplicates", params=where).json()["groups"])


class Asked:
    """Requests of a page, by path for the API's calls and by folder of the bucket for the storage."""

    def __init__(self, page: Page, url: str) -> None:
        self.calls: Counter[str] = Counter()
        self.stored: Counter[str] = Counter()
        self._url = url
        page.on("request", self._note)

    def _note(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if not request.url.startswith(self._url):
            self.stored["/".join(parts.path.split("/")[2:3])] += 1
        elif parts.path.startswith("/v1/"):
            self.calls[parts.path] += 1


def wholly_shown(page: Page, pictures: int, copies: int) -> None:
    """Scroll through all of the page until every thumbnail is there."""
    for name, count in (("#pictures img", pictures), ("#groups img", copies)):
        expect(page.locator(name)).to_have_count(count)
        for image in page.locator(name).all():
            image.scroll_into_view_if_needed()
            page.wait_for_selector(f"{name}[src]")
            assert image.evaluate("(img) => img.decode().then(() => img.naturalWidth)") > 0


def test_a_view_takes_few_calls_however_many_thumbnails_it_has(
    desk: Page, closed: Closed, running: PicTrace, collection: str
) -> None:
    album(running, collection)
    asked = Asked(desk, closed.url)
    desk.goto(closed.url)
    desk.get_by_label("Your key").fill(closed.key(Scope.SEARCH, collections=[collection]))
    desk.get_by_role("button", name="Continue").click()
    wholly_shown(desk, 24, 2)
    first = asked.calls.total()
    if folder := os.environ.get("SCREENSHOTS"):
        desk.screenshot(path=str(Path(folder) / "view.png"), full_page=True)
    asked.calls.clear()
    asked.stored.clear()
    desk.reload()
    wholly_shown(desk, 24, 2)
    assert asked.calls == {"/v1/images": 1, "/v1/duplicates": 1, "/v1/stats": 1}
    assert first == asked.calls.total() + 1 <= MOST_CALLS, "a first visit has one call that asks for the key"
    asked.calls.clear()
    desk.set_input_files("#file", {"name": "a.png", "mimeType": "image/png", "buffer": noise(5200)})
    expect(desk.locator("#matches .card").first).to_contain_text("Identical")
    desk.get_by_role("button", name="Show more").click()
    expect(desk.locator("#pictures img")).to_have_count(IMAGES)
    assert asked.calls == {"/v1/search": 1, "/v1/images": 1}
