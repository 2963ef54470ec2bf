"""`python -m infra.operate index` on a bucket with unreadable objects: archived, encrypted, forbidden or encoded."""

import csv
import gzip
import json
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote_plus, unquote

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from moto.core.responses import ActionResult
from moto.s3.models import s3_backends
from moto.s3.responses import S3Response

from functions.ingest.bootstrap import dispatcher
from infra.local.cloud import STACK
from infra.operate import flow
from infra.operate.__main__ import main
from infra.operate.deployed_stack import DeployedStack
from tests.conftest import PicTrace
from tests.faults.worker import aws_response
from tests.images import noise
from tests.integration.conftest import invoke_ingest

IN_FLIGHT: Final = 20
"""Fewer than the objects of each kind whose archiving only the ingest function discovers."""

TIERED: Final = (
    403,
    "<Error><Code>InvalidObjectState</Code><Message>The operation is not valid for the object's access tier</Message>"
    "<StorageClass>INTELLIGENT_TIERING</StorageClass><AccessTier>ARCHIVE_ACCESS</AccessTier></Error>",
)
CUSTOMER_KEY: Final = (
    400,
    "<Error><Code>InvalidRequest</Code><Message>The object was stored using a form of Server Side Encryption. The "
    "correct parameters must be provided to retrieve the object.</Message></Error>",
)
NO_RIGHT: Final = (
    403,
    "<Error><Code>AccessDenied</Code><Message>User: arn:aws:sts::123456789012:assumed-role/ingest/ingest is not "
    "authorized to perform: kms:Decrypt on the resource associated with this ciphertext</Message></Error>",
)


