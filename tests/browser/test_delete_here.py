"""The page deletes in the collection that it shows, and in no other."""

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
    """A tray of coins, all of them different."""
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
class Museum:
    """An archive that has the small copy, and the page at `/`, where both copies are."""

    running: PicTrace
    page: Page
    archive: str
    small: str
    large: str

    def has(self, image_id: str, collection: str) -> bool:
        answer = self.running.client.get(f"/v1/images/{image_id}", params={"collection": collection})
        return answer.status_code == 200

    def in_archive(self) -> bool:
        """Whether the archive still has the small copy, and a search there finds it."""
        found = self.running.search(encoded(coins(), ".png"), collection=self.archive)["matches"]
        return self.has(self.small, self.archive) and [match["image_id"] for match in found] == [self.small]


@pytest.fixture
def museum(desk: Page, running: PicTrace, collection: str) -> Iterator[Museum]:
    large, small = encoded(coins(), ".png"), encoded(resize_square(coins(), 300), ".png")
    small_id = running.add(small, collection=collection, name="coins-small.png")
    desk.goto(running.url)
    for name, data in (("coins-small.png", small), ("coins-large.png", large)):
        desk.set_input_files("#files", file(name, data))
        expect(desk.locator("#uploads li").first).to_contain_text("Indexed")
        expect(desk.locator("#status")).to_have_text("1 of 1 picture is in the collection.")

    def grouped() -> bool:
        groups = running.client.get("/v1/duplicates").json()["groups"]
        return any(small_id in [image["image_id"] for image in group["images"]] for group in groups)

    until(grouped)
    large_id = running.search(large, k=1)["matches"][0]["image_id"]
    desk.reload()
    yield Museum(running, desk, collection, small_id, large_id)
    for image_id in (small_id, large_id):
        running.client.delete(f"/v1/images/{image_id}", params={"collections": "all"})


def test_keeping_only_the_best_leaves_other_collections_alone(museum: Museum) -> None:
    group = museum.page.locator("#groups > li").filter(has=museum.page.get_by_label("Open coins-small.png"))
    group.get_by_role("button", name="Keep only the best").click()
    museum.page.get_by_role("button", name="Really delete the other?").click()
    expect(group).to_have_count(0)
    assert not museum.has(museum.small, "default")
    assert museum.has(museum.large, "default")
    assert museum.in_archive()


def test_the_viewer_leaves_other_collections_alone(museum: Museum) -> None:
    museum.page.locator("#pictures").get_by_label("Open coins-small.png").click()
    museum.page.get_by_role("button", name="Delete").click()
    museum.page.get_by_role("button", name="Really delete?").click()
    expect(museum.page.locator("#status")).to_have_text("Deleted.")
    assert not museum.has(museum.small, "default")
    assert museum.in_archive()


def test_the_page_of_a_collection_leaves_the_default_one_alone(museum: Museum) -> None:
    museum.page.goto(f"{museum.running.url}/?collection={museum.archive}")
    museum.page.locator("#pictures").get_by_label("Open coins-small.png").click()
    museum.page.get_by_role("button", name="Delete").click()
    museum.page.get_by_role("button", name="Really delete?").click()
    expect(museum.page.locator("#count")).to_have_text("0")
    assert museum.has(museum.small, "default")
    assert not museum.has(museum.small, museum.archive)
