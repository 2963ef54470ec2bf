"""The redelivery times of failed messages, with the real handler and the local worker on moto with a fake clock."""

import json
import time
import uuid
from typing import Any

import boto3
import pytest

from infra.local.queue_worker import QueueWorker
from shared.aws.clients import sqs_client
from shared.aws.dead_letters import REASON, DeadLetters
from shared.aws.retry_delays import RetryDelays
from shared.domain.queue_times import INGEST_QUEUE
from tests import retry_times
from tests.conftest import PicTrace
from tests.retry_times import Attempt

STEP_SECONDS = 0.5


class Clock:
    """moto's clock, which advances only when the test sets it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = time.time()
        monkeypatch.setattr("moto.sqs.models.unix_time", lambda *_: self.now)
        monkeypatch.setattr("moto.sqs.models.unix_time_millis", lambda *_: self.now * 1000)


class Queue:
    """A queue configured as in the stack, with a dead-letter queue and the ingest handler as its consumer.

    Attributes:
        attempts: the calls of the handler, which take no time on this clock.
        answers: the responses of the handler.
    """

    def __init__(self, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
        from functions.ingest import handler

        self.sqs, self.clock = boto3.client("sqs"), clock
        name = f"retries-{uuid.uuid4().hex[:8]}"
        self.dead = self.sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=self.dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": INGEST_QUEUE.max_receives})
        self.url = self.sqs.create_queue(
            QueueName=name,
            Attributes={"RedrivePolicy": redrive, "VisibilityTimeout": str(INGEST_QUEUE.visibility_seconds)},
        )["QueueUrl"]
        monkeypatch.setattr(handler, "retry_delays", lambda: RetryDelays(sqs_client(), self.url))
        monkeypatch.setattr(handler, "dead_letters", lambda: DeadLetters(sqs_client(), self.dead))
        self.attempts: list[Attempt] = []
        self.answers: list[Any] = []

        def noted(event: Any, context: Any) -> Any:
            self.attempts.append(Attempt(clock.now, clock.now))
            self.answers.append(handler.handler(event, context))
            return self.answers[-1]

        self._worker = QueueWorker(queue_url=self.url, handler=noted, function_name="ingest", batch_size=10)

    def pass_time(self, seconds: float) -> None:
        end = self.clock.now + seconds
        while self.clock.now < end:
            self._worker.poll(wait_seconds=0)
            self.clock.now += STEP_SECONDS

    def dead_letters(self) -> list[Any]:
        found = self.sqs.receive_message(QueueUrl=self.dead, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
        return list(found.get("Messages", []))


@pytest.fixture
def queue(running: PicTrace, monkeypatch: pytest.MonkeyPatch) -> Queue:
    return Queue(Clock(monkeypatch), monkeypatch)


def test_a_message_that_fails_five_times_is_dead_lettered_after_150_seconds(
    queue: Queue, capsys: pytest.CaptureFixture[str]
) -> None:
    queue.sqs.send_message(QueueUrl=queue.url, MessageBody="no json")
    queue.pass_time(200)
    with capsys.disabled():
        print("\n" + retry_times.report("moto", queue.attempts))
    retry_times.check(queue.attempts, late=2 * STEP_SECONDS)
    assert queue.answers[-1] == {"batchItemFailures": []}, (
        "the handler itself has moved the message to the dead-letter queue"
    )
    [letter] = queue.dead_letters()
    assert letter["MessageAttributes"][REASON]["StringValue"].endswith("(attempt 5 of 5)")


def test_other_messages_of_its_batch_are_not_delayed(queue: Queue) -> None:
    test_event = json.dumps({"Event": "s3:TestEvent"})
    entries = [{"Id": str(number), "MessageBody": body} for number, body in enumerate((test_event, "no json"))]
    queue.sqs.send_message_batch(QueueUrl=queue.url, Entries=entries)  # type: ignore[arg-type]
    queue.pass_time(5)
    assert [len(answer["batchItemFailures"]) for answer in queue.answers] == [1]
    found = queue.sqs.get_queue_attributes(QueueUrl=queue.url, AttributeNames=["All"])["Attributes"]
    assert (found["ApproximateNumberOfMessages"], found["ApproximateNumberOfMessagesNotVisible"]) == ("0", "1")
    queue.pass_time(8)
    assert len(queue.attempts) == 2


def test_a_crashed_functions_message_returns_after_the_visibility_timeout(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    def died(*_: object) -> None:
        raise MemoryError

    queue.sqs.send_message(QueueUrl=queue.url, MessageBody="no json")
    with monkeypatch.context() as broken:
        broken.setattr("functions.ingest.handler.handler", died)
        queue.pass_time(1)
    assert len(queue.attempts) == 1
    queue.clock.now += INGEST_QUEUE.visibility_seconds - 5
    queue.pass_time(2)
    assert len(queue.attempts) == 1
    queue.pass_time(5)
    assert len(queue.attempts) == 2


def test_a_message_whose_delay_cannot_be_set_is_still_redelivered(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "functions.ingest.handler.retry_delays", lambda: RetryDelays(sqs_client(), f"{queue.url}-absent")
    )
    queue.sqs.send_message(QueueUrl=queue.url, MessageBody="no json")
    queue.pass_time(15)
    assert len(queue.attempts) == 1
    queue.clock.now += INGEST_QUEUE.visibility_seconds
    queue.pass_time(2)
    assert len(queue.attempts) == 2
