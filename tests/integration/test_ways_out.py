"""Every outcome is an event on the bus, of a documented shape."""

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
from tests.integration.conftest import Listener, invoked, of_bucket, send, until
from tests.unit.test_messages import notification


def checked(detail: dict[str, Any], detail_type: str) -> dict[str, Any]:
    """The detail, once it was found to be what its schema says."""
    model: type[BaseModel] = next(event for event in EVENTS if event.detail_type == detail_type)
    model.model_validate(detail, strict=False)
    return detail


def test_a_new_image_and_the_same_again(running: PicTrace, listener: Listener, collection: str) -> None:
    image_id = running.add(noise(500), collection=collection)
    indexed = checked(listener.wait_for("Image Indexed", collection), "Image Indexed")
    assert indexed["image_id"] == image_id
    assert indexed["bucket"] == running.cloud.outputs["BucketName"]
    assert indexed["key"] == f"uploads/{collection}/{indexed['upload_id']}"
    assert indexed["version"] == "1"
    again = running.open(noise(500), collection=collection)
    found = checked(listener.wait_for("Duplicate Found", collection), "Duplicate Found")
    assert (found["image_id"], found["duplicate_of"], found["verdict"]) == (image_id, image_id, "identical")
    assert (found["upload_id"], found["score"], found["scores"]) == (again, 1.0, None)


def test_a_near_duplicate_names_the_earlier_image(running: PicTrace, listener: Listener, collection: str) -> None:
    original = running.add(encoded(pixels("coffee.png"), ".png"), collection=collection)
    running.add(noise(501), collection=collection)
    copy = running.add(encoded(pixels("coffee.png"), ".jpg", 1, 60), collection=collection, media_type="image/jpeg")
    found = checked(listener.wait_for("Duplicate Found", collection), "Duplicate Found")
    assert (found["image_id"], found["duplicate_of"], found["verdict"]) == (copy, original, "near-duplicate")
    assert found["scores"]["orb_inliers"] > 50
    assert 0.9 < found["scores"]["ssim"] <= 1
    kinds = [event["detail-type"] for event in listener.listen() if event["detail"]["collection"] == collection]
    assert kinds.count("Duplicate Found") == 1, "noise is no duplicate of anything"


def test_a_file_that_is_no_image(running: PicTrace, listener: Listener, collection: str) -> None:
    upload_id = running.open(b"no image at all", collection=collection)
    rejected = checked(listener.wait_for("Image Rejected", collection), "Image Rejected")
    assert (rejected["upload_id"], rejected["code"]) == (upload_id, "unsupported_type")
    assert rejected["reason"].endswith(".")


def test_an_image_that_is_removed(running: PicTrace, listener: Listener, collection: str) -> None:
    """By its object's removal; the last object takes the image along."""
    image_id = running.add(noise(502), collection=collection)
    [source] = running.client.get(f"/v1/images/{image_id}", params={"collection": collection}).json()["sources"]
    boto3.client("s3").delete_object(Bucket=source["bucket"], Key=source["key"])
    removed = checked(listener.wait_for("Image Removed", collection), "Image Removed")
    assert removed["image_id"] == image_id
    assert running.client.get(f"/v1/images/{image_id}", params={"collection": collection}).status_code == 404


def test_the_api_s_own_removal_is_told_too(running: PicTrace, listener: Listener, collection: str) -> None:
    image_id = running.add(noise(503), collection=collection)
    answer = running.client.delete(f"/v1/images/{image_id}", params={"collection": collection})
    assert answer.status_code == 204
    assert checked(listener.wait_for("Image Removed", collection), "Image Removed")["image_id"] == image_id


def test_the_senders_words_come_along(running: PicTrace, put: Callable[..., str], listener: Listener) -> None:
    collection = f"t-{uuid.uuid4().hex[:12]}"
    key = put(noise(504))
    body = {"bucket": running.cloud.outputs["BucketName"], "key": key, "collection": collection, "metadata": {"a": "é"}}
    send(running, body)
    assert listener.wait_for("Image Indexed", collection)["metadata"] == {"a": "é"}


def test_a_bus_that_refuses_loses_no_image(
    running: PicTrace, put: Callable[..., str], listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The image is found while the bus is down; the message comes again, so the event is told in the end."""
    from functions.ingest.bootstrap import dispatcher

    key = put(noise(505), f"uploads/{(collection := f't-{uuid.uuid4().hex[:12]}')}/a.png")
    event = of_bucket(running, {"Records": [notification(key)]})
    message = {"messageId": "1", "body": json.dumps(event), "eventSource": "aws:sqs", "attributes": {}}
    bus: Any = dispatcher()._publish.__self__  # type: ignore[attr-defined]
    with monkeypatch.context() as broken:
        broken.setattr(bus, "_name", "no-such-bus")
        assert invoked({"Records": [message]})["batchItemFailures"] == [{"itemIdentifier": "1"}]
    [match] = running.search(noise(505), collection=collection, k=1)["matches"]
    assert match["verdict"] == "identical"
    assert invoked({"Records": [message]}) == {"batchItemFailures": []}
    assert listener.wait_for("Image Indexed", collection)["image_id"] == match["image_id"]


def test_the_published_schemas_are_the_code_s(tmp_path: Path) -> None:
    schemas.main(tmp_path)
    written, published = (
        {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}
        for folder in (tmp_path, schemas.FOLDER)
    )
    assert published == written, "run `make schemas`"


def test_repeating_an_event_tells_the_same_again(
    running: PicTrace, put: Callable[..., str], listener: Listener
) -> None:
    collection = f"t-{uuid.uuid4().hex[:12]}"
    key = put(noise(506), f"uploads/{collection}/a.png")
    for _ in range(2):
        send(running, of_bucket(running, {"Records": [notification(key)]}))

    def told() -> Any:
        about = [event for event in listener.listen() if event["detail"]["collection"] == collection]
        return about if len(about) == 2 else None

    assert {event["detail-type"] for event in until(told)} == {"Image Indexed"}
