"""The page's people: named in place, asked about, merged by dragging and by keyboard, and hidden."""

import uuid
from collections.abc import Sequence

import boto3
import numpy as np
from playwright.sync_api import Browser, Page, expect

from shared.aws.clients import dynamodb_client
from shared.aws.dynamodb.collections import DynamoCollections
from shared.aws.dynamodb.people import DynamoPeople
from shared.aws.people_tasks import QueuedTasks
from shared.domain.people.faces import FACE_DIMENSIONS, DetectedFace
from shared.domain.people.keeping import FaceKeeper
from tests.browser.conftest import needs_chromium
from tests.conftest import PicTrace
from tests.images import Pixels, encoded, pixels
from tests.integration.conftest import until

pytestmark = needs_chromium

SHOWN = (
    ("astronaut.png", (0.36, 0.13, 0.16, 0.2), (0.0, 0.1, 0.2)),
    ("chelsea.png", (0.3, 0.1, 0.4, 0.6), (1.0, 1.1, 1.2)),
    ("coffee.png", (0.3, 0.2, 0.4, 0.5), (1.72, 1.73, 1.74)),
)
"""Three persons, as three copies of a picture each: where the face is, and where its vectors are. The last two may be
the same."""


def copies(name: str, count: int) -> Sequence[Pixels]:
    return [np.clip(pixels(name).astype(int) - 6 * number, 0, 255).astype(np.uint8) for number in range(count)]


def people_in(running: PicTrace) -> str:
    """Store images of three persons in a new collection; return its name."""
    collection, table = f"t-{uuid.uuid4().hex[:12]}", running.cloud.outputs["TableName"]
    DynamoCollections(dynamodb_client(), table).set_faces(collection, on=True)
    tasks = QueuedTasks(boto3.client("sqs"), running.cloud.outputs["PeopleQueueUrl"])
    keeper = FaceKeeper(DynamoPeople(dynamodb_client(), table), tasks)
    for name, box, places in SHOWN:
        for rgb, place in zip(copies(name, len(places)), places, strict=True):
            image = running.add(encoded(rgb, ".png"), collection=collection, name=name)
            vector = np.zeros(FACE_DIMENSIONS, np.float32)
            vector[0] = place
            keeper.add(collection, image, "m", [DetectedFace(box, 0.9, 1.0, 60.0, vector)])
    until(lambda: len(running.client.get("/v1/people", params={"collection": collection}).json()["people"]) == 3)
    return collection


def test_people_are_named_asked_about_merged_and_hidden(running: PicTrace, desktop: Page) -> None:
    collection = people_in(running)
    desktop.goto(f"{running.url}/?collection={collection}&view=people")
    tiles = desktop.locator("#persons li")
    expect(tiles).to_have_count(3)
    expect(desktop.locator("#same")).to_be_visible()
    desktop.wait_for_function("[...document.querySelectorAll('.portrait img')].every(i => i.naturalWidth)")

    named = tiles.first.locator("input")
    named.fill("Ada")
    named.press("Enter")
    expect(desktop.locator("#toast")).to_contain_text("Named Ada.")
    desktop.locator("#same-no").click()
    expect(desktop.locator("#same")).to_be_hidden()
    desktop.reload()
    expect(tiles.first.locator("input")).to_have_value("Ada")
    expect(desktop.locator("#same")).to_be_hidden()

    tiles.nth(1).drag_to(tiles.first)
    expect(tiles).to_have_count(2)
    expect(tiles.first.locator("input")).to_have_value("Ada")
    expect(tiles.first).to_contain_text("6 faces")
    desktop.get_by_role("button", name="Undo").click()
    expect(tiles).to_have_count(3)

    tiles.nth(2).get_by_role("button", name="Merge …").focus()
    desktop.keyboard.press("Enter")
    expect(desktop.locator("#merge-hint")).to_contain_text("Choose the person")
    tiles.first.get_by_role("button", name="Merge into this one").focus()
    desktop.keyboard.press("Enter")
    expect(tiles).to_have_count(2)

    tiles.nth(1).get_by_role("button", name="Hide").click()
    expect(tiles).to_have_count(1)
    desktop.locator("#hidden-people").check()
    expect(tiles).to_have_count(1)
    expect(tiles.first.get_by_role("button", name="Show again")).to_be_visible()
    desktop.locator("#hidden-people").uncheck()

    tiles.first.get_by_role("link").click()
    expect(desktop.locator("#collection-title")).to_be_visible()
    expect(desktop.locator(".images img").first).to_be_visible()


def test_the_people_view_fits_a_phone(running: PicTrace, browser: Browser) -> None:
    collection = people_in(running)
    context = browser.new_context(viewport={"width": 360, "height": 780}, has_touch=True, reduced_motion="reduce")
    phone = context.new_page()
    phone.goto(f"{running.url}/?collection={collection}&view=people")
    sides = phone.locator("#same-pair figure")
    expect(sides).to_have_count(2)
    tops = sides.evaluate_all("figures => figures.map(one => one.getBoundingClientRect().top)")
    assert tops[0] == tops[1], "the two are side by side, to be compared"
    name = phone.locator("#persons li input").first
    name.fill("Somebody with a name that does not fit")
    name.press("Enter")
    expect(name).to_have_attribute("title", "Somebody with a name that does not fit")
    assert phone.evaluate("document.documentElement.scrollWidth") == 360
    context.close()
