"""An image with many sources is deleted by one call, and purged by one call."""

from collections.abc import Callable

import boto3

from functions.ingest.bootstrap import dispatcher
from shared.domain.events import Created
from shared.domain.images import ObjectRef, upload_key
from shared.domain.outcomes import OutcomeStatus
from tests.conftest import PicTrace
from tests.images import noise

SOURCES = 60


def test_one_call_each_deletes_and_purges_an_image_with_sixty_sources(
    running: PicTrace, collection: str, put: Callable[..., str]
) -> None:
    bucket = running.cloud.outputs["BucketName"]
    for number in range(SOURCES):
        key = put(noise(8301), upload_key(collection, f"{number:032x}"))
        outcome = dispatcher().dispatch(Created(ObjectRef(bucket, key)), key)
    assert outcome.status is OutcomeStatus.DUPLICATE
    assert outcome.image_key
    path, where = f"/v1/images/{outcome.image_key.image_id}", {"collection": collection}
    assert len(running.client.get(path, params=where).json()["sources"]) == SOURCES
    assert running.client.delete(path, params=where).status_code == 204
    assert running.client.get(path, params=where).status_code == 404
    assert running.client.delete(f"/v1/trash/{outcome.image_key.image_id}", params=where).status_code == 204
    left = boto3.client("s3").list_objects_v2(Bucket=bucket, Prefix=f"uploads/{collection}/")
    assert left["KeyCount"] == 0
