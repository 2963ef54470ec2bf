"""Nothing that an object holds now is shown or stored under the id of the image that it held before."""

import uuid
from typing import Any

import boto3
import httpx
import numpy as np
import pytest

from shared.domain.images import thumbnail_key
from shared.vision.decode.decoding import decode
from tests.conftest import PicTrace
from tests.images import encoded, noise


@pytest.fixture
def original() -> bytes:
    """An image that no other collection has, because an image is found in any."""
    return noise(uuid.uuid4().int % 2**32)


@pytest.fixture
def replaced(running: PicTrace, collection: str, original: bytes) -> str:
    """The id of an image whose object a replayed form has overwritten, before the object's event is handled."""
    wanted = {"filename": "a.png", "content_type": "image/png", "collection": collection}
    form = running.client.post("/v1/uploads", json=wanted).json()
    httpx.post(form["url"], data=form["fields"], files={"file": ("a.png", original)})
    image_id = str(running.wait_for_upload(form["upload_id"])["image_id"])
    s3, bucket = boto3.client("s3"), running.cloud.outputs["BucketName"]
    s3.delete_object(Bucket=bucket, Key=thumbnail_key(collection, image_id))
    settings: Any = s3.get_bucket_notification_configuration(Bucket=bucket)
    settings.pop("ResponseMetadata")
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
    black = encoded(np.zeros((64, 64, 3), np.uint8), ".png")
    replay = httpx.post(form["url"], data=form["fields"], files={"file": ("a.png", black)})
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=settings)
    assert replay.status_code == 204
    return image_id


@pytest.mark.parametrize("what", ["content", "thumbnail"])
def test_a_replayed_form_shows_nothing_under_the_earlier_images_id(
    running: PicTrace, collection: str, replaced: str, what: str
) -> None:
    answer = running.client.get(f"/v1/images/{replaced}/{what}", params={"collection": collection})
    assert answer.status_code == 404, answer.headers.get("location")
    stored = boto3.client("s3").list_objects_v2(
        Bucket=running.cloud.outputs["BucketName"], Prefix=thumbnail_key(collection, replaced)
    )
    assert stored["KeyCount"] == 0


def test_a_replayed_form_is_not_drawn_as_the_earlier_image(running: PicTrace, collection: str, replaced: str) -> None:
    pair = {"a": replaced, "b": replaced}
    answer = running.client.post("/v1/compare?picture=matches", json=pair)
    assert answer.status_code == 404


def test_another_object_with_the_same_bytes_is_shown_instead(
    running: PicTrace, collection: str, replaced: str, original: bytes
) -> None:
    again = running.wait_for_upload(running.upload(original, collection=collection))
    assert again["image_id"] == replaced
    where: Any = {"params": {"collection": collection}, "follow_redirects": True}
    assert running.client.get(f"/v1/images/{replaced}/content", **where).content == original
    shown = decode(running.client.get(f"/v1/images/{replaced}/thumbnail", **where).content)
    assert shown.rgb.std() > 10
