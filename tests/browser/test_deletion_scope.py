"""The page deletes images only in the collection that it shows."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from playwright.sync_api import FilePayload, Page, expect

from shared.vision.opencv import cv2
from shared.vision.resizing import resize_square
from tests.browser.conftest import needs_chromium
from tests.conftest import PicTrace
from tests.images import Pixels, encoded
from tests.integration.conftest import until

pytestmark = needs_chromium


def coins() -> Pixels:
    """A synthetic image of different coins on a tray."""
    rng = np.random.default_rng(5301)
    tray = np.full((480, 640, 3), 60, np.uint8)
    for _ in range(60):
        center = (int(rng.integers(30, 610)), int(rng.integers(30, 450)))
        cv2.circle(tray, center, int(rng.integers(12, 40)), rng.integers(80, 255, 3).tolist(), -1, cv2.LINE_AA)
        cv2.putText(tray, str(rng.integers(100)), center, cv2.FONT_HERSHEY_SIMPLEX, 0.8, (20, 20, 20), 2, cv2.LINE_AA)
    return tray


def file(name: str, data: bytes) -> FilePayload:
    return {"name": name, "mimeType": "image/png", "buffer": data}


@dataclass(frozen=True)
class Copies:
    """A small copy in an archive collection, and the page at `/`, whose default collection has both copies."""

    running: PicTrace
    page: Page
    archive: str
    small: str
    large: str

    def has(self, image_id: str, collection: str) -> bool:
        answer = self.running.client.get(f"/v1/images/{image_id}", params={"collection": collection})
        return answer.status_code == 200

    def in_archive(self) -> bool:
        """Whether the archive still has the small copy and a search there finds it."""
        found = self.running.search(encoded(coins(), ".png"), collection=self.archive)["matches"]
        return self.has(self.small, self.archive) and [match["image_id"] for match in found] == [self.small]


@pytest.fixture
def copies(desktop: Page, running: PicTrace, collection: str) -> Iterator[Copies]:
    large, small = encoded(coins(), ".png"), encoded(resize_square(coins(), 300), ".png")
    small_id = running.add(small, collection=collection, name="coins-small.png")
    desktop.goto(running.url)
    for name, data in (("coins-small.png", small), ("coins-large.png", large)):
        desktop.set_input_files("#files", file(name, data))
        expect(desktop.locator("#uploads li").first).to_contain_text("Indexed")
        expect(desktop.locator("#uploads-status")).to_have_text("1 of 1 image is in the collection.")

    def grouped() -> bool:
        groups = running.client.get("/v1/duplicates").json()["groups"]
        return any(small_id in [image["image_id"] for image in group["images"]] for group in groups)

    until(grouped)
    large_id = running.search(large, k=1)["matches"][0]["image_id"]
    desktop.reload()
    yield Copies(running, desktop, collection, small_id, large_id)
    for image_id in (small_id, large_id):
        running.client.delete(f"/v1/images/{image_id}", params={"collections": "all"})


def test_resolving_a_group_deletes_only_in_the_shown_collection(copies: Copies) -> None:
    copies.page.get_by_role("link", name="Duplicates").click()
    group = copies.page.locator("#groups > li").filter(has=copies.page.get_by_label("Open coins-small.png"))
    group.get_by_label("Keep coins-large.png").check()
    group.get_by_label("Keep coins-small.png").uncheck()
    group.get_by_role("button", name="Delete the other").click()
    copies.page.get_by_role("button", name="Really delete the other?").click()
    expect(group).to_have_count(0)
    assert not copies.has(copies.small, "default")
    assert copies.has(copies.large, "default")
    assert copies.in_archive()


def test_delete_in_the_viewer_deletes_only_in_the_shown_collection(copies: Copies) -> None:
    copies.page.locator("#images").get_by_label("Open coins-small.png").click()
    copies.page.get_by_role("button", name="Delete").click()
    copies.page.get_by_role("button", name="Really delete?").click()
    expect(copies.page.locator("#toast")).to_contain_text("Deleted.")
    assert not copies.has(copies.small, "default")
    assert copies.in_archive()


def test_the_page_of_a_collection_deletes_nothing_in_the_default_collection(copies: Copies) -> None:
    copies.page.goto(f"{copies.running.url}/?collection={copies.archive}")
    copies.page.locator("#images").get_by_label("Open coins-small.png").click()
    copies.page.get_by_role("button", name="Delete").click()
    copies.page.get_by_role("button", name="Really delete?").click()
    expect(copies.page.locator("#count")).to_have_text("0")
    assert copies.has(copies.small, "default")
    assert not copies.has(copies.small, copies.archive)
