"""A page in a real browser, before a server that answers 429 and 503 now and then."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import boto3
import pytest
from playwright.sync_api import Page, expect

from infra.local.__main__ import serving
from tests.browser.conftest import needs_chromium
from tests.browser.serving import Busy
from tests.conftest import PicTrace
from tests.images import noise
from tests.integration.conftest import until

pytestmark = needs_chromium


@dataclass(frozen=True)
class Shop:
    """A page of one image, and the server before it."""

    page: Page
    url: str
    busy: Busy
    image_id: str
    thumbnail: str

    def open(self) -> None:
        self.page.goto(self.url)


@pytest.fixture
def shop(desk: Page, running: PicTrace, collection: str) -> Iterator[Shop]:
    busy: Any = Busy(running.cloud.app)
    image_id = running.add(noise(5101), collection=collection, name="a.png")
    with serving(busy, 0) as url:
        where = f"{url}/?collection={collection}"
        yield Shop(desk, where, busy, image_id, f"thumbnails/{collection}/{image_id}.webp")


def is_shown(page: Page, image: str) -> bool:
    """Whether an `<img>` shows an image of its own, and not the sign for one that is missing."""
    shown: bool = page.locator(image).first.evaluate(
        "(img) => img.decode().then(() => img.naturalWidth > 0 && !img.src.endsWith('.svg'), () => false)"
    )
    return shown


def test_what_was_refused_is_asked_again_until_it_is_answered(shop: Shop) -> None:
    images = shop.busy.refuse("/v1/images", 429, 3)
    stats = shop.busy.refuse("/v1/stats", 503, 2, Retry_After="2")
    shop.open()
    expect(shop.page.locator("#status")).to_contain_text("The server is busy. Trying again in")
    expect(shop.page.locator("#count")).to_have_text("1")
    until(lambda: is_shown(shop.page, "#pictures img"))
    expect(shop.page.locator("#status")).to_have_text("")
    expect(shop.page.locator("#problem")).to_be_hidden()
    waits = [later - earlier for earlier, later in pairwise(images.seen)]
    assert len(waits) == 3
    assert all(wait >= least for wait, least in zip(waits, (0.25, 0.5, 1), strict=True)), waits
    assert all(later - earlier >= 2 for earlier, later in pairwise(stats.seen)), "Retry-After is honoured"


def test_the_page_says_when_it_gives_up_and_can_be_told_to_try_again(shop: Shop) -> None:
    images = shop.busy.refuse("/v1/images", 429, math.inf)
    shop.open()
    expect(shop.page.locator("#problem")).to_have_text("The server is busy. Several attempts failed.")
    assert len(images.seen) == 6
    expect(shop.page.locator("#nothing")).to_be_hidden()
    images.times = 0
    shop.page.get_by_role("button", name="Try again").click()
    expect(shop.page.get_by_role("button", name="Open a.png")).to_be_visible()
    expect(shop.page.locator("#problem")).to_be_hidden()
    expect(shop.page.get_by_role("button", name="Try again")).to_be_hidden()


def test_a_wait_that_nobody_would_sit_through_is_not_begun(shop: Shop) -> None:
    images = shop.busy.refuse("/v1/images", 503, math.inf, Retry_After="3600")
    shop.open()
    expect(shop.page.get_by_role("button", name="Try again")).to_be_visible()
    assert len(images.seen) == 1


def test_a_search_and_a_removal_wait_too(shop: Shop, running: PicTrace, collection: str) -> None:
    shop.open()
    expect(shop.page.locator("#count")).to_have_text("1")
    search = shop.busy.refuse("/v1/search", 429, 1, Retry_After="1")
    shop.page.set_input_files("#file", {"name": "a.png", "mimeType": "image/png", "buffer": noise(5101)})
    expect(shop.page.locator("#matches .card")).to_contain_text("Identical")
    assert len(search.seen) == 2
    removal = shop.busy.refuse(f"/v1/images/{shop.image_id}", 503, 1)
    shop.page.locator("#pictures button").click()
    shop.page.get_by_role("button", name="Delete").click()
    shop.page.get_by_role("button", name="Really delete?").click()
    expect(shop.page.locator("#count")).to_have_text("0")
    assert len(removal.seen) == 2
    assert running.client.get("/v1/stats", params={"collection": collection}).json()["images"] == 0


def test_a_thumbnail_that_is_not_stored_is_made_at_the_asking(shop: Shop, running: PicTrace) -> None:
    """As of an image that an earlier version indexed; a link that has ended leads nowhere too."""
    where: Any = {"Bucket": running.cloud.outputs["BucketName"], "Key": shop.thumbnail}
    boto3.client("s3").delete_object(**where)
    asked = shop.busy.refuse(r"/v1/images/\w+/thumbnail", 429, 0)
    shop.open()
    until(lambda: is_shown(shop.page, "#pictures img"))
    assert len(asked.seen) == 1
    assert boto3.client("s3").head_object(**where)["ContentType"] == "image/webp"
    shop.page.reload()
    until(lambda: is_shown(shop.page, "#pictures img"))
    assert len(asked.seen) == 1


def test_no_tile_stays_blank_without_a_word(shop: Shop, running: PicTrace) -> None:
    boto3.client("s3").delete_object(Bucket=running.cloud.outputs["BucketName"], Key=shop.thumbnail)
    refused = shop.busy.refuse(r"/v1/images/\w+/thumbnail", 503, math.inf, Retry_After="3600")
    shop.open()
    said = shop.page.locator("#missing")
    expect(said).to_contain_text("1 thumbnail could not be loaded. The server is busy.")
    assert not is_shown(shop.page, "#pictures img")
    expect(shop.page.get_by_role("button", name="Open a.png")).to_be_visible()
    refused.times = 0
    shop.page.get_by_role("button", name="Load them again").click()
    expect(said).to_be_hidden()
    expect(shop.page.locator("#pictures img.missing")).to_have_count(0)
    until(lambda: is_shown(shop.page, "#pictures img"))


def test_the_viewer_says_what_it_cannot_show(shop: Shop) -> None:
    refused = shop.busy.refuse(r"/v1/images/\w+/content", 503, math.inf, Retry_After="3600")
    shop.open()
    shop.page.locator("#pictures button").click()
    expect(shop.page.locator("#viewer .problem")).to_contain_text("The server is busy.")
    refused.times = 0
    shop.page.get_by_role("button", name="Load it again").click()
    expect(shop.page.locator("#viewer .problem")).to_be_hidden()
    until(lambda: is_shown(shop.page, "#viewer .pair img"))
