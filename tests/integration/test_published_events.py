"""Every outcome is published on the bus as an event that matches its schema."""

import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from pydantic import BaseModel

from infra import schemas
from shared.aws.event_bus import EVENTS
from tests.conftest import PicTrace
from tests.images import encoded, noise, pixels
from tests.integration.conftest import Listener, in_stack_bucket, invoke_ingest, send, until
from tests.unit.test_messages import notification


def validated(detail: dict[str, Any], detail_type: str) -> dict[str, Any]:
    """Validate the detail against the schema of its event, and return it."""
    model: type[BaseModel] = next(event for event in EVENTS if event.detail_type == detail_type)
    model.model_validate(detail, strict=False)
    return detail


def test_a_new_image_and_a_repeated_upload_are_published(
    running: PicTrace, listener: Listener, collection: str
) -> None:
    image_id = running.add(noise(500), collection=collection)
    indexed = validated(listener.wait_for("Image Indexed", collection), "Image Indexed")
    assert indexed["image_id"] == image_id
    assert indexed["bucket"] == running.cloud.outputs["BucketName"]
    assert indexed["key"] == f"uploads/{collection}/{indexed['upload_id']}"
    assert indexed["version"] == "1"
    again = running.upload(noise(500), collection=collection)
    found = validated(listener.wait_for("Duplicate Found", collection), "Duplicate Found")
    assert (found["image_id"], found["duplicate_of"], found["verdict"]) == (image_id, image_id, "identical")
    assert (found["upload_id"], found["score"], found["scores"]) == (again, 1.0, None)


def test_a_near_duplicate_event_names_the_earlier_image(running: PicTrace, listener: Listener, collection: str) -> None:
    original = running.add(encoded(pixels("coffee.png"), ".png"), collection=collection)
    running.add(noise(501), collection=collection)
    copy = running.add(encoded(pixels("coffee.png"), ".jpg", 1, 60), collection=collection, media_type="image/jpeg")
    found = validated(listener.wait_for("Duplicate Found", collection), "Duplicate Found")
    assert (found["image_id"], found["duplicate_of"], found["verdict"]) == (copy, original, "near-duplicate")
    assert found["scores"]["orb_inliers"] > 50
    assert 0.9 < found["scores"]["ssim"] <= 1
    kinds = [event["detail-type"] for event in listener.receive_all() if event["detail"]["collection"] == collection]
    assert kinds.count("Duplicate Found") == 1, "noise is not a duplicate of any image"


def test_a_file_that_is_not_an_image_is_published_as_rejected(
    running: PicTrace, listener: Listener, collection: str
) -> None:
    upload_id = running.upload(b"no image at all", collection=collection)
    rejected = validated(listener.wait_for("Image Rejected", collection), "Image Rejected")
    assert (rejected["upload_id"], rejected["code"]) == (upload_id, "unsupported_type")
    assert rejected["reason"].endswith(".")


def test_the_removal_of_the_last_object_is_published(running: PicTrace, listener: Listener, collection: str) -> None:
    """Deleting an image's last object removes the image."""
    image_id = running.add(noise(502), collection=collection)
    [source] = running.client.get(f"/v1/images/{image_id}", params={"collection": collection}).json()["sources"]
    boto3.client("s3").delete_object(Bucket=source["bucket"], Key=source["key"])
    removed = validated(listener.wait_for("Image Removed", collection), "Image Removed")
    assert removed["image_id"] == image_id
    assert running.client.get(f"/v1/images/{image_id}", params={"collection": collection}).status_code == 404


def test_a_purge_through_the_api_is_published(running: PicTrace, listener: Listener, collection: str) -> None:
    image_id = running.add(noise(503), collection=collection)
    answer = running.client.delete(f"/v1/images/{image_id}", params={"collection": collection})
    assert answer.status_code == 204
    running.client.delete(f"/v1/trash/{image_id}", params={"collection": collection}).raise_for_status()
    assert validated(listener.wait_for("Image Removed", collection), "Image Removed")["image_id"] == image_id


def test_the_senders_metadata_is_published(running: PicTrace, put: Callable[..., str], listener: Listener) -> None:
    collection = f"t-{uuid.uuid4().hex[:12]}"
    key = put(noise(504))
    body = {"bucket": running.cloud.outputs["BucketName"], "key": key, "collection": collection, "metadata": {"a": "é"}}
    send(running, body)
    assert listener.wait_for("Image Indexed", collection)["metadata"] == {"a": "é"}


def test_a_bus_that_refuses_loses_no_image(
    running: PicTrace, put: Callable[..., str], listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The image is found while the bus is down; the message is redelivered, so the event is eventually published."""
    from functions.ingest.bootstrap import dispatcher

    key = put(noise(505), f"uploads/{(collection := f't-{uuid.uuid4().hex[:12]}')}/a.png")
    event = in_stack_bucket(running, {"Records": [notification(key)]})
    message = {"messageId": "1", "body": json.dumps(event), "eventSource": "aws:sqs", "attributes": {}}
    bus: Any = dispatcher()._publish.__self__  # type: ignore[attr-defined]
    with monkeypatch.context() as broken:
        broken.setattr(bus, "_name", "no-such-bus")
        assert invoke_ingest({"Records": [message]})["batchItemFailures"] == [{"itemIdentifier": "1"}]
    [match] = running.search(noise(505), collection=collection, k=1)["matches"]
    assert match["verdict"] == "identical"
    assert invoke_ingest({"Records": [message]}) == {"batchItemFailures": []}
    assert listener.wait_for("Image Indexed", collection)["image_id"] == match["image_id"]


def test_the_published_schemas_match_the_code(tmp_path: Path) -> None:
    schemas.main(tmp_path)
    written, published = (
        {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}
        for folder in (tmp_path, schemas.FOLDER)
    )
    assert published == written, "run `make schemas`"


def test_repeating_an_event_publishes_the_same_outcome_again(
    running: PicTrace, put: Callable[..., str], listener: Listener
) -> None:
    collection = f"t-{uuid.uuid4().hex[:12]}"
    key = put(noise(506), f"uploads/{collection}/a.png")
    for _ in range(2):
        send(running, in_stack_bucket(running, {"Records": [notification(key)]}))

    def told() -> Any:
        about = [event for event in listener.receive_all() if event["detail"]["collection"] == collection]
        return about if len(about) == 2 else None

    assert {event["detail-type"] for event in until(told)} == {"Image Indexed"}


def test_the_way_into_the_trash_and_out_of_it_is_published(
    running: PicTrace, listener: Listener, collection: str
) -> None:
    image_id, where = running.add(noise(15_201), collection=collection), {"collection": collection}
    assert running.client.delete(f"/v1/images/{image_id}", params=where).status_code == 204
    trashed = validated(listener.wait_for("Image Trashed", collection), "Image Trashed")
    assert (trashed["image_id"], trashed["key"], trashed["version"]) == (image_id, None, "1")
    assert running.client.post(f"/v1/trash/{image_id}/restore", params=where).status_code == 200
    restored = validated(listener.wait_for("Image Restored", collection), "Image Restored")
    assert (restored["image_id"], restored["upload_id"]) == (image_id, None)

    assert running.client.delete(f"/v1/images/{image_id}", params=where).status_code == 204
    upload_id = running.upload(noise(15_201), collection=collection)
    assert running.wait_for_upload(upload_id)["image_id"] == image_id

    def by_upload() -> bool:
        found = [event["detail"] for event in listener.receive_all() if event["detail-type"] == "Image Restored"]
        return upload_id in {detail["upload_id"] for detail in found}

    assert until(by_upload)
