"""Events of every source, in the formats that AWS documents, pass through the running queue into the index."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import boto3
import pytest

from shared.aws.dead_letters import ORIGINAL_ID, REASON
from shared.domain.errors import PictureRefused
from tests.conftest import PicTrace
from tests.images import noise
from tests.integration.conftest import in_stack_bucket, invoke_ingest, send, until
from tests.unit.test_messages import eventbridge_event, notification, sns_envelope, submission

KEYS = ["plain.jpg", "a b.jpg", "a+b.jpg", "a%2Bb.jpg", "é/日本.jpg", "😀.jpg", "<img src=x>.jpg", "a\u202egpj.exe"]
EVAL_DATA = os.environ.get("PICTRACE_EVAL_DATA")


def queue_arn(running: PicTrace) -> str:
    return str(
        boto3.client("sqs").get_queue_attributes(
            QueueUrl=running.cloud.outputs["QueueUrl"], AttributeNames=["QueueArn"]
        )["Attributes"]["QueueArn"]
    )


class TestEnvelopes:
    """Each test uses an image with its own seed."""

    def wait_until_found(self, running: PicTrace, data: bytes, collection: str = "elsewhere") -> dict[str, Any]:
        def found() -> Any:
            matches = running.search(data, collection=collection, k=1)["matches"]
            return matches if matches and matches[0]["verdict"] == "identical" else None

        match: dict[str, Any] = until(found)[0]
        return match

    def test_an_s3_notification_indexes_its_object(self, running: PicTrace, put: Callable[..., str]) -> None:
        key = put(noise(300))
        send(running, in_stack_bucket(running, {"Records": [notification(key)]}))
        self.wait_until_found(running, noise(300))

    def test_an_s3_event_over_eventbridge_indexes_its_object(self, running: PicTrace, put: Callable[..., str]) -> None:
        """As the rule for `source_buckets` sends it: the event itself is the message."""
        key = put(noise(301))
        send(running, in_stack_bucket(running, eventbridge_event(key)))
        self.wait_until_found(running, noise(301))

    def test_a_submission_over_the_projects_bus_indexes_its_object(
        self, running: PicTrace, put: Callable[..., str]
    ) -> None:
        """Through the stack's own rule."""
        key = put(noise(302))
        detail = {
            "bucket": running.cloud.outputs["BucketName"],
            "key": key,
            "collection": "bus",
            "metadata": {"a": "b"},
        }
        answer = boto3.client("events").put_events(
            Entries=[
                {
                    "EventBusName": running.cloud.outputs["BusName"],
                    "Source": "shop",
                    "DetailType": "Image Submitted",
                    "Detail": json.dumps(detail),
                }
            ]
        )
        assert answer["FailedEntryCount"] == 0
        self.wait_until_found(running, noise(302), "bus")

    @pytest.mark.parametrize(("raw", "seed"), [("true", 303), ("false", 304)])
    def test_an_sns_message_indexes_its_object(
        self, running: PicTrace, put: Callable[..., str], raw: str, seed: int
    ) -> None:
        """A topic that is subscribed to the queue, with wrapped and with raw delivery."""
        sns = boto3.client("sns")
        topic = sns.create_topic(Name=f"images-{raw}")["TopicArn"]
        sns.subscribe(
            TopicArn=topic,
            Protocol="sqs",
            Endpoint=queue_arn(running),
            Attributes={"RawMessageDelivery": raw},
        )
        key = put(noise(seed))
        sns.publish(TopicArn=topic, Message=json.dumps(in_stack_bucket(running, {"Records": [notification(key)]})))
        self.wait_until_found(running, noise(seed))
        sns.delete_topic(TopicArn=topic)

    def test_an_eventbridge_event_inside_an_sns_message_indexes_its_object(
        self, running: PicTrace, put: Callable[..., str]
    ) -> None:
        key = put(noise(305))
        send(running, sns_envelope(json.dumps(in_stack_bucket(running, eventbridge_event(key)))))
        self.wait_until_found(running, noise(305))

    def test_a_message_sent_to_the_queue_indexes_its_object(self, running: PicTrace, put: Callable[..., str]) -> None:
        key = put(noise(306))
        send(running, {"bucket": running.cloud.outputs["BucketName"], "key": key, "collection": "direct"})
        self.wait_until_found(running, noise(306), "direct")

    def test_a_direct_invocation_returns_the_record(self, running: PicTrace, put: Callable[..., str]) -> None:
        """Code that invokes the function and a Step Functions task both receive the handler's return value."""
        key = put(noise(307))
        event = {"bucket": running.cloud.outputs["BucketName"], "key": key, "collection": "task"}
        record = invoke_ingest(event)
        assert record["collection"] == "task"
        assert record["image_id"] == self.wait_until_found(running, noise(307), "task")["image_id"]
        assert json.loads(json.dumps(record))["sources"], "a task's result is JSON"
        assert invoke_ingest(event)["image_id"] == record["image_id"], "invoking it again changes nothing"

    def test_a_direct_invocation_accepts_an_s3_event(self, running: PicTrace, put: Callable[..., str]) -> None:
        key = put(noise(308))
        assert (
            invoke_ingest(in_stack_bucket(running, eventbridge_event(key)))["image_id"]
            == self.wait_until_found(running, noise(308))["image_id"]
        )

    def test_a_direct_invocation_raises_the_reason_for_a_refusal(
        self, running: PicTrace, put: Callable[..., str]
    ) -> None:
        key = put(b"no image")
        with pytest.raises(PictureRefused, match="not an image in a supported format"):
            invoke_ingest({"bucket": running.cloud.outputs["BucketName"], "key": key})

    def test_a_removal_event_removes_the_image(self, running: PicTrace, put: Callable[..., str]) -> None:
        key = put(noise(309))
        send(running, in_stack_bucket(running, {"Records": [notification(key)]}))
        self.wait_until_found(running, noise(309))
        boto3.client("s3").delete_object(Bucket=running.cloud.outputs["BucketName"], Key=key)
        removal = notification(key, "ObjectRemoved:Delete", sequencer="0055AED6DCD90281E9")
        send(running, in_stack_bucket(running, {"Records": [removal]}))
        until(lambda: _absent(running, noise(309)))


