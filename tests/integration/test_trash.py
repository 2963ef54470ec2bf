"""Deleted images can be restored until they are purged."""

import hashlib
from typing import Any

import boto3
import numpy as np
import pytest

from infra.local.schedule import scheduled_messages
from shared.aws.clients import dynamodb_client
from shared.aws.dynamodb.trash import DynamoTrash
from shared.domain.ledger import ImageKey
from tests.conftest import PicTrace
from tests.images import encoded, noise, pixels
from tests.integration.conftest import send, until


def trash(running: PicTrace, collection: str) -> list[Any]:
    answer = running.client.get("/v1/trash", params={"collection": collection}).raise_for_status().json()
    assert answer["days"] == 30
    found: list[Any] = answer["images"]
    return found


def listed(running: PicTrace, collection: str) -> list[str]:
    answer = running.client.get("/v1/images", params={"collection": collection}).raise_for_status().json()
    return [image["image_id"] for image in answer["images"]]


def stored(running: PicTrace, collection: str) -> list[str]:
    """The keys of uploads and thumbnails of a collection."""
    s3, bucket = boto3.client("s3"), running.cloud.outputs["BucketName"]
    prefixes = [f"{folder}/{collection}/" for folder in ("uploads", "thumbnails")]
    pages = [s3.list_objects_v2(Bucket=bucket, Prefix=prefix) for prefix in prefixes]
    return [entry["Key"] for page in pages for entry in page.get("Contents", [])]


def delete(running: PicTrace, image_id: str, collection: str) -> None:
    answer = running.client.delete(f"/v1/images/{image_id}", params={"collection": collection})
    assert answer.status_code == 204, answer.text


def test_a_deleted_image_is_found_by_nothing_and_restored_as_it_was(running: PicTrace, collection: str) -> None:
    data, where = noise(9001), {"collection": collection}
    image_id = running.add(data, collection=collection, name="mine.png")
    running.client.patch(f"/v1/images/{image_id}", params=where, json={"note": "keep"}).raise_for_status()
    before = running.client.get(f"/v1/images/{image_id}", params=where).json()
    delete(running, image_id, collection)

    assert listed(running, collection) == []
    assert running.search(data, collection=collection)["matches"] == []
    for path in ("", "/content", "/thumbnail", "/similar"):
        assert running.client.get(f"/v1/images/{image_id}{path}", params=where).status_code == 404
    assert running.client.delete(f"/v1/images/{image_id}", params=where).status_code == 404
    assert running.client.get("/v1/stats", params=where).json()["images"] == 0
    (entry,) = trash(running, collection)
    assert (entry["image_id"], entry["filename"]) == (image_id, "mine.png")
    assert entry["trashed_at"] < entry["purged_at"]
    assert len(stored(running, collection)) == 2

    restored = running.client.post(f"/v1/trash/{image_id}/restore", params=where)
    assert (restored.status_code, restored.json()["image_id"]) == (200, image_id)
    after = running.client.get(f"/v1/images/{image_id}", params=where).json()
    links = {"thumbnail_url": ""}
    assert after | links == before | links
    assert running.search(data, collection=collection)["matches"][0]["image_id"] == image_id
    assert trash(running, collection) == []
    assert running.client.post(f"/v1/trash/{image_id}/restore", params=where).status_code == 404


def test_an_upload_of_the_same_bytes_restores_the_image(running: PicTrace, collection: str) -> None:
    image_id = running.add(noise(9002), collection=collection)
    delete(running, image_id, collection)
    assert running.add(noise(9002), collection=collection) == image_id
    assert listed(running, collection) == [image_id]
    assert trash(running, collection) == []
    record = running.client.get(f"/v1/images/{image_id}", params={"collection": collection}).json()
    assert len(record["sources"]) == 2


