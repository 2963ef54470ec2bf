"""The flow of a long command limits the messages in flight and resends those that the queue refuses."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from infra.operate import flow
from infra.operate.flow import EntryResult, Flow, Outcome, Queue, Stalled
from shared.domain.queue_times import INGEST_QUEUE


class SimulatedQueue:
    """A simulated queue and source: each sent entry is indexed at its second check, except for those in `lost`.

    Attributes:
        busy: the time until which the queue is not empty.
    """

    def __init__(self, lost: set[int]) -> None:
        self.lost = lost
        self.busy = 0.0
        self.checks: dict[int, int] = {}
        self.reported: list[EntryResult] = []
        self.most_in_flight = 0
        self.clock = 0.0
        queue: Any = self
        self.flow = Flow(work=self, queue=queue, publish=self.reported.append)

    def plan(self, entries: Sequence[int]) -> Mapping[int, EntryResult | int]:
        return {entry: EntryResult(str(entry), Outcome.SKIPPED) if entry % 10 == 5 else 0 for entry in entries}

    def message(self, entry: int) -> Mapping[str, Any]:
        return {"entry": entry}

    def name(self, entry: int) -> str:
        return str(entry)

    def send(self, bodies: Sequence[Mapping[str, Any]]) -> None:
        assert 0 < len(bodies) <= flow.SEND_BATCH_SIZE
        self.checks |= {body["entry"]: 0 for body in bodies}

    def results(self, sent: Mapping[int, int]) -> Mapping[int, EntryResult]:
        self.clock += 1
        assert len(sent) <= flow.BATCH_GET_SIZE
        self.most_in_flight = max(self.most_in_flight, self.flow.in_flight)
        for entry in sent:
            self.checks[entry] += 1
        done = [entry for entry in sent if self.checks[entry] > 1 and entry not in self.lost]
        return {entry: EntryResult(str(entry), Outcome.INDEXED) for entry in done}

    def empty(self) -> bool:
        return self.clock >= self.busy

    def sleep(self, seconds: float) -> None:
        self.clock += seconds

    def unsettled(self) -> set[int]:
        return {int(ended.name) for ended in self.reported if ended.outcome is Outcome.UNSETTLED}


@pytest.fixture
def simulated(monkeypatch: pytest.MonkeyPatch) -> SimulatedQueue:
    made = SimulatedQueue({7, 1300})
    monkeypatch.setattr("infra.operate.flow.time.monotonic", lambda: made.clock)
    monkeypatch.setattr("infra.operate.flow.time.sleep", made.sleep)
    return made


def test_the_number_of_messages_in_flight_is_bounded(simulated: SimulatedQueue) -> None:
    simulated.flow.run(range(3_000))
    assert flow.MAX_IN_FLIGHT - flow.BATCH_GET_SIZE < simulated.most_in_flight <= flow.MAX_IN_FLIGHT
    assert sorted(int(ended.name) for ended in simulated.reported) == list(range(3_000))
    assert simulated.unsettled() == simulated.lost


def test_hopeless_messages_make_room_for_others(simulated: SimulatedQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "GIVE_UP_SECONDS", 8)
    simulated.flow.run(range(1_301))
    assert [ended.name for ended in simulated.reported].index("7") < 1_200


def test_more_failures_than_the_window_do_not_stop_the_rest(simulated: SimulatedQueue) -> None:
    """Entries that failed permanently make room for others, as long as some succeed."""
    simulated.lost = set(range(3, 3_000, 4)) - {number for number in range(3_000) if number % 10 == 5}
    assert len(simulated.lost) > flow.MAX_IN_FLIGHT
    simulated.flow.run(range(3_000))
    assert sorted(int(ended.name) for ended in simulated.reported) == list(range(3_000))
    assert simulated.unsettled() == simulated.lost


def test_the_flow_stops_after_one_window_if_nothing_settles(simulated: SimulatedQueue) -> None:
    simulated.lost = set(range(3_000))
    with pytest.raises(Stalled):
        simulated.flow.run(range(3_000))
    assert len(simulated.unsettled()) <= flow.MAX_IN_FLIGHT


def test_the_flow_waits_for_a_message_whose_function_crashed(simulated: SimulatedQueue) -> None:
    """The message is hidden for the queue's visibility timeout at each attempt, and then it succeeds."""
    simulated.lost = {1}
    simulated.busy = 5 * INGEST_QUEUE.visibility_seconds

    def empty() -> bool:
        if simulated.clock > 4 * INGEST_QUEUE.visibility_seconds:
            simulated.lost.clear()
        return simulated.clock >= simulated.busy

    simulated.empty = empty  # type: ignore[method-assign]
    simulated.flow.run(range(3))
    assert {ended.outcome for ended in simulated.reported} == {Outcome.INDEXED}
    assert simulated.clock > 4 * INGEST_QUEUE.visibility_seconds


def test_the_flow_gives_up_when_the_queue_stays_empty(simulated: SimulatedQueue) -> None:
    simulated.lost, simulated.busy = {1}, 3_000.0
    simulated.flow.run(range(3))
    assert simulated.unsettled() == {1}
    assert 3_000 <= simulated.clock < 3_000 + 2 * flow.POLL_INTERVALS[1]


def test_the_flow_gives_up_eventually_even_if_the_queue_stays_busy(simulated: SimulatedQueue) -> None:
    simulated.lost, simulated.busy = {1}, float("inf")
    simulated.flow.run(range(3))
    assert simulated.unsettled() == {1}
    assert simulated.clock >= INGEST_QUEUE.max_receives * INGEST_QUEUE.visibility_seconds


def test_entries_that_the_queue_refuses_are_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Single entries of a batch can fail under load, which no emulator reproduces."""
    monkeypatch.setattr("infra.operate.flow.time.sleep", lambda _: None)
    taken: list[int] = []

    class Busy:
        refusals = 2

        def send_message_batch(self, QueueUrl: str, Entries: list[Any]) -> Any:  # noqa: N803
            failed = Entries[-1:] if self.refusals else []
            self.refusals -= bool(self.refusals)
            taken.extend(json.loads(entry["MessageBody"])["n"] for entry in Entries if entry not in failed)
            return {"Failed": [{"Id": entry["Id"], "Code": "ServiceUnavailable"} for entry in failed]}

    client: Any = Busy()
    bodies = [{"n": number} for number in range(10)]
    Queue(client, "url").send(bodies)
    assert sorted(taken) == list(range(10))
    client.refusals = 99
    with pytest.raises(RuntimeError, match="ServiceUnavailable"):
        Queue(client, "url").send(bodies)
