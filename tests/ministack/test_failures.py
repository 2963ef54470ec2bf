"""Messages that fail: alone, five times, and then kept."""

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
from tests.ministack.conftest import SHOP, Ear
from tests.retry_times import Attempt

LATE_SECONDS = 8
"""How much longer a wait may be: the emulator polls once a second, and the machine may be busy."""


def hide(deployed: PicTrace, seconds: int) -> None:
    """From now on a message that was received comes again after so long, not after the 22 minutes of the template."""
    queue = deployed.cloud.outputs["QueueUrl"]
    boto3.client("sqs").set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": str(seconds)})


@pytest.fixture(autouse=True)
def as_deployed(deployed: PicTrace) -> Iterator[None]:
    sqs, queue = boto3.client("sqs"), deployed.cloud.outputs["QueueUrl"]
    before = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["VisibilityTimeout"])["Attributes"]
    yield
    sqs.set_queue_attributes(QueueUrl=queue, Attributes=before)


def dead_letter(deployed: PicTrace, seconds: float = 40) -> Any:
    """The next message of the dead-letter queue, taken out."""
    sqs, queue = boto3.client("sqs"), deployed.cloud.outputs["DeadLetterQueueUrl"]

    def received() -> Any:
        return sqs.receive_message(QueueUrl=queue, MessageAttributeNames=["All"], WaitTimeSeconds=1).get("Messages")

    [message] = until(received, seconds)
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return message


def source(deployed: PicTrace) -> Any:
    functions: Any = deployed.cloud
    [mapping] = boto3.client("lambda").list_event_source_mappings(FunctionName=functions.functions["ingest"])[
        "EventSourceMappings"
    ]
    return mapping


@contextmanager
def paused(deployed: PicTrace) -> Iterator[None]:
    """The function takes nothing from the queue."""
    mapping, client = source(deployed)["UUID"], boto3.client("lambda")
    client.update_event_source_mapping(UUID=mapping, Enabled=False)
    until(lambda: source(deployed)["State"] == "Disabled")
    try:
        yield
    finally:
        client.update_event_source_mapping(UUID=mapping, Enabled=True)


def failed_attempts(deployed: PicTrace, since: float) -> list[Attempt]:
    """The invocations in which a message failed; the emulator logs each at its end, in a stream of its own."""
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


def test_one_message_fails_alone_five_times_and_dies_with_its_reason(
    deployed: PicTrace, collection: str, ear: Ear, capsys: pytest.CaptureFixture[str]
) -> None:
    """Sent in a pause, so that they are one batch. Nothing is hurried: this takes two and a half minutes."""
    keys = [f"{uuid.uuid4().hex}.png" for _ in range(2)]
    for seed, key in enumerate(keys):
        boto3.client("s3").put_object(Bucket=SHOP, Key=key, Body=noise(30 + seed))
        ear.first(key)
    bodies = [json.dumps({"bucket": SHOP, "key": key, "collection": collection}) for key in keys]
    bodies.insert(1, "no json")
    began = time.time()
    with paused(deployed):
        sent = boto3.client("sqs").send_message_batch(
            QueueUrl=deployed.cloud.outputs["QueueUrl"],
            Entries=[{"Id": str(index), "MessageBody": body} for index, body in enumerate(bodies)],
        )
    until(lambda: source(deployed)["LastProcessingResult"] == "OK - 2 records, 1 partial failures")
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
        told = [kind for kind, detail in ear.of_key(key) if detail["collection"] == collection]
        assert told == ["Image Indexed"], "the good ones were done once"


@contextmanager
def broken(deployed: PicTrace) -> Iterator[None]:
    """A version of the ingest function that dies before it can say why."""
    functions: Any = deployed.cloud
    client, name = boto3.client("lambda"), functions.functions["ingest"]
    before = client.get_function_configuration(FunctionName=name)["Handler"]
    client.update_function_configuration(FunctionName=name, Handler="functions.absent.handler")
    try:
        yield
    finally:
        client.update_function_configuration(FunctionName=name, Handler=before)


def test_a_broken_deployment_loses_nothing(deployed: PicTrace, collection: str, ear: Ear) -> None:
    """The queue itself moves what the function could not, without a reason; sent again, it is indexed."""
    bucket, key = deployed.cloud.outputs["BucketName"], f"uploads/{collection}/patient"
    hide(deployed, 1)
    with broken(deployed):
        boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=noise(32))
        message = dead_letter(deployed)
    assert "MessageAttributes" not in message
    assert ear.of_key(key) == []
    hide(deployed, 120)
    send(deployed, message["Body"])
    assert ear.first(key)[0] == "Image Indexed"
