"""Uploads that no worker can finish end all the same, and their state says so."""

import json
import time
from collections.abc import Callable
from typing import Any

import boto3
import httpx
import pytest
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from functions.ingest import bootstrap, handler
from infra.local.queue_worker import FunctionContext
from shared.domain.images import upload_key
from shared.domain.limits import MAX_RECEIVES, UPLOAD_ABANDONED_SECONDS
from shared.domain.queue_times import INGEST_QUEUE
from tests.conftest import PicTrace
from tests.images import noise

DAY = 86_400


@pytest.fixture
def later(running: PicTrace, monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """A function that moves the clock of the API to a number of seconds from now."""
    library = running.cloud.app.state.services.library

    def move(seconds: float) -> None:
        monkeypatch.setattr(library, "_clock", lambda: time.time() + seconds)

    return move


def open_upload(running: PicTrace, collection: str) -> str:
    wanted = {"filename": "a.png", "content_type": "image/png", "collection": collection}
    return str(running.client.post("/v1/uploads", json=wanted).json()["upload_id"])


def state(running: PicTrace, upload_id: str) -> tuple[str, str | None]:
    found = running.client.get(f"/v1/uploads/{upload_id}").json()
    assert bool(found["code"]) == bool(found["reason"])
    return found["status"], found["code"]


def last_attempt(body: str) -> SQSRecord:
    attributes = {"ApproximateReceiveCount": str(MAX_RECEIVES)}
    return SQSRecord({"messageId": "m", "receiptHandle": "r", "body": body, "attributes": attributes})


def created(running: PicTrace, collection: str, upload_id: str) -> str:
    where = {"bucket": running.cloud.outputs["BucketName"], "key": upload_key(collection, upload_id)}
    return json.dumps(where)


def test_a_form_that_nobody_uses_expires(running: PicTrace, collection: str, later: Callable[[float], None]) -> None:
    upload_id = open_upload(running, collection)
    assert state(running, upload_id) == ("pending", None)
    later(UPLOAD_ABANDONED_SECONDS + 1)
    assert state(running, upload_id) == ("rejected", "expired")
    query = running.client.post("/v1/search", params={"collection": collection}, json={"upload_id": upload_id})
    assert query.json()["type"] == "urn:pictrace:problem:upload-rejected"


def test_an_upload_whose_message_is_lost_ends_when_the_queue_has_dropped_it(
    running: PicTrace, collection: str, later: Callable[[float], None], put: Callable[..., str]
) -> None:
    upload_id = open_upload(running, collection)
    put(noise(8101), upload_key(collection, upload_id))
    later(UPLOAD_ABANDONED_SECONDS + 1)
    assert state(running, upload_id) == ("pending", None)
    later(UPLOAD_ABANDONED_SECONDS + INGEST_QUEUE.retention_days * DAY + 1)
    assert state(running, upload_id) == ("rejected", "failed")


def test_a_message_that_fails_in_its_last_attempt_ends_its_upload(
    running: PicTrace, collection: str, put: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    upload_id = open_upload(running, collection)
    put(noise(8102), upload_key(collection, upload_id))

    def broken(*_: object) -> None:
        raise RuntimeError("out of order")

    monkeypatch.setattr(handler, "run_in_subprocess", broken)
    context: Any = FunctionContext("ingest")
    handler.process_record(last_attempt(created(running, collection, upload_id)), context)
    assert state(running, upload_id) == ("rejected", "failed")
    monkeypatch.undo()
    handler.process_record(last_attempt(created(running, collection, upload_id)), context)
    assert state(running, upload_id) == ("indexed", None)
    [letter] = boto3.client("sqs").receive_message(
        QueueUrl=running.cloud.outputs["DeadLetterQueueUrl"], MaxNumberOfMessages=1, VisibilityTimeout=5
    )["Messages"]
    boto3.client("sqs").delete_message(
        QueueUrl=running.cloud.outputs["DeadLetterQueueUrl"], ReceiptHandle=letter["ReceiptHandle"]
    )


def test_a_function_that_dies_in_the_last_attempt_cannot_leave_the_upload_pending(
    running: PicTrace,
    collection: str,
    later: Callable[[float], None],
    put: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    upload_id = open_upload(running, collection)
    put(noise(8103), upload_key(collection, upload_id))

    class Killed(BaseException):
        pass

    def killed(*_: object) -> None:
        raise Killed

    monkeypatch.setattr(handler, "run_in_subprocess", killed)
    context: Any = FunctionContext("ingest")
    with pytest.raises(Killed):
        handler.process_record(last_attempt(created(running, collection, upload_id)), context)
    assert state(running, upload_id) == ("pending", None)
    later(INGEST_QUEUE.visibility_seconds + 2)
    assert state(running, upload_id) == ("rejected", "failed")


def test_an_indexed_upload_stays_indexed_if_its_event_cannot_be_published(
    running: PicTrace, collection: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload_id = running.upload(noise(8104), collection=collection)
    assert running.wait_for_upload(upload_id)["status"] == "indexed"
    bootstrap.message_ends().fail(created(running, collection, upload_id), "m")
    assert state(running, upload_id) == ("indexed", None)


def test_a_replaced_upload_states_only_its_last_end(running: PicTrace, collection: str) -> None:
    form = running.client.post(
        "/v1/uploads", json={"filename": "a.png", "content_type": "image/png", "collection": collection}
    ).json()

    def send(data: bytes) -> dict[str, Any]:
        sent = httpx.post(form["url"], data=form["fields"], files={"file": ("a.png", data)})
        assert sent.status_code == 204
        deadline = time.monotonic() + 60
        before = seen[-1] if seen else None
        while time.monotonic() < deadline:
            found: dict[str, Any] = running.client.get(f"/v1/uploads/{form['upload_id']}").json()
            if found["status"] != "pending" and found != before:
                seen.append(found)
                return found
            time.sleep(0.05)
        raise AssertionError("the state did not change")

    seen: list[dict[str, Any]] = []
    assert send(noise(8105))["image_id"]
    refused = send(b"not an image")
    assert (refused["status"], refused["code"], refused["image_id"]) == ("rejected", "unsupported_type", None)
    indexed = send(noise(8106))
    assert (indexed["status"], indexed["code"], indexed["reason"]) == ("indexed", None, None)
