"""`python -m infra.operate redrive` against the running system."""

import json
import uuid
from typing import Any

import boto3
import pytest

from infra.local.cloud import STACK
from infra.operate.__main__ import main
from shared.aws.people_tasks import QueuedTasks
from shared.domain.ledger import ImageKey
from shared.domain.outcomes import Outcome, OutcomeStatus
from shared.domain.people.ports import SettleImage
from tests.conftest import PicTrace
from tests.images import noise
from tests.integration.conftest import send, until


def redrive(*options: str) -> int:
    return main(["--stack", STACK, "redrive", *options])


@pytest.fixture(autouse=True)
def _at_once(running: PicTrace, no_retry_delay: None) -> None:
    sqs = boto3.client("sqs")
    for output in ("DeadLetterQueueUrl", "PeopleDeadLetterQueueUrl"):
        url = running.cloud.outputs[output]
        while found := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in found:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def count_dead_letters(running: PicTrace, output: str = "DeadLetterQueueUrl") -> int:
    found = boto3.client("sqs").get_queue_attributes(
        QueueUrl=running.cloud.outputs[output], AttributeNames=["ApproximateNumberOfMessages"]
    )
    return int(found["Attributes"]["ApproximateNumberOfMessages"])


def test_an_empty_dead_letter_queue_is_reported(running: PicTrace, capsys: pytest.CaptureFixture[str]) -> None:
    assert redrive() == 0
    assert capsys.readouterr().out == "The dead-letter queues are empty.\n"


def test_list_shows_the_dead_letters_and_keeps_them(running: PicTrace, capsys: pytest.CaptureFixture[str]) -> None:
    for body in ("no json \x1b[2J", json.dumps({"bucket": "b-b-b"})):
        send(running, body)
    until(lambda: count_dead_letters(running) == 2)
    assert redrive("--list") == 0
    said = capsys.readouterr().out
    assert said.startswith("2 messages in the dead-letter queue:\n")
    assert "no json \\x1b[2J\n    UnknownMessage: the body is not JSON (attempt 5 of 5)\n" in said
    assert redrive() == 0
    assert "there is no terminal to ask for confirmation" in capsys.readouterr().out
    assert count_dead_letters(running) == 2


def test_a_repaired_message_is_indexed_and_a_broken_one_is_dead_lettered_again(
    running: PicTrace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    data, collection = noise(77_001), f"redrive-{uuid.uuid4().hex[:8]}"

    def out_of_order(*_: object) -> None:
        raise RuntimeError("the model is broken")

    with monkeypatch.context() as broken:
        broken.setattr("functions.ingest.dispatcher.Dispatcher.dispatch", out_of_order)
        broken.setattr("functions.ingest.handler.run_in_subprocess", out_of_order)
        upload_id = running.upload(data, collection=collection)
        send(running, "no json")
        until(lambda: count_dead_letters(running) == 2)
    assert running.client.get(f"/v1/uploads/{upload_id}").json()["status"] == "rejected"

    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda _: "y")
    assert redrive() == 0
    said = capsys.readouterr().out
    assert f"created s3://{running.cloud.outputs['BucketName']}/uploads/{collection}/{upload_id}" in said
    assert "RuntimeError: the model is broken (attempt 5 of 5)" in said
    assert said.endswith("2 sent back to the queue.\n")
    assert running.wait_for_upload(upload_id)["status"] == "indexed"
    until(lambda: count_dead_letters(running) == 1)


def test_tasks_on_people_that_failed_are_handled_in_order_once_sent_back(
    running: PicTrace, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, collection: str
) -> None:
    handled: list[str] = []

    def handle(_: object, event: Any, __: str) -> Outcome:
        if not handled:
            raise RuntimeError("no luck")
        handled.append(event.task.image.image_id)
        return Outcome(status=OutcomeStatus.IGNORED)

    tasks = QueuedTasks(boto3.client("sqs"), running.cloud.outputs["PeopleQueueUrl"])
    monkeypatch.setattr("functions.ingest.dispatcher.Dispatcher.dispatch", handle)
    images = [digit * 64 for digit in "123"]
    for image_id in images:
        tasks.send(SettleImage(ImageKey(collection, image_id)))
    until(lambda: count_dead_letters(running, "PeopleDeadLetterQueueUrl") == 3)
    handled.append("from here on")
    assert redrive("--yes") == 0
    said = capsys.readouterr().out
    assert said.startswith("3 messages in the dead-letter queue of tasks on people:\n")
    assert said.endswith("\n3 sent back to the queue.\n")
    assert until(lambda: handled[1:] if len(handled) == 4 else None) == images
    assert count_dead_letters(running, "PeopleDeadLetterQueueUrl") == 0


def test_a_missing_stack_is_reported(running: PicTrace, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--stack", "nowhere", "redrive"]) == 1
    said = capsys.readouterr().err
    assert "Name the stack with --stack" in said
    assert "--url http://localhost:8000" in said
