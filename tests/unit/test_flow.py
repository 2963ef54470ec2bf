"""What a long command remembers is bounded, and what comes back from the queue is sent again."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from infra.operate import flow
from infra.operate.flow import EntryResult, Flow, Outcome, Queue, Stalled
from shared.domain.queue_times import INGEST_QUEUE


class World:
    """A queue and the work at once: what was sent is indexed at the second look, but for the `lost`.

    Attributes:
        busy: until this time the queue is not empty.
    """

    def __init__(self, lost: set[int]) -> None:
        self.lost = lost
        self.busy = 0.0
        self.looks: dict[int, int] = {}
        self.told: list[EntryResult] = []
        self.most = 0
        self.clock = 0.0
        queue: Any = self
        self.flow = Flow(work=self, queue=queue, publish=self.told.append)

    def plan(self, entries: Sequence[int]) -> Mapping[int, EntryResult | int]:
        return {entry: EntryResult(str(entry), Outcome.SKIPPED) if entry % 10 == 5 else 0 for entry in entries}

    def message(self, entry: int) -> Mapping[str, Any]:
        return {"entry": entry}

    def name(self, entry: int) -> str:
        return str(entry)

    def send(self, bodies: Sequence[Mapping[str, Any]]) -> None:
        assert 0 < len(bodies) <= flow.SEND_BATCH_SIZE
        self.looks |= {body["entry"]: 0 for body in bodies}

    def results(self, sent: Mapping[int, int]) -> Mapping[int, EntryResult]:
        self.clock += 1
        assert len(sent) <= flow.BATCH_GET_SIZE
        self.most = max(self.most, self.flow.in_flight)
        for entry in sent:
            self.looks[entry] += 1
        done = [entry for entry in sent if self.looks[entry] > 1 and entry not in self.lost]
        return {entry: EntryResult(str(entry), Outcome.INDEXED) for entry in done}

    def empty(self) -> bool:
        return self.clock >= self.busy

    def sleep(self, seconds: float) -> None:
        self.clock += seconds

    def unsettled(self) -> set[int]:
        return {int(ended.name) for ended in self.told if ended.outcome is Outcome.UNSETTLED}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World({7, 1300})
    monkeypatch.setattr("infra.operate.flow.time.monotonic", lambda: made.clock)
    monkeypatch.setattr("infra.operate.flow.time.sleep", made.sleep)
    return made


def test_a_bounded_number_is_in_flight(world: World) -> None:
    world.flow.run(range(3_000))
    assert flow.MAX_IN_FLIGHT - flow.BATCH_GET_SIZE < world.most <= flow.MAX_IN_FLIGHT
    assert sorted(int(ended.name) for ended in world.told) == list(range(3_000))
    assert world.unsettled() == world.lost


def test_what_is_hopeless_gives_its_place_to_others(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "GIVE_UP_SECONDS", 8)
    world.flow.run(range(1_301))
    assert [ended.name for ended in world.told].index("7") < 1_200


def test_more_failures_than_may_be_in_flight_stop_nothing(world: World) -> None:
    """The places of those that failed for good go to others, as long as some succeed."""
    world.lost = set(range(3, 3_000, 4)) - {number for number in range(3_000) if number % 10 == 5}
    assert len(world.lost) > flow.MAX_IN_FLIGHT
    world.flow.run(range(3_000))
    assert sorted(int(ended.name) for ended in world.told) == list(range(3_000))
    assert world.unsettled() == world.lost


def test_where_nothing_ends_it_stops_after_one_window(world: World) -> None:
    world.lost = set(range(3_000))
    with pytest.raises(Stalled):
        world.flow.run(range(3_000))
    assert len(world.unsettled()) <= flow.MAX_IN_FLIGHT


def test_a_message_whose_function_died_is_waited_for(world: World) -> None:
    """It is hidden for the queue's visibility timeout at each of its attempts, and then it is done."""
    world.lost = {1}
    world.busy = 5 * INGEST_QUEUE.visibility_seconds

    def empty() -> bool:
        if world.clock > 4 * INGEST_QUEUE.visibility_seconds:
            world.lost.clear()
        return world.clock >= world.busy

    world.empty = empty  # type: ignore[method-assign]
    world.flow.run(range(3))
    assert {ended.outcome for ended in world.told} == {Outcome.INDEXED}
    assert world.clock > 4 * INGEST_QUEUE.visibility_seconds


def test_it_gives_up_when_the_queue_is_empty_and_its_counts_have_settled(world: World) -> None:
    world.lost, world.busy = {1}, 3_000.0
    world.flow.run(range(3))
    assert world.unsettled() == {1}
    assert 3_000 <= world.clock < 3_000 + 2 * flow.POLL_INTERVALS[1]


def test_it_gives_up_in_the_end_though_others_keep_the_queue_busy(world: World) -> None:
    world.lost, world.busy = {1}, float("inf")
    world.flow.run(range(3))
    assert world.unsettled() == {1}
    assert world.clock >= INGEST_QUEUE.max_receives * INGEST_QUEUE.visibility_seconds


def test_what_the_queue_refuses_is_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Single entries of a batch fail under load, which no emulator does."""
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
