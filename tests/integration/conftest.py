"""What the tests of the ways in and out share."""

import json
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest

from infra.local.queue_worker import FunctionContext
from tests.conftest import PATIENCE_SECONDS, PicTrace


def until(condition: Callable[[], Any], seconds: float = PATIENCE_SECONDS) -> Any:
    """What the condition gives once it gives something."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)
    return found


def invoked(event: Any) -> Any:
    """What the ingest handler answers."""
    from functions.ingest.handler import handler

    context: Any = FunctionContext("ingest")
    return handler(event, context)


def send(running: PicTrace, body: Any) -> None:
    """Put a message into the queue."""
    boto3.client("sqs").send_message(
        QueueUrl=running.cloud.outputs["QueueUrl"], MessageBody=body if isinstance(body, str) else json.dumps(body)
    )


def of_bucket(running: PicTrace, event: dict[str, Any]) -> dict[str, Any]:
    """The event as our bucket sends it."""
    text = json.dumps(event).replace('"images"', json.dumps(running.cloud.outputs["BucketName"]))
    parsed: dict[str, Any] = json.loads(text)
    return parsed


@pytest.fixture
def put(running: PicTrace) -> Iterator[Callable[..., str]]:
    """Puts an object where no event of S3 tells of it; gives its key."""
    bucket, s3, keys = running.cloud.outputs["BucketName"], boto3.client("s3"), []
    settings: Any = s3.get_bucket_notification_configuration(Bucket=bucket)
    settings.pop("ResponseMetadata")
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})

    def place(data: bytes, key: str = "") -> str:
        keys.append(key or f"uploads/elsewhere/{uuid.uuid4().hex} é+.png")
        s3.put_object(Bucket=bucket, Key=keys[-1], Body=data)
        return keys[-1]

    yield place
    for key in keys:
        s3.delete_object(Bucket=bucket, Key=key)
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=settings)


class Listener:
    """A queue that the bus sends its events to."""

    def __init__(self, bus: str) -> None:
        self._sqs = boto3.client("sqs")
        self._url = self._sqs.create_queue(QueueName=f"listener-{uuid.uuid4().hex[:8]}")["QueueUrl"]
        arn = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        events = boto3.client("events")
        rule = self._url.rsplit("/", 1)[-1]
        events.put_rule(Name=rule, EventBusName=bus, EventPattern=json.dumps({"source": ["pictrace"]}))
        events.put_targets(Rule=rule, EventBusName=bus, Targets=[{"Id": "1", "Arn": arn}])
        self.heard: list[dict[str, Any]] = []

    def listen(self) -> list[dict[str, Any]]:
        """Every event so far, in the order in which they came."""
        answer = self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10)
        for message in answer.get("Messages", []):
            self.heard.append(json.loads(message["Body"]))
            self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
        return self.heard

    def wait_for(self, detail_type: str, collection: str) -> dict[str, Any]:
        """The detail of the first event of a kind about a collection."""

        def found() -> Any:
            return [
                event["detail"]
                for event in self.listen()
                if event["detail-type"] == detail_type and event["detail"]["collection"] == collection
            ]

        detail: dict[str, Any] = until(found)[0]
        return detail


@pytest.fixture(scope="session")
def listener(running: PicTrace) -> Listener:
    return Listener(running.cloud.outputs["BusName"])
