"""Labels over HTTP: images have labels, and any of them filters listings and searches."""

from typing import Any

import pytest

from shared.aws.clients import dynamodb_client
from shared.aws.dynamodb import item_keys
from tests.conftest import PicTrace
from tests.images import encoded, pixels, shipped

ALBUM = "labels"
CAT, CUP, ROCKET = "chelsea.png", "coffee.png", "rocket.jpg"


@pytest.fixture(scope="module")
def album(running: PicTrace) -> dict[str, str]:
    """Image ids by name. The record of the rocket is given a second label, `cup`."""
    ids = {
        name: running.add(
            shipped(name).read_bytes(),
            collection=ALBUM,
            name=name,
            media_type="image/jpeg" if name.endswith("jpg") else "image/png",
        )
        for name in (CAT, CUP, ROCKET)
    }
    labels = [("missile", "0.5"), ("cup", "0.3")]
    dynamodb_client().update_item(
        TableName=running.cloud.outputs["TableName"],
        Key=item_keys.record_key(ids[ROCKET], ALBUM),
        UpdateExpression="SET labels = :labels, #label = :label",
        ExpressionAttributeNames={"#label": "label"},
        ExpressionAttributeValues={
            ":labels": {"L": [{"M": {"name": {"S": name}, "probability": {"N": number}}} for name, number in labels]},
            ":label": {"S": "missile"},
        },
    )
    return ids


def listed(running: PicTrace, **parameters: Any) -> list[str]:
    answer = running.client.get("/v1/images", params={"collection": ALBUM, **parameters})
    assert answer.status_code == 200, answer.text
    return [image["image_id"] for image in answer.json()["images"]]


def test_images_have_labels_with_probabilities(running: PicTrace, album: dict[str, str]) -> None:
    image = running.client.get(f"/v1/images/{album[CAT]}", params={"collection": ALBUM}).json()
    assert image["label"] == image["labels"][0]["name"]
    assert "cat" in image["label"] or image["label"] == "tabby"
    assert all(0 < label["probability"] <= 1 for label in image["labels"])


@pytest.mark.parametrize("words", ["cat", "Cats", "domestic_cat", "animal"])
def test_a_listing_is_filtered_by_a_category(running: PicTrace, album: dict[str, str], words: str) -> None:
    assert listed(running, label=words) == [album[CAT]]


def test_a_listing_is_filtered_by_any_label(running: PicTrace, album: dict[str, str]) -> None:
    assert set(listed(running, label="missile")) == {album[ROCKET]}
    assert album[ROCKET] in listed(running, label="CUP")
    assert listed(running, label="volcano") == []


def test_a_filtered_listing_is_paged(running: PicTrace, album: dict[str, str]) -> None:
    pages, cursor = [], None
    for _ in range(4):
        parameters = {"collection": ALBUM, "label": "cup", "limit": "1"} | ({"cursor": cursor} if cursor else {})
        page = running.client.get("/v1/images", params=parameters).json()
        pages += [image["image_id"] for image in page["images"]]
        cursor = page["cursor"]
        if cursor is None:
            break
    assert sorted(pages) == sorted(listed(running, label="cup"))
    assert album[ROCKET] in pages
    assert album[CAT] not in pages


@pytest.mark.parametrize("ranking", ["fused", "cosine"])
@pytest.mark.parametrize(("words", "names"), [("cat", {CAT}), ("cup", {ROCKET}), ("animal", {CAT}), ("volcano", set())])
def test_a_search_is_filtered_by_any_label(
    running: PicTrace, album: dict[str, str], words: str, names: set[str], ranking: str
) -> None:
    query = encoded(pixels(CUP), ".jpg", 1, 60)
    found = running.search(query, collection=ALBUM, label=words, ranking=ranking)
    ids = {match["image_id"] for match in found["matches"]}
    assert {album[name] for name in names} <= ids
    assert all(album[name] not in ids for name in (CAT, ROCKET) if name not in names), (
        "the cup itself may be called a cup or an espresso"
    )


def test_more_like_this_is_filtered_too(running: PicTrace, album: dict[str, str]) -> None:
    url = f"/v1/images/{album[CUP]}/similar"
    every = running.client.get(url, params={"collection": ALBUM}).json()["matches"]
    cats = running.client.get(url, params={"collection": ALBUM, "label": "cat"}).json()["matches"]
    assert {match["image_id"] for match in every} == {album[CAT], album[ROCKET]}
    assert [match["image_id"] for match in cats] == [album[CAT]]


@pytest.mark.parametrize("method", ["list", "search", "similar"])
def test_an_unknown_label_is_a_problem_with_suggestions(running: PicTrace, album: dict[str, str], method: str) -> None:
    parameters = {"collection": ALBUM, "label": "elefant"}
    match method:
        case "list":
            answer = running.client.get("/v1/images", params=parameters)
        case "search":
            answer = running.client.post("/v1/search", params=parameters, json={"image_id": album[CAT]})
        case _:
            answer = running.client.get(f"/v1/images/{album[CAT]}/similar", params=parameters)
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["type"] == "urn:pictrace:problem:unknown-label"
    assert "elephant" in problem["suggestions"]
    assert "Did you mean elephant" in problem["detail"]
