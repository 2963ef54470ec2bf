"""Events from every allowed source, and from no other, pass through the queue to the ingest function."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.conftest import PicTrace
from tests.images import noise
from tests.integration.conftest import send, until
from tests.ministack.conftest import SHOP, TOPIC, Listener, queue_arn
from tests.ministack.emulator import ACCOUNT, REGION


def put(bucket: str, key: str, seed: int) -> None:
    boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=noise(seed))


def submit(deployed: PicTrace, detail: dict[str, Any]) -> None:
    answer = boto3.client("events").put_events(
        Entries=[
            {
                "EventBusName": deployed.cloud.outputs["BusName"],
                "Source": "shop",
                "DetailType": "Image Submitted",
                "Detail": json.dumps(detail),
            }
        ]
    )
    assert answer["FailedEntryCount"] == 0


def publish(topic: str, message: dict[str, Any]) -> None:
    boto3.client("sns").publish(TopicArn=f"arn:aws:sns:{REGION}:{ACCOUNT}:{topic}", Message=json.dumps(message))


def test_an_upload_is_indexed_found_and_published(deployed: PicTrace, collection: str, listener: Listener) -> None:
    upload_id = deployed.upload(noise(10), collection=collection)
    state = deployed.wait_for_upload(upload_id)
    assert state["status"] == "indexed"
    [match] = deployed.search(noise(10), collection=collection)["matches"]
    assert (match["image_id"], match["verdict"]) == (state["image_id"], "identical")
    kind, detail = listener.first(f"uploads/{collection}/{upload_id}")
    assert (kind, detail["image_id"], detail["upload_id"]) == ("Image Indexed", state["image_id"], upload_id)


@pytest.mark.parametrize("name", ["plain", "a b+c%2B.png", "é/日本😀.png", "<a href='&'>"])
def test_keys_arrive_unchanged(deployed: PicTrace, collection: str, listener: Listener, name: str) -> None:
    """S3 encodes keys in its notifications."""
    key = f"uploads/{collection}/{name}"
    put(deployed.cloud.outputs["BucketName"], key, 11)
    kind, _ = listener.first(key)
    assert kind == "Image Indexed"


def test_deleting_an_object_removes_its_image(deployed: PicTrace, collection: str, listener: Listener) -> None:
    bucket, key = deployed.cloud.outputs["BucketName"], f"uploads/{collection}/short-lived"
    put(bucket, key, 12)
    listener.first(key)
    boto3.client("s3").delete_object(Bucket=bucket, Key=key)
    assert until(lambda: listener.of_key(key)[1:])[0][0] == "Image Removed"
    assert deployed.search(noise(12), collection=collection)["matches"] == []


def test_another_buckets_objects_arrive_over_the_default_bus(deployed: PicTrace, listener: Listener) -> None:
    key = f"a b+{uuid.uuid4().hex}.png"
    put(SHOP, key, 13)
    kind, detail = listener.first(key)
    assert (kind, detail["bucket"]) == ("Image Indexed", SHOP)


def test_a_submission_over_the_projects_bus_is_indexed(deployed: PicTrace, collection: str, listener: Listener) -> None:
    key = f"{collection}.png"
    put(SHOP, key, 14)
    submit(deployed, {"bucket": SHOP, "key": key, "collection": collection, "metadata": {"a": "b"}})
    until(lambda: ("b", collection) in [(d["metadata"].get("a"), d["collection"]) for _, d in listener.of_key(key)])


def test_a_message_from_the_configured_topic_is_indexed(
    deployed: PicTrace, collection: str, listener: Listener
) -> None:
    key = f"{collection}.png"
    put(SHOP, key, 15)
    publish(TOPIC, {"bucket": SHOP, "key": key, "collection": collection})
    until(lambda: collection in [detail["collection"] for _, detail in listener.of_key(key)])


def test_a_direct_invocation_returns_the_record(deployed: PicTrace, collection: str) -> None:
    functions: Any = deployed.cloud
    key = f"{collection}.png"
    put(SHOP, key, 16)

    def called(payload: dict[str, Any]) -> Any:
        answer = boto3.client("lambda").invoke(
            FunctionName=functions.functions["ingest"], Payload=json.dumps(payload).encode()
        )
        return json.loads(answer["Payload"].read())

    record = called({"bucket": SHOP, "key": key, "collection": collection})
    assert (record["collection"], record["filename"]) == (collection, None)
    assert "source_buckets" in called({"bucket": "strangers", "key": "a"})["errorMessage"]


@pytest.fixture(scope="module")
def unknown_sender(deployed: PicTrace) -> str:
    """The name of a bucket and a topic that are not in the stack's settings."""
    boto3.client("s3").create_bucket(Bucket="nobodys")
    boto3.client("sns").create_topic(Name="nobodys")
    return "nobodys"


@pytest.mark.usefixtures("unknown_sender")
class TestUnknownSenders:
    """Senders that the queue's policy does not name cannot send to it; ministack does not check EventBridge rules."""

    def arrives(self, deployed: PicTrace, listener: Listener, seed: int, by: Callable[[dict[str, Any]], None]) -> bool:
        """Whether a submission arrives before an allowed one that is sent after it, which ends the wait."""
        keys = [f"{uuid.uuid4().hex}.png" for _ in range(2)]
        for key in keys:
            put("nobodys", key, seed)
        by({"bucket": "nobodys", "key": keys[0]})
        submit(deployed, {"bucket": "nobodys", "key": keys[1]})
        kind, detail = listener.first(keys[1])
        assert (kind, detail["code"]) == ("Image Rejected", "foreign_object")
        return bool(listener.of_key(keys[0]))

    def test_an_unknown_bucket_is_refused(self, deployed: PicTrace) -> None:
        arn = queue_arn(deployed.cloud.outputs["QueueUrl"])
        wanted: Any = {"QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]}
        with pytest.raises(ClientError, match="Unable to validate the following destination configurations"):
            boto3.client("s3").put_bucket_notification_configuration(Bucket="nobodys", NotificationConfiguration=wanted)

    def test_a_message_from_an_unknown_topic_is_not_delivered(self, deployed: PicTrace, listener: Listener) -> None:
        sns = boto3.client("sns")
        arns = [f"arn:aws:sns:{REGION}:{ACCOUNT}:nobodys", queue_arn(deployed.cloud.outputs["QueueUrl"])]
        sns.subscribe(TopicArn=arns[0], Protocol="sqs", Endpoint=arns[1])
        assert not self.arrives(deployed, listener, 20, lambda message: publish("nobodys", message))

    def test_an_allowed_sender_is_accepted(self, deployed: PicTrace, listener: Listener) -> None:
        assert self.arrives(deployed, listener, 22, lambda message: send(deployed, message))