def test_a_repeated_event_does_not_restore_the_image(running: PicTrace, collection: str) -> None:
    upload_id = running.upload(noise(9003), collection=collection)
    image_id = running.wait_for_upload(upload_id)["image_id"]
    delete(running, image_id, collection)
    send(running, {"bucket": running.cloud.outputs["BucketName"], "key": f"uploads/{collection}/{upload_id}"})
    other = running.add(noise(9004), collection=collection)  # handled after that message
    assert listed(running, collection) == [other]
    assert len(trash(running, collection)) == 1


def test_purging_removes_the_bytes_at_once(running: PicTrace, collection: str) -> None:
    where = {"collection": collection}
    kept, purged = (running.add(noise(seed), collection=collection) for seed in (9005, 9006))
    for image_id in (kept, purged):
        delete(running, image_id, collection)
    assert running.client.delete(f"/v1/trash/{purged}", params=where).status_code == 204
    assert running.client.delete(f"/v1/trash/{purged}", params=where).status_code == 404
    assert [image["image_id"] for image in trash(running, collection)] == [kept]
    assert len(stored(running, collection)) == 2
    assert running.client.delete("/v1/trash", params=where).status_code == 202
    until(lambda: stored(running, collection) == [])
    assert trash(running, collection) == []


def test_the_schedule_purges_what_was_deleted_30_days_ago(running: PicTrace, collection: str) -> None:
    old, new = (running.add(noise(seed), collection=collection) for seed in (9007, 9008))
    table = running.cloud.outputs["TableName"]
    assert DynamoTrash(dynamodb_client(), table).put(ImageKey(collection, old), "2026-01-01T00:00:00.000000+00:00")
    delete(running, new, collection)
    (body,) = scheduled_messages(running.cloud.template)
    send(running, body)
    until(lambda: len(stored(running, collection)) == 2)
    assert [image["image_id"] for image in trash(running, collection)] == [new]


def test_an_image_is_deleted_in_one_collection_only(running: PicTrace, collection: str) -> None:
    other = f"{collection}-b"
    image_id = running.add(noise(9009), collection=collection)
    assert running.add(noise(9009), collection=other) == image_id
    delete(running, image_id, collection)
    assert (listed(running, collection), listed(running, other)) == ([], [image_id])
    assert running.client.delete(f"/v1/trash/{image_id}", params={"collection": collection}).status_code == 204
    assert listed(running, other) == [image_id]
    assert running.client.get(f"/v1/images/{image_id}/thumbnail", params={"collection": other}).status_code == 307


@pytest.fixture
def copies(running: PicTrace, collection: str) -> list[str]:
    """A photograph and two copies of it, the best first, in one group."""
    rgb = pixels("coffee.png")
    files = [
        encoded(rgb, ".png"),
        encoded(rgb, ".jpg", 1, 60),
        encoded(np.ascontiguousarray(rgb[::2, ::2]), ".jpg", 1, 90),
    ]
    for data in files:
        media_type = "image/png" if data.startswith(b"\x89") else "image/jpeg"
        running.add(data, collection=collection, media_type=media_type)
    return [hashlib.sha256(data).hexdigest() for data in files]


def groups(running: PicTrace, collection: str) -> list[Any]:
    found: list[Any] = running.client.get("/v1/duplicates", params={"collection": collection}).json()["groups"]
    return found


def test_groups_are_resolved_with_a_preview_and_restored(running: PicTrace, collection: str, copies: list[str]) -> None:
    (group,) = groups(running, collection)
    assert (group["best"], group["images"][0]["image_id"]) == (copies[0], copies[0])
    assert group["reasons"].keys() == set(copies[1:])
    preview = running.client.post("/v1/duplicates/resolve", json={"collection": collection}).json()
    assert (preview["dry_run"], preview["deleted"], preview["cursor"]) == (True, 2, None)
    assert len(listed(running, collection)) == 3
    done = running.client.post("/v1/duplicates/resolve", json={"collection": collection, "dry_run": False}).json()
    assert done == preview | {"dry_run": False}
    assert done["groups"][0]["kept"] == [copies[0]]
    assert {one["image_id"]: one["reason"] for one in done["groups"][0]["deleted"]} == group["reasons"]
    assert listed(running, collection) == [copies[0]]
    assert groups(running, collection) == []
    assert {image["image_id"] for image in trash(running, collection)} == set(copies[1:])
    for image_id in copies[1:]:
        running.client.post(f"/v1/trash/{image_id}/restore", params={"collection": collection}).raise_for_status()
    (again,) = groups(running, collection)
    assert {image["image_id"] for image in again["images"]} == set(copies)


