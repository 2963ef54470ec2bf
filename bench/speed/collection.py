"""A growing collection in the local cloud: a hundred images are uploaded, and copies of their records follow.

Copies consist only of what a search reads (record, vectors and signature), and are written without HTTP.
"""

import hashlib
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, cast

import boto3
import numpy as np
from moto.dynamodb.models import dynamodb_backends
from moto.s3.models import s3_backends

from infra.local import seed
from infra.local.cloud import REGION, LocalCloud
from shared.aws.clients import dynamodb_client
from shared.aws.dynamodb.catalogue import DynamoCatalogue
from shared.domain.features import FeatureVector, normalise
from shared.domain.images import IndexedImage, ObjectRef, signature_key
from shared.domain.ledger import ImageKey
from shared.search.description import describe
from shared.vision.embedding import Embedder

ACCOUNT: Final = "123456789012"
APART: Final = 0.1
"""Length of the random vector that is added to a copied vector, which has length 1."""

NEAREST: Final = 50
"""Number of images requested when the index is measured alone."""


class _PastHttp:
    """The calls of a DynamoDB client that adding an image makes, into the emulator's own table.

    Nobody has decided on tags of these images.
    """

    exceptions = boto3.client("dynamodb", region_name=REGION).exceptions

    def get_item(self, **_: Any) -> dict[str, Any]:
        return {}

    def put_item(self, *, TableName: str, Item: dict[str, Any], **_: Any) -> dict[str, Any]:  # noqa: N803 - boto3's names
        dynamodb_backends[ACCOUNT][REGION].tables[TableName].put_item(Item)
        return {}


class GrowingCollection:
    """A collection that grows by copies.

    Attributes:
        name: name of the collection.
        seconds: time from the upload of the first images to their records.
    """

    def __init__(self, cloud: LocalCloud, url: str, images: Sequence[bytes], model_dir: Path, name: str) -> None:
        self.name = name
        self.images = images
        self._bucket = cloud.outputs["BucketName"]
        self._s3 = boto3.client("s3")
        self._over_http = DynamoCatalogue(dynamodb_client(), cloud.outputs["TableName"])
        self._past_http = DynamoCatalogue(cast(Any, _PastHttp()), cloud.outputs["TableName"])
        self._random = np.random.default_rng(0)
        with tempfile.TemporaryDirectory() as folder:
            paths = [Path(folder) / f"{number:04}.jpg" for number in range(len(images))]
            for path, data in zip(paths, images, strict=True):
                path.write_bytes(data)
            started = time.perf_counter()
            outcomes = seed.index(url, paths, name)
            self.seconds = time.perf_counter() - started
        if {outcome.status for outcome in outcomes} != {"indexed"}:
            raise SystemExit(seed.summary(outcomes, self.seconds))
        embedder = Embedder(model_dir)
        self._stored = [self._described(data, embedder) for data in images]
        self._size = len(images)

    def grow(self, size: int) -> None:
        """Add copies until the collection has `size` images."""
        objects = s3_backends[ACCOUNT]["aws"].buckets[self._bucket].keys
        for number in range(self._size, size):
            image = self._stored[number % len(self._stored)]
            image_id = hashlib.sha256(f"{self.name} {number}".encode()).hexdigest()
            copy = IndexedImage(
                replace(image.record, image_id=image_id),
                self._near(image.features),
                None if image.local_features is None else self._near(image.local_features),
            )
            self._past_http.add(copy, ObjectRef(self._bucket, f"made/{number}"))
            model = image.record.model
            objects[signature_key(model, image_id)] = objects[signature_key(model, image.record.image_id)]
        self._size = max(self._size, size)

    def keys(self) -> list[str]:
        """Return the keys of the images in S3."""
        found = self._s3.list_objects_v2(Bucket=self._bucket, Prefix=f"uploads/{self.name}/")
        return [entry["Key"] for entry in found["Contents"]]

    def read(self, key: str) -> bytes:
        data: bytes = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        return data

    def nearest(self, number: int) -> float:
        """Return the milliseconds of a SearchVectors call for the neighbours of a stored image, over HTTP."""
        image = self._stored[number % len(self._stored)]
        started = time.perf_counter()
        self._over_http.nearest(
            image.features, collection=self.name, model=image.record.model, label=None, limit=NEAREST
        )
        return (time.perf_counter() - started) * 1000

    def _described(self, data: bytes, embedder: Embedder) -> IndexedImage:
        image_key = ImageKey(self.name, hashlib.sha256(data).hexdigest())
        return describe(
            data, image_key, embedder, created_at="2026-01-01T00:00:00.000000+00:00", filename=None
        ).indexed()

    def _near(self, vector: FeatureVector) -> FeatureVector:
        noise = self._random.standard_normal(vector.size)
        return normalise(vector + APART * noise / np.linalg.norm(noise))