class SourceBucket:
    """Another account's bucket that the stack may read.

    Attributes:
        refusals: the `GetObject` error for a key, where moto would return the object.
    """

    def __init__(self) -> None:
        self.name = f"archive-{uuid.uuid4().hex[:8]}"
        self.s3 = boto3.client("s3")
        self.s3.create_bucket(Bucket=self.name)
        self.refusals: dict[str, tuple[int, str]] = {}

    def refuse(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse | None:
        key = unquote(request.url).partition(f"/{self.name}/")[2]
        if key not in self.refusals:
            return None
        status, said = self.refusals[key]
        return aws_response(request, status, {"content-type": "application/xml"}, said)

    def put(self, folder: str, count: int, data: Callable[[int], bytes], **options: Any) -> list[str]:
        keys = [f"{folder}/{number:03}.png" for number in range(count)]
        with ThreadPoolExecutor(8) as pool:
            list(
                pool.map(
                    lambda number: self.s3.put_object(Bucket=self.name, Key=keys[number], Body=data(number), **options),
                    range(count),
                )
            )
        return keys

    def restore(self, keys: list[str]) -> None:
        for key in keys:
            self.s3.restore_object(Bucket=self.name, Key=key, RestoreRequest={"Days": 1})

    def expire(self, keys: list[str]) -> None:
        """Let the restored copies of archived objects expire."""
        for key in keys:
            s3_backends["123456789012"]["aws"].get_bucket(self.name).keys[key].set_expiry(None)


@pytest.fixture
def bucket(running: PicTrace, monkeypatch: pytest.MonkeyPatch) -> Iterator[SourceBucket]:
    made = SourceBucket()
    monkeypatch.setattr(dispatcher(), "_source_buckets", frozenset({made.name}))
    stack = DeployedStack(STACK, dict(running.cloud.outputs) | {"SourceBuckets": made.name})
    monkeypatch.setattr(DeployedStack, "find", lambda _: stack)
    monkeypatch.setattr(flow, "POLL_INTERVALS", (0.05, 0.2))
    monkeypatch.setattr(flow, "BATCH_GET_SIZE", IN_FLIGHT // 2)
    monkeypatch.setattr(flow, "MAX_IN_FLIGHT", IN_FLIGHT)
    monkeypatch.setattr(S3Response, "serialized", _with_restore_status(S3Response.serialized))
    indexer: Any = dispatcher()._indexer
    events = indexer._objects._client.meta.events
    events.register_first("before-send.s3.GetObject", made.refuse)
    yield made
    events.unregister("before-send.s3.GetObject", made.refuse)


def _with_restore_status(serialized: Any) -> Any:
    """Add the `RestoreStatus` to moto's listing, which S3 returns on request and moto omits."""

    def complete(self: Any, result: Any) -> Any:
        if self.data.get("Action") == "ListObjectsV2" and isinstance(result, ActionResult):
            assert self.headers["x-amz-optional-object-attributes"] == "RestoreStatus"
            keys = self.backend.get_bucket(self.bucket_name).keys
            for entry in result.result["Contents"]:
                key = keys[unquote(entry["Key"])]
                if key._expiry is not None:
                    entry["RestoreStatus"] = {"IsRestoreInProgress": False, "RestoreExpiryDate": key._expiry}
        return serialized(self, result)

    return complete


def index(*options: str) -> int:
    return main(["--stack", STACK, "index", *options])


def codes(report: Path) -> Counter[str]:
    with report.open(encoding="utf-8", newline="") as file:
        return Counter(row["code"] for row in csv.DictReader(file))


def dead(running: PicTrace, bucket: SourceBucket) -> list[str]:
    """The keys of the bucket that are in the dead-letter queue or still in the queue."""
    sqs, found = boto3.client("sqs"), []
    for queue in ("QueueUrl", "DeadLetterQueueUrl"):
        messages = sqs.receive_message(
            QueueUrl=running.cloud.outputs[queue], MaxNumberOfMessages=10, VisibilityTimeout=0
        ).get("Messages", [])
        found += [message["Body"] for message in messages if bucket.name in message["Body"]]
    return found


def test_readable_objects_are_indexed_now_and_the_others_once_readable(
    running: PicTrace, bucket: SourceBucket, collection: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """55 of the 110 objects cannot be read. Most of the readable ones are copies, which are indexed quickly."""

    def photo(number: int) -> bytes:
        return noise(82_000 + number % 15)

    bucket.put("a", 40, photo)
    glacier = bucket.put("b", 20, photo, StorageClass="GLACIER")
    deep = bucket.put("c", 10, photo, StorageClass="DEEP_ARCHIVE")
    tiered = bucket.put("d", 10, photo, StorageClass="INTELLIGENT_TIERING")
    bucket.put("e", 15, photo, StorageClass="INTELLIGENT_TIERING")
    keyed, denied = bucket.put("f", 5, photo), bucket.put("g", 5, photo)
    bucket.put("h", 5, lambda number: gzip.compress(photo(number)), ContentEncoding="gzip")
    bucket.refusals = (
        dict.fromkeys(tiered, TIERED) | dict.fromkeys(keyed, CUSTOMER_KEY) | dict.fromkeys(denied, NO_RIGHT)
    )
    source, report = f"s3://{bucket.name}", tmp_path / "report.csv"
    options = (source, "--collection", collection, "--yes", "--report", str(report))

    assert index(*options) == 0
    first = capsys.readouterr().out
    assert f"{source}/: 110 objects, " in first
    assert "  30 archived (20 GLACIER, 10 DEEP_ARCHIVE): left out until they are restored\n" in first
    assert "  25 INTELLIGENT_TIERING: a listing does not show which of them are archived\n" in first
    assert "15 indexed, 40 duplicate, 55 rejected" in first
    for key in ("b/000.png", "f/000.png", "g/000.png", "h/000.png"):
        assert f"\n  {key}: " in first, "some of each code are named"
    assert "c/000.png" not in first
    assert codes(report) == {"archived": 40, "customer_key": 5, "access_denied": 5, "content_encoding": 5}
    assert dead(running, bucket) == []

    bucket.restore(glacier)
    for key in (*tiered, *denied):
        del bucket.refusals[key]
    assert index(*options) == 0
    second = capsys.readouterr().out
    assert "  10 archived (10 DEEP_ARCHIVE): left out until they are restored\n" in second
    assert "35 duplicate, 55 skipped, 20 rejected" in second
    assert codes(report) == {"archived": 10, "customer_key": 5, "content_encoding": 5}
    assert dead(running, bucket) == []

    bucket.expire(glacier)
    assert index(*options) == 0
    third = capsys.readouterr().out
    assert "  30 archived (20 GLACIER, 10 DEEP_ARCHIVE)" in third
    assert "90 skipped, 20 rejected" in third, "what is indexed stays so when its restored copy goes"
    assert len(deep) == codes(report)["archived"]
    with capsys.disabled():
        print(f"\n{first}\n{second}\n{third}")


@pytest.mark.parametrize(
    ("refusal", "code", "sentence"),
    [
        (TIERED, "archived", "The object is archived (ARCHIVE_ACCESS). Restore it, then index it again."),
        (CUSTOMER_KEY, "customer_key", "encrypted with a key that S3 does not keep (SSE-C)"),
        (NO_RIGHT, "access_denied", "S3 denies access to the object, or to the KMS key that encrypts it."),
        (
            (400, "<Error><Code>KMS.DisabledException</Code><Message>arn:aws:kms:x is disabled.</Message></Error>"),
            "access_denied",
            "The KMS key that encrypts the object cannot be used (DisabledException).",
        ),
    ],
)
def test_an_image_stays_when_its_object_becomes_unreadable(
    running: PicTrace,
    bucket: SourceBucket,
    collection: str,
    capsys: pytest.CaptureFixture[str],
    refusal: tuple[int, str],
    code: str,
    sentence: str,
) -> None:
    """Even if another collection is requested: nothing indicates that the bytes have changed."""
    [key] = bucket.put("a", 1, lambda _: noise(82_100))
    assert index(f"s3://{bucket.name}", "--collection", collection, "--yes") == 0
    bucket.refusals[key] = refusal
    assert index(f"s3://{bucket.name}", "--collection", collection, "--yes") == 0
    assert "1 skipped" in capsys.readouterr().out
    assert index(f"s3://{bucket.name}", "--collection", f"{collection}-b", "--yes") == 0
    said = capsys.readouterr().out
    assert "1 rejected" in said
    assert f"{key}: {code}: " in said
    assert sentence in said
    assert running.search(noise(82_100), collection=collection, k=1)["matches"][0]["verdict"] == "identical"
    del bucket.refusals[key]
    assert index(f"s3://{bucket.name}", "--collection", f"{collection}-b", "--yes") == 0
    assert "1 indexed" in capsys.readouterr().out
    assert running.search(noise(82_100), collection=f"{collection}-b", k=1)["matches"]


def notified(bucket: SourceBucket, key: str, sequencer: str) -> list[Any]:
    """Pass the S3 event of an object to the handler, and return the failures."""
    entry = {"key": key, "size": 1, "sequencer": sequencer}
    record = {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": bucket.name}, "object": entry}}
    body = json.dumps({"Records": [record]})
    message = {"messageId": "m", "eventSource": "aws:sqs", "attributes": {}, "body": body}
    failures: list[Any] = invoke_ingest({"Records": [message]})["batchItemFailures"]
    return failures


def test_a_repeated_event_keeps_the_image_and_a_newer_one_removes_it(running: PicTrace, bucket: SourceBucket) -> None:
    def found() -> bool:
        matches = running.search(noise(82_200), k=1)["matches"]
        return bool(matches) and matches[0]["verdict"] == "identical"

    [key] = bucket.put("a", 1, lambda _: noise(82_200))
    assert notified(bucket, key, "01") == []
    assert found()
    bucket.refusals[key] = TIERED
    assert notified(bucket, key, "01") == []
    assert found()
    assert notified(bucket, key, "02") == []
    assert found(), "the object was copied onto itself, which is how many archive: its ETag is the same"
    bucket.put("a", 1, lambda _: noise(82_201))
    assert notified(bucket, key, "03") == [], "it was overwritten by what cannot be read"
    assert not found()
    bucket.put("a", 1, lambda _: noise(82_200))
    del bucket.refusals[key]
    assert notified(bucket, key, "04") == []
    assert found()


def test_overwriting_an_object_with_an_archived_one_removes_its_old_image(
    running: PicTrace, bucket: SourceBucket, collection: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Even in a bucket that sends no events: the listing shows the storage class and another ETag."""
    command = (f"s3://{bucket.name}", "--collection", collection, "--yes")
    bucket.put("a", 1, lambda _: noise(82_500))
    assert index(*command) == 0
    bucket.put("a", 1, lambda _: noise(82_501), StorageClass="DEEP_ARCHIVE")
    capsys.readouterr()
    for _ in range(2):
        assert index(*command) == 0
        assert "1 rejected\n  1 archived" in capsys.readouterr().out
        assert running.search(noise(82_500), collection=collection, k=1)["matches"] == []


def test_a_missing_permission_on_the_stacks_own_bucket_fails_the_message(
    running: PicTrace, bucket: SourceBucket, collection: str
) -> None:
    """The deployment is at fault, not the upload: the message is retried, then dead-lettered, which raises an alarm."""
    bucket.name = running.cloud.outputs["BucketName"]
    key = f"uploads/{collection}/denied"
    bucket.refusals[key] = NO_RIGHT
    assert notified(bucket, key, "01") == [{"itemIdentifier": "m"}]
    bucket.refusals[key] = TIERED
    assert notified(bucket, key, "01") == []


def test_an_unreadable_upload_is_not_marked_for_removal(
    running: PicTrace, put: Callable[..., str], bucket: SourceBucket
) -> None:
    """The lifecycle rule removes rejected uploads, but this one may be a valid image."""
    bucket.name = running.cloud.outputs["BucketName"]
    for refusal, tags in ((TIERED, 0), (None, 1)):
        key = put(b"no image" if refusal is None else noise(82_300))
        if refusal:
            bucket.refusals[key] = refusal
        assert notified(bucket, quote_plus(key), "01") == []
        assert len(bucket.s3.get_object_tagging(Bucket=bucket.name, Key=key)["TagSet"]) == tags


def test_a_leftover_aws_chunked_encoding_is_ignored(running: PicTrace, bucket: SourceBucket, collection: str) -> None:
    bucket.put("a", 1, lambda _: noise(82_400), ContentEncoding="aws-chunked")
    assert index(f"s3://{bucket.name}", "--collection", collection, "--yes") == 0
    assert running.search(noise(82_400), collection=collection, k=1)["matches"]
