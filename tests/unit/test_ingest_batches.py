"""The messages of a batch are handled concurrently in threads."""

import json
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from functions.ingest import bootstrap, handler, processing
from infra.local.queue_worker import FunctionContext, lambda_event
from shared.aws.retry_delays import FailedMessage
from shared.domain.limits import CONCURRENT_MESSAGES
from shared.domain.outcomes import Outcome, OutcomeStatus

QUEUE = "arn:aws:sqs:us-east-1:123456789012:queue"


class BarrierDispatcher:
    """A dispatcher whose events wait until `parties` of them have arrived."""

    def __init__(self, parties: int) -> None:
        self.barrier = threading.Barrier(parties)

    def dispatch(self, event: Any, _: str) -> Outcome:
        self.barrier.wait(timeout=20)
        if event.object.key.endswith("3"):
            raise RuntimeError("poison")
        return Outcome(status=OutcomeStatus.INDEXED, object=event.object)


@pytest.fixture
def records() -> Iterator[Any]:
    processing.metrics.clear_metrics()
    messages: list[Any] = [
        {
            "MessageId": str(number),
            "ReceiptHandle": f"receipt-{number}",
            "Body": json.dumps({"bucket": "images", "key": f"k{number}"}),
            "MD5OfBody": "m",
            "Attributes": {"ApproximateReceiveCount": str(number % 2 + 1)},
        }
        for number in range(CONCURRENT_MESSAGES)
    ]
    yield lambda_event(messages, QUEUE)
    processing.metrics.clear_metrics()


def test_messages_of_a_batch_run_concurrently_and_only_the_poison_one_fails(
    records: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: dict[str, float] = {}
    dispatcher = BarrierDispatcher(CONCURRENT_MESSAGES)
    delays: list[FailedMessage] = []
    monkeypatch.setattr(processing, "dispatcher", lambda: dispatcher)
    monkeypatch.setattr(handler, "retry_delays", lambda: Delays(delays))
    monkeypatch.setattr(
        processing.metrics.provider,
        "flush_metrics",
        lambda *_, **__: counted.update(_totals(processing.metrics.metric_set)),
    )
    context: Any = FunctionContext("ingest")
    assert handler.handler(records, context) == {"batchItemFailures": [{"itemIdentifier": "3"}]}
    assert counted == {"messages": CONCURRENT_MESSAGES, "picture_indexed": CONCURRENT_MESSAGES - 1}
    assert delays == [FailedMessage("receipt-3", receives=2)]


class Delays:
    def __init__(self, delays: list[FailedMessage]) -> None:
        self.delays = delays

    def set(self, failed: Sequence[FailedMessage]) -> Sequence[ClientError]:
        self.delays.extend(failed)
        return []


def test_a_batch_succeeds_even_if_delays_cannot_be_set(records: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message is redelivered after the queue's own visibility timeout, and the others succeed."""
    refused = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "ChangeMessageVisibility")

    class Broken:
        def set(self, _: Any) -> Sequence[ClientError]:
            raise EndpointConnectionError(endpoint_url="https://sqs")

    class Refusing:
        def set(self, _: Any) -> Sequence[ClientError]:
            return [refused]

    context: Any = FunctionContext("ingest")
    for delays in (Broken(), Refusing()):
        dispatcher = BarrierDispatcher(CONCURRENT_MESSAGES)
        monkeypatch.setattr(processing, "dispatcher", lambda taken=dispatcher: taken)
        monkeypatch.setattr(handler, "retry_delays", lambda made=delays: made)
        assert handler.handler(records, context) == {"batchItemFailures": [{"itemIdentifier": "3"}]}
        processing.metrics.clear_metrics()


def _totals(metric_set: Any) -> dict[str, float]:
    return {name: sum(metric["Value"]) for name, metric in metric_set.items()}


def test_metrics_are_counted_correctly_across_threads() -> None:
    processing.metrics.clear_metrics()

    def several() -> None:
        for _ in range(9):
            processing.count("c")

    threads = [threading.Thread(target=several) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert _totals(processing.metrics.metric_set) == {"c": 90}
    processing.metrics.clear_metrics()


def test_the_dispatcher_is_created_once_across_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    class SlowModel:
        model_id = "m"

        def __init__(self, _: Path) -> None:
            loaded.append(self)
            all_ask.wait(timeout=20)

    loaded: list[SlowModel] = []
    all_ask = threading.Event()
    asked = threading.Barrier(4, action=all_ask.set)

    def ask() -> None:
        asked.wait(timeout=20)
        made.append(bootstrap.dispatcher())

    for name in ("BUCKET", "TABLE", "MODEL_DIR", "BUS", "QUEUE", "PEOPLE_QUEUE", "DEAD_LETTERS", "FETCH_FUNCTION"):
        monkeypatch.setenv(f"PICTRACE_{name}", "x")
    monkeypatch.setenv("PICTRACE_TRASH_DAYS", "30")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setattr(bootstrap, "Embedder", SlowModel)
    bootstrap.reset()
    made: list[object] = []
    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    bootstrap.reset()
    assert len(loaded) == 1
    assert len(made) == 4
    assert len(set(map(id, made))) == 1