def _absent(running: PicTrace, data: bytes) -> bool:
    matches = running.search(data, collection="elsewhere", k=1)["matches"]
    return not matches or matches[0]["verdict"] != "identical"


def keys_to_try() -> list[str]:
    if not EVAL_DATA:
        return KEYS
    cases = json.loads((Path(EVAL_DATA) / "corpus" / "cases" / "object_keys.json").read_text(encoding="utf-8"))
    return KEYS + [case["key"] for case in cases[::2] if "\n" not in case["key"]]  # moto routes no line breaks


def test_objects_are_found_under_keys_of_every_kind(running: PicTrace, put: Callable[..., str]) -> None:
    """Keys are encoded in notifications and plain in EventBridge events; each object is read and found by its bytes."""
    bucket = running.cloud.outputs["BucketName"]
    wrong = []
    for seed, name in enumerate(keys_to_try()):
        prefix = "uploads/keys/"
        key = (prefix + name).encode()[:1024].decode(errors="ignore")
        put(noise(4000 + seed), key)
        event = in_stack_bucket(running, eventbridge_event(key) if seed % 2 else {"Records": [notification(key)]})
        record = invoke_ingest(event)
        if not seed % 2:
            record = invoke_ingest({"bucket": bucket, "key": key})
        shown = running.client.get(f"/v1/images/{record['image_id']}", params={"collection": "keys"}).json()
        if [source["key"] for source in shown["sources"]] != [key]:
            wrong.append((key, shown))
    assert not wrong


def test_our_notifications_encode_keys_as_s3_does() -> None:
    if not EVAL_DATA:
        pytest.skip("PICTRACE_EVAL_DATA is not set")
    cases = json.loads((Path(EVAL_DATA) / "corpus" / "cases" / "object_keys.json").read_text(encoding="utf-8"))
    for case in cases:
        assert quote_plus(case["key"], safe="/*") == case["s3_notification_key"], (
            "our notifications must encode keys as those of S3 do"
        )


def test_objects_outside_the_allowed_buckets_and_prefixes_are_refused(running: PicTrace) -> None:
    for key in ("a.png", "signatures/x"):
        with pytest.raises(PictureRefused, match="source_buckets"):
            invoke_ingest({"bucket": running.cloud.outputs["BucketName"], "key": key})
    with pytest.raises(PictureRefused, match="source_buckets"):
        invoke_ingest({"bucket": "somebody-elses", "key": "uploads/default/a"})


@pytest.mark.usefixtures("no_retry_delay")
def test_poison_messages_reach_the_dead_letter_queue_with_their_reason(running: PicTrace) -> None:
    sqs, dead = boto3.client("sqs"), running.cloud.outputs["DeadLetterQueueUrl"]
    bodies = {"no json", '{"Records": [{}]}', json.dumps(submission({"bucket": "images"}))}
    for body in bodies:
        send(running, body)
    send(running, {"Event": "s3:TestEvent"})
    seen: dict[str, str] = {}

    def received() -> bool:
        answer = sqs.receive_message(
            QueueUrl=dead, MaxNumberOfMessages=10, MessageAttributeNames=["All"], WaitTimeSeconds=1
        )
        for message in answer.get("Messages", []):
            attributes: Any = message["MessageAttributes"]
            assert attributes[ORIGINAL_ID]["StringValue"]
            seen[message["Body"]] = attributes[REASON]["StringValue"]
            sqs.delete_message(QueueUrl=dead, ReceiptHandle=message["ReceiptHandle"])
        return len(seen) >= len(bodies)

    until(received, 60)
    assert set(seen) == bodies
    assert seen["no json"] == "UnknownMessage: the body is not JSON (attempt 5 of 5)"
    assert "give either bucket and key, or url" in seen[json.dumps(submission({"bucket": "images"}))]
