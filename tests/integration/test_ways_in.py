"""Every way in, with the shapes that AWS documents, through the running queue into the index."""

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
from tests.integration.conftest import invoked, of_bucket, send, until
from tests.unit.test_messages import bridged, notification, submitted, wrapped

KEYS = ["plain.jpg", "a b.jpg", "a+b.jpg", "a%2Bb.jpg", "é/日本.jpg", "😀.jpg", "<img src=x>.jpg", "a\u202egpj.exe"]
EVAL_DATA = os.environ.get("PICTRACE_EVAL_DATA")


def queue_arn(running: PicTrace) -> str:
    return str(
        boto3.client("sqs").get_queue_attributes(
            QueueUrl=running.cloud.outputs["QueueUrl"], AttributeNames=["QueueArn"]
        )["Attributes"]["QueueArn"]
    )


class TestEnvelopes:
    """Each brings an image of its own seed."""

    def arrived(self, running: PicTrace, data: bytes, collection: str = "elsewhere") -> dict[str, Any]:
        def found() -> Any:
            matches = running.search(data, collection=collection, k=1)["matches"]
            return matches if matches and matches[0]["verdict"] == "identical" else None

        match: dict[str, Any] = until(found)[0]
        return match

    def test_s3_notification(self, running: PicTrace, put: Callable[..., str]) -> None:
        key = put(noise(300))
        send(running, of_bucket(running, {"Records": [notification(key)]}))
        self.arrived(running, noise(300))

    def test_s3_event_over_eventbridge(self, running: PicTrace, put: Callable[..., str]) -> None:
        """As the rule of `source_buckets` sends it: the event itself is the message."""
        key = put(noise(301))
        send(running, of_bucket(running, bridged(key)))
        self.arrived(running, noise(301))

    def test_submission_over_the_projects_bus(self, running: PicTrace, put: Callable[..., str]) -> None:
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
        self.arrived(running, noise(302), "bus")

    @pytest.mark.parametrize(("raw", "seed"), [("true", 303), ("false", 304)])
    def test_topic(self, running: PicTrace, put: Callable[..., str], raw: str, seed: int) -> None:
        """A topic that anybody attaches to the queue, wrapped and raw."""
        sns = boto3.client("sns")
        topic = sns.create_topic(Name=f"images-{raw}")["TopicArn"]
        sns.subscribe(
            TopicArn=topic,
            Protocol="sqs",
            Endpoint=queue_arn(running),
            Attributes={"RawMessageDelivery": raw},
        )
        key = put(noise(seed))
        sns.publish(TopicArn=topic, Message=json.dumps(of_bucket(running, {"Records": [notification(key)]})))
        self.arrived(running, noise(seed))
        sns.delete_topic(TopicArn=topic)

    def test_topic_over_the_bus_form(self, running: PicTrace, put: Callable[..., str]) -> None:
        key = put(noise(305))
        send(running, wrapped(json.dumps(of_bucket(running, bridged(key)))))
        self.arrived(running, noise(305))

    def test_message_sent_to_the_queue(self, running: PicTrace, put: Callable[..., str]) -> None:
        key = put(noise(306))
        send(running, {"bucket": running.cloud.outputs["BucketName"], "key": key, "collection": "direct"})
        self.arrived(running, noise(306), "direct")

    def test_direct_call_gives_the_record(self, running: PicTrace, put: Callable[..., str]) -> None:
        """By code or by a Step Functions task, which both get what the handler returns."""
        key = put(noise(307))
        event = {"bucket": running.cloud.outputs["BucketName"], "key": key, "collection": "task"}
        record = invoked(event)
        assert record["collection"] == "task"
        assert record["image_id"] == self.arrived(running, noise(307), "task")["image_id"]
        assert json.loads(json.dumps(record))["sources"], "a task's result is JSON"
        assert invoked(event)["image_id"] == record["image_id"], "once more changes nothing"

    def test_direct_call_with_an_event(self, running: PicTrace, put: Callable[..., str]) -> None:
        key = put(noise(308))
        assert invoked(of_bucket(running, bridged(key)))["image_id"] == self.arrived(running, noise(308))["image_id"]

    def test_direct_call_is_told_why_a_file_is_refused(self, running: PicTrace, put: Callable[..., str]) -> None:
        key = put(b"no image")
        with pytest.raises(PictureRefused, match="not a JPEG"):
            invoked({"bucket": running.cloud.outputs["BucketName"], "key": key})

    def test_removal_takes_the_image_out(self, running: PicTrace, put: Callable[..., str]) -> None:
        key = put(noise(309))
        send(running, of_bucket(running, {"Records": [notification(key)]}))
        self.arrived(running, noise(309))
        boto3.client("s3").delete_object(Bucket=running.cloud.outputs["BucketName"], Key=key)
        removal = notification(key, "ObjectRemoved:Delete", sequencer="0055AED6DCD90281E9")
        send(running, of_bucket(running, {"Records": [removal]}))
        until(lambda: _absent(running, noise(309)))