def test_several_images_can_be_kept_and_are_not_grouped_again(
    running: PicTrace, collection: str, copies: list[str]
) -> None:
    wanted = {"group_id": copies[1], "keep": copies[:2]}
    answer = running.client.post(
        "/v1/duplicates/resolve", json={"collection": collection, "groups": [wanted], "dry_run": False}
    ).json()
    assert [one["image_id"] for one in answer["groups"][0]["deleted"]] == copies[2:]
    assert groups(running, collection) == []
    started = running.client.post("/v1/duplicates/check", params={"collection": collection})
    assert (started.status_code, started.json()["status"], started.json()["images"]) == (202, "running", 2)

    def finished() -> Any:
        state = running.client.get("/v1/duplicates/check", params={"collection": collection}).json()
        return state if state["status"] == "done" else None

    state = until(finished)
    assert (state["done"], state["changed"]) == (2, 0)
    assert groups(running, collection) == []


def test_no_duplicate_is_remembered_even_after_the_image_was_uploaded_again(
    running: PicTrace, collection: str, copies: list[str]
) -> None:
    where = {"collection": collection}
    decision = {"collection": collection, "images": [copies[0], copies[1]], "decision": "different"}
    assert running.client.post("/v1/duplicates/decisions", json=decision).status_code == 204
    (group,) = groups(running, collection)
    assert {image["image_id"] for image in group["images"]} == {copies[0], copies[2]}
    delete(running, copies[1], collection)
    running.client.delete(f"/v1/trash/{copies[1]}", params=where).raise_for_status()
    running.add(encoded(pixels("coffee.png"), ".jpg", 1, 60), collection=collection, media_type="image/jpeg")
    (group,) = groups(running, collection)
    assert {image["image_id"] for image in group["images"]} == {copies[0], copies[2]}
    forgotten = decision | {"decision": None}
    assert running.client.post("/v1/duplicates/decisions", json=forgotten).status_code == 204
    until(lambda: len(groups(running, collection)[0]["images"]) == 3)


def test_another_image_can_be_kept(running: PicTrace, collection: str, copies: list[str]) -> None:
    where = {"collection": collection}
    answer = running.client.put(f"/v1/duplicates/{copies[2]}/kept", params=where, json={"image_id": copies[1]})
    assert answer.status_code == 200, answer.text
    group = answer.json()
    assert (group["group_id"], group["best"], group["chosen"]) == (copies[1], copies[1], True)
    assert set(group["reasons"].values()) == {"It was chosen by hand."}
    for image_id in copies:
        found = running.client.get(f"/v1/duplicates/{image_id}", params=where).json()
        assert {image["image_id"] for image in found["images"]} == set(copies)
    assert running.client.get(f"/v1/duplicates/{'0' * 64}", params=where).status_code == 404
    missing = running.client.put(f"/v1/duplicates/{copies[0]}/kept", params=where, json={"image_id": "0" * 64})
    assert missing.status_code == 404


def test_a_mirrored_image_is_grouped_with_the_one_that_it_mirrors(running: PicTrace, collection: str) -> None:
    rgb = pixels("chelsea.png")
    one = running.add(encoded(rgb, ".png"), collection=collection)
    other = running.add(encoded(np.ascontiguousarray(rgb[:, ::-1]), ".png"), collection=collection)
    (group,) = groups(running, collection)
    assert {image["image_id"] for image in group["images"]} == {one, other}
    for asked, expected in ((one, other), (other, one)):
        matches = running.client.get(f"/v1/images/{asked}/similar", params={"collection": collection}).json()["matches"]
        assert [(match["image_id"], match["verdict"], match["mirrored"]) for match in matches] == [
            (expected, "near-duplicate", True)
        ]
