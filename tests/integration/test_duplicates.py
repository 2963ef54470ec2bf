"""Near-duplicates are grouped when they are indexed, and the groups are paged."""

import uuid
from typing import Any

import cv2
import numpy as np
import pytest
from skimage import data

from pictrace import Client
from shared.aws.clients import dynamodb_client
from shared.aws.dynamodb.duplicates import MAX_SHOWN, DynamoDuplicates
from shared.domain.ledger import ImageKey
from shared.domain.preference import SENTENCES, Reason
from tests.conftest import PicTrace
from tests.images import encoded
from tests.integration.conftest import until


def bgr(name: str, side: int = 480) -> Any:
    image = cv2.cvtColor(getattr(data, name)(), cv2.COLOR_RGB2BGR)
    scale = side / max(image.shape[:2])
    return cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def groups(running: PicTrace, collection: str, **params: Any) -> Any:
    return running.client.get("/v1/duplicates", params={"collection": collection, **params}).raise_for_status().json()


@pytest.fixture
def collection() -> str:
    return f"dup-{uuid.uuid4().hex[:8]}"


def test_copies_are_grouped_best_first_and_leave_the_group_when_removed(running: PicTrace, collection: str) -> None:
    coffee, cat = bgr("coffee"), bgr("chelsea")
    small = running.add(
        encoded(cv2.resize(coffee, None, fx=0.6, fy=0.6, interpolation=cv2.INTER_AREA), ".png"), collection=collection
    )
    blurred = running.add(encoded(cv2.GaussianBlur(coffee, (0, 0), 2), ".png"), collection=collection)
    best = running.add(encoded(coffee, ".png"), collection=collection)
    running.add(encoded(cat, ".png"), collection=collection)

    page = groups(running, collection)  # an upload is complete only when the image is in its group
    assert page["cursor"] is None
    (group,) = page["groups"]
    assert (group["group_id"], group["best"], group["truncated"]) == (best, best, False)
    assert [image["image_id"] for image in group["images"]] == [best, small, blurred]
    assert set(group["reasons"].values()) == {SENTENCES[Reason.DETAIL]}

    # The kept image is deleted, and the best of the others takes its place.
    running.client.delete(f"/v1/images/{best}", params={"collection": collection}).raise_for_status()
    until(lambda: [group["group_id"] for group in groups(running, collection)["groups"]] == [small])
    (group,) = groups(running, collection)["groups"]
    assert [image["image_id"] for image in group["images"]] == [small, blurred]
    running.client.delete(f"/v1/images/{blurred}", params={"collection": collection}).raise_for_status()
    assert groups(running, collection) == {"groups": [], "cursor": None}


@pytest.fixture
def many(running: PicTrace, collection: str) -> list[str]:
    """The ids of seven images, each grouped with one other image directly through the adapter."""
    rng, ids = np.random.default_rng(5), []
    duplicates = DynamoDuplicates(dynamodb_client(), running.cloud.outputs["TableName"])
    for _ in range(7):
        pair = [
            running.add(encoded(rng.integers(0, 256, (40, 40, 3), np.uint8), ".png"), collection=collection)
            for _ in "ab"
        ]
        for image_id in pair:
            duplicates.place(ImageKey(collection, image_id), pair[0], before=None)
        ids.append(pair[0])
    return sorted(ids)


@pytest.mark.parametrize("items_a_read", [3, MAX_SHOWN])
def test_pages_list_every_group_once(
    running: PicTrace, collection: str, many: list[str], monkeypatch: pytest.MonkeyPatch, items_a_read: int
) -> None:
    monkeypatch.setattr("shared.aws.dynamodb.duplicates.MAX_SHOWN", items_a_read)
    seen, cursor, pages = [], None, 0
    while pages == 0 or cursor:
        page = groups(running, collection, limit=2, **({"cursor": cursor} if cursor else {}))
        assert len(page["groups"]) <= 2
        assert all(len(group["images"]) == 2 for group in page["groups"])
        seen += [group["group_id"] for group in page["groups"]]
        cursor, pages = page["cursor"], pages + 1
    assert seen == many
    assert pages == 4


def test_a_group_that_is_too_large_is_truncated_and_the_next_one_follows(
    running: PicTrace, collection: str, many: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    duplicates = DynamoDuplicates(dynamodb_client(), running.cloud.outputs["TableName"])
    for other in range(3):
        image_id = running.add(encoded(np.full((9, 9 + other, 3), 9, np.uint8), ".png"), collection=collection)
        duplicates.place(ImageKey(collection, image_id), many[0], before=None)
    monkeypatch.setattr("shared.aws.dynamodb.duplicates.MAX_SHOWN", 3)
    page = groups(running, collection)
    assert [group["group_id"] for group in page["groups"]] == many
    assert [group["truncated"] for group in page["groups"]] == [True] + [False] * 6
    assert len(page["groups"][0]["images"]) == 3


@pytest.mark.parametrize("cursor", ["x", "WyJhIiwiYiJd", "!!"])
def test_an_invalid_cursor_is_refused(running: PicTrace, collection: str, cursor: str) -> None:
    answer = running.client.get("/v1/duplicates", params={"collection": collection, "cursor": cursor})
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:pictrace:problem:invalid-cursor")


def test_groups_are_resolved_with_several_calls_if_they_are_large(
    running: PicTrace, client: Client, collection: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("coffee", "chelsea"):
        for side in (480, 400, 320):
            running.add(encoded(bgr(name, side), ".png"), collection=collection)
    found = groups(running, collection)["groups"]
    assert [len(group["images"]) for group in found] == [3, 3]
    monkeypatch.setattr("functions.api.duplicate_groups.MAX_COMPARED", 3)

    first = client.resolve_duplicates(collection=collection)
    assert (first["deleted"], [one["group_id"] for one in first["groups"]]) == (2, [found[0]["group_id"]])
    second = client.resolve_duplicates(collection=collection, cursor=first["cursor"])
    assert ([one["group_id"] for one in second["groups"]], second["cursor"]) == ([found[1]["group_id"]], None)
    named = client.resolve_duplicates(
        collection=collection, groups=[{"group_id": group["group_id"]} for group in found], dry_run=False
    )
    assert ([one["group_id"] for one in named["groups"]], named["cursor"]) == ([found[0]["group_id"]], None)
    assert sum(len(one["deleted"]) for one in client.resolutions(collection=collection, dry_run=False)) == 2
    assert groups(running, collection)["groups"] == []