def _absent(running: PicTrace, data: bytes) -> bool:
    matches = running.search(data, collection="elsewhere", k=1)["matches"]
    return not matches or matches[0]["verdict"] != "identical"


def keys_to_try() -> list[str]:
    if not EVAL_DATA:
        return KEYS
    cases = json.loads((Path(EVAL_DATA) / "corpus" / "cases" / "object_keys.json").read_text(encoding="utf-8"))
    return KEYS + [case["key"] for case in cases if "\n" not in case["key"]]  # moto routes no line breaks


def test_keys_of_every_kind(running: PicTrace, put: Callable[..., str]) -> None:
    """Encoded in notifications, as they are on the bus: each object is read and its image found by its own bytes."""
    bucket = running.cloud.outputs["BucketName"]
    wrong = []
    for seed, name in enumerate(keys_to_try()):
        prefix = "uploads/keys/"
        key = (prefix + name).encode()[:1024].decode(errors="ignore")
        put(noise(4000 + seed), key)
        event = of_bucket(running, bridged(key) if seed % 2 else {"Records": [notification(key)]})
        record = invoked(event)
        if not seed % 2:
            record = invoked({"bucket": bucket, "key": key})
        shown = running.client.get(f"/v1/images/{record['image_id']}", params={"collection": "keys"}).json()
        if [source["key"] for source in shown["sources"]] != [key]:
            wrong.append((key, shown))
    assert not wrong


def test_every_key_of_the_corpus_is_encoded_as_s3_does() -> None:
    if not EVAL_DATA:
        pytest.skip("PICTRACE_EVAL_DATA is not set")
    cases = json.loads((Path(EVAL_DATA) / "corpus" / "cases" / "object_keys.json").read_text(encoding="utf-8"))
    for case in cases:
        assert quote_plus(case["key"], safe="/*") == case["s3_notification_key"], "our events are encoded as theirs"


def test_objects_of_strangers_are_refused(running: PicTrace) -> None:
    for key in ("a.png", "signatures/x"):
        with pytest.raises(PictureRefused, match="source_buckets"):
            invoked({"bucket": running.cloud.outputs["BucketName"], "key": key})
    with pytest.raises(PictureRefused, match="source_buckets"):
        invoked({"bucket": "somebody-elses", "key": "uploads/default/a"})


@pytest.mark.usefixtures("retries_at_once")
def test_poison_goes_to_the_dead_letters_with_its_reason(running: PicTrace) -> None:
    sqs, dead = boto3.client("sqs"), running.cloud.outputs["DeadLetterQueueUrl"]
    bodies = {"no json", '{"Records": [{}]}', json.dumps(submitted({"bucket": "images"}))}
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
    assert "give either bucket and key, or url" in seen[json.dumps(submitted({"bucket": "images"}))]
