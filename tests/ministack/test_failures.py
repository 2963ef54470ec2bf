"""A message that fails is retried alone, five times, and then kept in the dead-letter queue."""

import json
import re
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest

from shared.aws.dead_letters import ORIGINAL_ID, REASON
from tests import retry_times
from tests.conftest import PicTrace
from tests.images import noise
from tests.integration.conftest import send, until
from tests.ministack.conftest import SHOP, Listener
from tests.retry_times import Attempt

LATE_SECONDS = 8
"""Tolerance of a wait: the emulator polls once a second, and the machine may be busy."""


def set_visibility_timeout(deployed: PicTrace, seconds: int) -> None:
    """Set the queue's visibility timeout, which is 22 minutes in the template."""
    queue = deployed.cloud.outputs["QueueUrl"]
    boto3.client("sqs").set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": str(seconds)})


@pytest.fixture(autouse=True)
def as_deployed(deployed: PicTrace) -> Iterator[None]:
    sqs, queue = boto3.client("sqs"), deployed.cloud.outputs["QueueUrl"]
    before = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["VisibilityTimeout"])["Attributes"]
    yield
    sqs.set_queue_attributes(QueueUrl=queue, Attributes=before)


def dead_letter(deployed: PicTrace, seconds: float = 40) -> Any:
    """Receive the next message of the dead-letter queue."""
    sqs, queue = boto3.client("sqs"), deployed.cloud.outputs["DeadLetterQueueUrl"]

    def received() -> Any:
        return sqs.receive_message(QueueUrl=queue, MessageAttributeNames=["All"], WaitTimeSeconds=1).get("Messages")

    [message] = until(received, seconds)
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return message


def event_source(deployed: PicTrace) -> Any:
    functions: Any = deployed.cloud
    mappings = boto3.client("lambda").list_event_source_mappings(FunctionName=functions.functions["ingest"])
    [mapping] = [one for one in mappings["EventSourceMappings"] if not one["EventSourceArn"].endswith(".fifo")]
    return mapping


@contextmanager
def paused(deployed: PicTrace) -> Iterator[None]:
    """Stop the function from receiving messages."""
    mapping, client = event_source(deployed)["UUID"], boto3.client("lambda")
    client.update_event_source_mapping(UUID=mapping, Enabled=False)
    until(lambda: event_source(deployed)["State"] == "Disabled")
    try:
        yield
    finally:
        client.update_event_source_mapping(UUID=mapping, Enabled=True)


def failed_attempts(deployed: PicTrace, since: float) -> list[Attempt]:
    """The invocations in which a message failed; the emulator logs each one at its end, in a separate stream."""
    functions: Any = deployed.cloud
    logs, name = boto3.client("logs"), functions.functions["ingest"]
    group = boto3.client("lambda").get_function_configuration(FunctionName=name)["LoggingConfig"]["LogGroup"]
    found = []
    for page in logs.get_paginator("describe_log_streams").paginate(logGroupName=group):
        for stream in page["logStreams"]:
            events = logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"])["events"]
            lines = "\n".join(event["message"] for event in events)
            ended, duration = events[-1]["timestamp"] / 1000, re.search(r"\tDuration: (\d+) ms", lines)
            if (
                duration
                and ended > since
                and re.search('"message":"a message failed( in its last attempt[^"]*)?"', lines)
            ):
                found.append(Attempt(ended - int(duration[1]) / 1000, ended))
    return sorted(found, key=lambda attempt: attempt.came)


def test_only_the_failing_message_is_retried_and_dead_lettered_with_its_reason(
    deployed: PicTrace, collection: str, listener: Listener, capsys: pytest.CaptureFixture[str]
) -> None:
    """The messages are sent during a pause, so that they form one batch; real delays make this take 150 seconds."""
    keys = [f"{uuid.uuid4().hex}.png" for _ in range(2)]
    for seed, key in enumerate(keys):
        boto3.client("s3").put_object(Bucket=SHOP, Key=key, Body=noise(30 + seed))
        listener.first(key)
    bodies = [json.dumps({"bucket": SHOP, "key": key, "collection": collection}) for key in keys]
    bodies.insert(1, "no json")
    began = time.time()
    with paused(deployed):
        sent = boto3.client("sqs").send_message_batch(
            QueueUrl=deployed.cloud.outputs["QueueUrl"],
            Entries=[{"Id": str(index), "MessageBody": body} for index, body in enumerate(bodies)],
        )
    until(lambda: event_source(deployed)["LastProcessingResult"] == "OK - 2 records, 1 partial failures")
    message = dead_letter(deployed, 300)
    attempts = failed_attempts(deployed, began)
    with capsys.disabled():
        print("\n" + retry_times.report("ministack", attempts))
    retry_times.check(attempts, late=LATE_SECONDS)
    assert message["Body"] == "no json"
    attributes = message["MessageAttributes"]
    assert attributes[REASON]["StringValue"] == "UnknownMessage: the body is not JSON (attempt 5 of 5)"
    assert attributes[ORIGINAL_ID]["StringValue"] == sent["Successful"][1]["MessageId"]
    for key in keys:
        told = [kind for kind, detail in listener.of_key(key) if detail["collection"] == collection]
        assert told == ["Image Indexed"], "the good ones were done once"


@contextmanager
def broken_function(deployed: PicTrace) -> Iterator[None]:
    """Deploy a version of the ingest function that fails before it can report why."""
    functions: Any = deployed.cloud
    client, name = boto3.client("lambda"), functions.functions["ingest"]
    before = client.get_function_configuration(FunctionName=name)["Handler"]
    client.update_function_configuration(FunctionName=name, Handler="functions.absent.handler")
    try:
        yield
    finally:
        client.update_function_configuration(FunctionName=name, Handler=before)


def test_a_broken_deployment_loses_no_message(deployed: PicTrace, collection: str, listener: Listener) -> None:
    """SQS itself moves the message to the dead-letter queue, without a reason; sent again, it is indexed."""
    bucket, key = deployed.cloud.outputs["BucketName"], f"uploads/{collection}/patient"
    set_visibility_timeout(deployed, 1)
    with broken_function(deployed):
        boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=noise(32))
        message = dead_letter(deployed)
    assert "MessageAttributes" not in message
    assert listener.of_key(key) == []
    set_visibility_timeout(deployed, 120)
    send(deployed, message["Body"])
    assert listener.first(key)[0] == "Image Indexed"
