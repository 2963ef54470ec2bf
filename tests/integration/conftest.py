"""Helpers and fixtures that the integration tests share."""

import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest

from infra.local.queue_worker import FunctionContext
from infra.operate import flow
from infra.operate.incomplete_source import IncompleteSource
from tests.conftest import PATIENCE_SECONDS, PicTrace, polls


def until(condition: Callable[[], Any], seconds: float = PATIENCE_SECONDS) -> Any:
    """Poll until the condition returns a true value, and return that value."""
    for _ in polls(seconds):
        if found := condition():
            return found
    raise AssertionError("the condition was not met in time")


def invoke_ingest(event: Any) -> Any:
    """Call the ingest handler with an event and return its response."""
    from functions.ingest.handler import handler

    context: Any = FunctionContext("ingest")
    return handler(event, context)


def send(running: PicTrace, body: Any) -> None:
    """Send a message to the queue."""
    boto3.client("sqs").send_message(
        QueueUrl=running.cloud.outputs["QueueUrl"], MessageBody=body if isinstance(body, str) else json.dumps(body)
    )


def in_stack_bucket(running: PicTrace, event: dict[str, Any]) -> dict[str, Any]:
    """The event with the name of the stack's bucket."""
    text = json.dumps(event).replace('"images"', json.dumps(running.cloud.outputs["BucketName"]))
    parsed: dict[str, Any] = json.loads(text)
    return parsed


@pytest.fixture
def put(running: PicTrace) -> Iterator[Callable[..., str]]:
    """A function that puts an object without an S3 event and returns its key."""
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
    """A queue that receives the events of the bus."""

    def __init__(self, bus: str) -> None:
        self._sqs = boto3.client("sqs")
        self._url = self._sqs.create_queue(QueueName=f"listener-{uuid.uuid4().hex[:8]}")["QueueUrl"]
        arn = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        events = boto3.client("events")
        rule = self._url.rsplit("/", 1)[-1]
        events.put_rule(Name=rule, EventBusName=bus, EventPattern=json.dumps({"source": ["pictrace"]}))
        events.put_targets(Rule=rule, EventBusName=bus, Targets=[{"Id": "1", "Arn": arn}])
        self.events: list[dict[str, Any]] = []

    def receive_all(self) -> list[dict[str, Any]]:
        """Receive all new events, those of other tests too, and return all so far in the order of their arrival."""
        while messages := self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages"):
            self.events += [json.loads(message["Body"]) for message in messages]
            entries = [{"Id": one["MessageId"], "ReceiptHandle": one["ReceiptHandle"]} for one in messages]
            self._sqs.delete_message_batch(QueueUrl=self._url, Entries=entries)  # type: ignore[arg-type]
        return self.events

    def wait_for(self, detail_type: str, collection: str) -> dict[str, Any]:
        """Wait for the first event of a type about a collection, and return its detail."""

        def found() -> Any:
            return [
                event["detail"]
                for event in self.receive_all()
                if event["detail-type"] == detail_type and event["detail"]["collection"] == collection
            ]

        detail: dict[str, Any] = until(found)[0]
        return detail


@pytest.fixture(scope="session")
def listener(running: PicTrace) -> Listener:
    return Listener(running.cloud.outputs["BusName"])


@pytest.fixture
def completed_here(collection: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the operator complete only this test's images: those of others may be of models that do not exist."""
    monkeypatch.setattr(flow, "POLL_INTERVALS", (0.05, 0.2))
    whole = IncompleteSource.list_images
    monkeypatch.setattr(
        IncompleteSource,
        "list_images",
        lambda source: (one for one in whole(source) if one.image_key.collection == collection),
    )
