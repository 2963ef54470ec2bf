"""The page in a real browser, with a server that sometimes answers 429 or 503."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import boto3
import pytest
from playwright.sync_api import Page, expect

from infra.local.serving import serving
from tests.browser.busy_server import BusyServer
from tests.browser.conftest import needs_chromium
from tests.conftest import PicTrace
from tests.images import noise
from tests.integration.conftest import until

pytestmark = needs_chromium


@dataclass(frozen=True)
class BusyPage:
    """A page that shows one image, and its server."""

    page: Page
    url: str
    busy: BusyServer
    image_id: str
    thumbnail: str

    def open(self) -> None:
        self.page.goto(self.url)


@pytest.fixture
def busy_page(desktop: Page, running: PicTrace, collection: str) -> Iterator[BusyPage]:
    busy: Any = BusyServer(running.cloud.app)
    image_id = running.add(noise(5101), collection=collection, name="a.png")
    with serving(busy, 0) as url:
        where = f"{url}/?collection={collection}"
        yield BusyPage(desktop, where, busy, image_id, f"thumbnails/{collection}/{image_id}.webp")


def is_shown(page: Page, image: str) -> bool:
    """Whether an `<img>` shows its own image and not the placeholder for a missing one."""
    shown: bool = page.locator(image).first.evaluate(
        "(img) => img.decode().then(() => img.naturalWidth > 0 && !img.src.endsWith('.svg'), () => false)"
    )
    return shown


def test_refused_calls_are_retried_until_they_succeed(busy_page: BusyPage) -> None:
    images = busy_page.busy.refuse("/v1/images", 429, 3)
    stats = busy_page.busy.refuse("/v1/stats", 503, 2, Retry_After="2")
    busy_page.open()
    expect(busy_page.page.locator("#status")).to_contain_text("The server is busy. Trying again in")
    expect(busy_page.page.locator("#count")).to_have_text("1")
    until(lambda: is_shown(busy_page.page, "#images img"))
    expect(busy_page.page.locator("#status")).to_have_text("")
    expect(busy_page.page.locator("#problem")).to_be_hidden()
    waits = [later - earlier for earlier, later in pairwise(images.seen)]
    assert len(waits) == 3
    assert all(wait >= least for wait, least in zip(waits, (0.25, 0.5, 1), strict=True)), waits
    assert all(later - earlier >= 2 for earlier, later in pairwise(stats.seen)), "Retry-After is honoured"


def test_the_page_reports_that_it_gave_up_and_offers_a_retry(busy_page: BusyPage) -> None:
    images = busy_page.busy.refuse("/v1/images", 429, math.inf)
    busy_page.open()
    expect(busy_page.page.locator("#problem")).to_have_text("The server is busy. Several attempts failed.")
    assert len(images.seen) == 6
    expect(busy_page.page.locator("#nothing")).to_be_hidden()
    images.times = 0
    busy_page.page.get_by_role("button", name="Try again").click()
    expect(busy_page.page.get_by_role("button", name="Open a.png")).to_be_visible()
    expect(busy_page.page.locator("#problem")).to_be_hidden()
    expect(busy_page.page.get_by_role("button", name="Try again")).to_be_hidden()


def test_a_very_long_retry_after_is_not_waited_for(busy_page: BusyPage) -> None:
    images = busy_page.busy.refuse("/v1/images", 503, math.inf, Retry_After="3600")
    busy_page.open()
    expect(busy_page.page.get_by_role("button", name="Try again")).to_be_visible()
    assert len(images.seen) == 1


def test_searches_and_removals_are_retried_too(busy_page: BusyPage, running: PicTrace, collection: str) -> None:
    busy_page.open()
    expect(busy_page.page.locator("#count")).to_have_text("1")
    search = busy_page.busy.refuse("/v1/search", 429, 1, Retry_After="1")
    busy_page.page.set_input_files("#file", {"name": "a.png", "mimeType": "image/png", "buffer": noise(5101)})
    expect(busy_page.page.locator("#matches .card")).to_contain_text("Identical")
    assert len(search.seen) == 2
    busy_page.page.locator("#images button.open").click()
    removal = busy_page.busy.refuse(f"/v1/images/{busy_page.image_id}", 503, 1, "DELETE")
    busy_page.page.get_by_role("button", name="Delete").click()
    busy_page.page.get_by_role("button", name="Really delete?").click()
    expect(busy_page.page.locator("#count")).to_have_text("0")
    assert len(removal.seen) == 2
    assert running.client.get("/v1/stats", params={"collection": collection}).json()["images"] == 0


def test_a_missing_thumbnail_is_made_on_request(busy_page: BusyPage, running: PicTrace) -> None:
    """As for an image that an earlier version indexed, or whose link has expired."""
    where: Any = {"Bucket": running.cloud.outputs["BucketName"], "Key": busy_page.thumbnail}
    boto3.client("s3").delete_object(**where)
    asked = busy_page.busy.refuse(r"/v1/images/\w+/thumbnail", 429, 0)
    busy_page.open()
    until(lambda: is_shown(busy_page.page, "#images img"))
    assert len(asked.seen) == 1
    assert boto3.client("s3").head_object(**where)["ContentType"] == "image/webp"
    busy_page.page.reload()
    until(lambda: is_shown(busy_page.page, "#images img"))
    assert len(asked.seen) == 1


def test_thumbnails_that_cannot_be_loaded_are_reported(busy_page: BusyPage, running: PicTrace) -> None:
    boto3.client("s3").delete_object(Bucket=running.cloud.outputs["BucketName"], Key=busy_page.thumbnail)
    refused = busy_page.busy.refuse(r"/v1/images/\w+/thumbnail", 503, math.inf, Retry_After="3600")
    busy_page.open()
    said = busy_page.page.locator("#missing")
    expect(said).to_contain_text("1 thumbnail could not be loaded. The server is busy.")
    assert not is_shown(busy_page.page, "#images img")
    expect(busy_page.page.get_by_role("button", name="Open a.png")).to_be_visible()
    refused.times = 0
    busy_page.page.get_by_role("button", name="Load them again").click()
    expect(said).to_be_hidden()
    expect(busy_page.page.locator("#images img.missing")).to_have_count(0)
    until(lambda: is_shown(busy_page.page, "#images img"))


def test_the_viewer_reports_an_image_that_it_cannot_load(busy_page: BusyPage) -> None:
    refused = busy_page.busy.refuse(r"/v1/images/\w+/content", 503, math.inf, Retry_After="3600")
    busy_page.open()
    busy_page.page.locator("#images button.open").click()
    expect(busy_page.page.locator("#viewer .problem")).to_contain_text("The server is busy.")
    refused.times = 0
    busy_page.page.get_by_role("button", name="Load it again").click()
    expect(busy_page.page.locator("#viewer .problem")).to_be_hidden()
    until(lambda: is_shown(busy_page.page, "#viewer figure img"))
