"""When, by what and where images were taken, over HTTP."""

import json
import os
import re
import uuid
from dataclasses import replace
from typing import Any, Final

import boto3
import httpx
import pytest

from functions.api.app import create_app
from functions.api.bootstrap import deployed_services
from infra.local.cloud import STACK
from infra.local.serving import serving
from infra.operate.__main__ import main
from shared.domain.access import Access, Scope
from shared.settings import ApiSettings
from tests.conftest import ClosedApi, PicTrace
from tests.images import encoded, noise, pixels, taken

PARIS: Final = {"latitude": 48.85, "longitude": 2.35}


@pytest.fixture(scope="module")
def album(running: PicTrace) -> tuple[str, dict[str, str]]:
    """A collection with two photographs and an image without a date, and their ids by name."""
    collection = f"t-{uuid.uuid4().hex[:12]}"
    coffee, cat = (encoded(pixels(name)) for name in ("coffee.png", "chelsea.png"))
    files = {
        "phone": taken(coffee, "2023:08:05 23:30:00", offset="+02:00", camera="Pixel 4a", place=(48.85, 2.35)),
        "camera": taken(cat, "2023:08:05 22:00:00"),
        "drawing": noise(9_401),
    }
    return collection, {name: running.add(data, collection=collection, name=name) for name, data in files.items()}


def listed(client: httpx.Client, collection: str, **parameters: Any) -> list[Any]:
    answer = client.get("/v1/images", params={"collection": collection, **parameters})
    assert answer.status_code == 200, answer.text
    images: list[Any] = answer.json()["images"]
    return images


def ids(images: list[Any]) -> list[str]:
    return [image["image_id"] for image in images]


def test_every_answer_has_time_camera_and_place(running: PicTrace, album: tuple[str, dict[str, str]]) -> None:
    collection, known = album
    where = {"collection": collection}
    phone = {"taken_at": "2023-08-05T23:30:00+02:00", "camera": "Pixel 4a", "location": PARIS}
    camera = {"taken_at": "2023-08-05T22:00:00", "camera": None, "location": None}
    drawing = dict.fromkeys(phone)
    record = running.client.get(f"/v1/images/{known['phone']}", params=where).json()
    matches = running.search(encoded(pixels("coffee.png")), collection=collection)["matches"]
    images = {image["image_id"]: image for image in listed(running.client, collection)}
    for found, expected in (
        (record, phone),
        (matches[0]["image"], phone),
        (images[known["phone"]], phone),
        (images[known["camera"]], camera),
        (images[known["drawing"]], drawing),
    ):
        assert {name: found[name] for name in expected} == expected


def test_a_listing_is_sorted_and_filtered_by_date_taken(running: PicTrace, album: tuple[str, dict[str, str]]) -> None:
    collection, known = album
    newest = [known[name] for name in ("drawing", "phone", "camera")]
    assert ids(listed(running.client, collection, sort="taken")) == newest
    assert ids(listed(running.client, collection, sort="taken", order="oldest")) == newest[::-1]
    day = {"taken_from": "2023-08-05", "taken_to": "2023-08-05"}
    assert ids(listed(running.client, collection, sort="taken", **day)) == newest[1:]
    assert ids(listed(running.client, collection, **day)) == [known["camera"], known["phone"]]
    assert ids(listed(running.client, collection, taken_to="2023-08-05T22:30:00")) == [known["camera"]]
    assert ids(listed(running.client, collection, taken_from="2023-08-06")) == [known["drawing"]]
    first = running.client.get("/v1/images", params={"collection": collection, "sort": "taken", "limit": 2}).json()
    rest = listed(running.client, collection, sort="taken", limit=2, cursor=first["cursor"])
    assert ids([*first["images"], *rest]) == newest
    other = running.client.get("/v1/images", params={"collection": collection, "cursor": first["cursor"]})
    assert other.json()["type"] == "urn:pictrace:problem:invalid-cursor"


@pytest.mark.parametrize("wrong", ["summer", "2026-02-30", "2026-11-28T09:30:00Z"])
def test_dates_taken_are_local_times(running: PicTrace, wrong: str) -> None:
    answer = running.client.get("/v1/images", params={"taken_to": wrong})
    assert answer.status_code == 422
    assert answer.json()["detail"].startswith("taken_to: Send a date or a local time")


def test_places_are_shown_to_administrators_or_if_the_deployment_says_so(
    closed: ClosedApi, album: tuple[str, dict[str, str]]
) -> None:
    collection, known = album
    reader, admin = (closed.key(scope, collections={collection}) for scope in (Scope.SEARCH, Scope.ADMIN))
    everyone = ApiSettings.from_environ(os.environ | {"PICTRACE_SHOW_LOCATION_TO": "everyone"})
    shown = create_app(deployed_services(replace(everyone, access=Access.KEYS)))
    with serving(shown, 0) as url:
        for address, key, expected in ((closed.url, reader, None), (closed.url, admin, PARIS), (url, reader, PARIS)):
            client = httpx.Client(base_url=address, headers={"X-Api-Key": key}, timeout=60)
            answers = [
                client.get("/v1/images", params={"collection": collection}),
                client.get(f"/v1/images/{known['phone']}", params={"collection": collection}),
                client.post("/v1/search", params={"collection": collection}, json={"image_id": known["phone"]}),
                client.get(f"/v1/images/{known['phone']}/similar", params={"collection": collection}),
            ]
            assert [answer.status_code for answer in answers] == [200] * len(answers)
            record = answers[1].json()
            assert (record["taken_at"], record["location"]) == ("2023-08-05T23:30:00+02:00", expected)
            assert any("48.85" in json.dumps(answer.json()) for answer in answers) is (expected is not None)


@pytest.mark.usefixtures("completed_here")
def test_the_operator_has_images_of_earlier_versions_dated(
    running: PicTrace, collection: str, capsys: pytest.CaptureFixture[str]
) -> None:
    photo = running.add(taken(encoded(pixels("rocket.jpg")), "2011:12:13 14:15:16"), collection=collection)
    table, dynamodb = running.cloud.outputs["TableName"], boto3.client("dynamodb")
    dynamodb.update_item(
        TableName=table,
        Key={"pk": {"S": f"image#{photo}"}, "sk": {"S": f"collection#{collection}"}},
        UpdateExpression="SET #format = :format REMOVE dated_at",
        ExpressionAttributeNames={"#format": "format"},
        ExpressionAttributeValues={":format": {"S": "jpeg"}},
    )
    assert ids(listed(running.client, collection)) == [photo]
    assert listed(running.client, collection, sort="taken")[0]["taken_at"] is None
    assert main(["--stack", STACK, "reindex", "--dates", "--yes"]) == 0
    assert re.search(
        r"^\d+ images without date or tags, which an earlier version stored$", capsys.readouterr().out, re.MULTILINE
    )
    (image,) = listed(running.client, collection, sort="taken")
    assert image["taken_at"] == "2011-12-13T14:15:16"
