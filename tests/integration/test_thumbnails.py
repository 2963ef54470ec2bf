"""Thumbnails are stored when an image is indexed, and linked in every response that shows the image."""

from typing import Any

import boto3
import httpx
import pytest

from shared.domain.access import Scope
from shared.vision.decode.decoding import decode
from shared.vision.resizing import resize_square
from tests.conftest import ClosedApi, PicTrace
from tests.images import encoded, noise, pixels
from tests.integration.conftest import until


def keys(running: PicTrace, collection: str) -> list[str]:
    bucket = running.cloud.outputs["BucketName"]
    listed = boto3.client("s3").list_objects_v2(Bucket=bucket, Prefix=f"thumbnails/{collection}/")
    return [entry["Key"] for entry in listed.get("Contents", [])]


def test_every_response_that_shows_an_image_links_its_thumbnail(
    running: PicTrace, closed: ClosedApi, collection: str
) -> None:
    large, small = (encoded(resize_square(pixels("coffee.png"), side), ".png") for side in (600, 400))
    image_id, copy = (running.add(data, collection=collection) for data in (large, small))
    assert keys(running, collection) == sorted(f"thumbnails/{collection}/{one}.webp" for one in (image_id, copy))
    with closed.client(closed.key(Scope.SEARCH, collections=[collection])) as client:
        until(lambda: client.get("/v1/duplicates").json()["groups"])
        images = [
            *client.get("/v1/images").json()["images"],
            *client.get("/v1/duplicates").json()["groups"][0]["images"],
            *(match["image"] for match in client.post("/v1/search", files={"file": ("a", large)}).json()["matches"]),
            *(match["image"] for match in client.get(f"/v1/images/{copy}/similar").json()["matches"]),
            client.get(f"/v1/images/{image_id}").json(),
        ]
    assert len(images) == 2 + 2 + 2 + 1 + 1
    links = {image["image_id"]: image["thumbnail_url"] for image in images}
    for image in images:
        assert image["thumbnail_url"] == links[image["image_id"]], "a browser knows it again"
    for link in links.values():
        answer = httpx.get(link)
        assert answer.headers["content-type"] == "image/webp"
        assert max(decode(answer.content).rgb.shape) == 320


def test_a_thumbnail_link_needs_no_aws_call(closed: ClosedApi, running: PicTrace, collection: str) -> None:
    running.add(noise(7401), collection=collection)
    with closed.client(closed.key(Scope.SEARCH, collections=[collection])) as client:
        client.get("/v1/images")  # the first listing registers the collection
        closed.calls.clear()
        [image] = client.get("/v1/images").json()["images"]
        assert closed.calls == ["Query", "Query"], "one for the page, one for its annotations"
    assert "X-Amz-Expires=900" in image["thumbnail_url"]


def test_uploading_the_same_bytes_again_keeps_the_stored_thumbnail(running: PicTrace, collection: str) -> None:
    image_id = running.add(noise(7402), collection=collection)
    [key] = keys(running, collection)
    where: Any = {"Bucket": running.cloud.outputs["BucketName"], "Key": key}
    before = boto3.client("s3").head_object(**where)["LastModified"]
    assert running.wait_for_upload(running.upload(noise(7402), collection=collection))["status"] == "duplicate"
    assert boto3.client("s3").head_object(**where)["LastModified"] == before
    assert running.client.delete(f"/v1/images/{image_id}", params={"collection": collection}).status_code == 204
    assert running.client.delete(f"/v1/trash/{image_id}", params={"collection": collection}).status_code == 204
    assert keys(running, collection) == []


def test_a_thumbnail_made_during_the_removal_of_its_image_is_removed(
    running: PicTrace, collection: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    image_id = running.add(noise(7403), collection=collection)
    where = {"collection": collection}
    [key] = keys(running, collection)
    boto3.client("s3").delete_object(Bucket=running.cloud.outputs["BucketName"], Key=key)
    objects = running.cloud.app.state.services.objects
    write = objects.write

    def late(*arguments: Any) -> None:
        running.cloud.app.state.services.trash.delete(image_id, [collection])
        write(*arguments)

    monkeypatch.setattr(objects, "write", late)
    assert running.client.get(f"/v1/images/{image_id}/thumbnail", params=where).status_code == 404
    assert keys(running, collection) == []
