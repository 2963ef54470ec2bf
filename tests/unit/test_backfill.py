"""What a backfill remembers is bounded, and what comes back from the queue is sent again."""

import json
from typing import Any

import pytest

from infra.operate import backfill
from infra.operate.backfill import Backfill, Ended, Ending, Listed, Sender, Stalled
from infra.operate.index import cost, dollars
from shared.domain.images import ObjectRef
from shared.domain.ledger import Holding, ObjectState, ObjectStatus


class World:
    """A queue and a table at once: what was sent is indexed at the second look, but for the `lost`."""

    def __init__(self, lost: set[str]) -> None:
        self.lost = lost
        self.looks: dict[str, int] = {}
        self.told: list[Ended] = []
        self.most = 0
        self.clock = 0.0
        self.run = Backfill(standing=self, sender=self, tell=self.tell)  # type: ignore[arg-type]

    def send(self, objects: list[Listed]) -> None:
        assert len(objects) <= backfill.SENT_AT_ONCE
        self.looks |= {listed.key: 0 for listed in objects}

    def of(self, objects: list[Listed]) -> tuple[dict[str, ObjectState], dict[str, bool]]:
        self.clock += 1
        assert len(objects) <= backfill.AT_ONCE
        self.most = max(self.most, self.run.in_flight)
        states = {}
        for listed in objects:
            if listed.key in self.looks:
                self.looks[listed.key] += 1
                if self.looks[listed.key] > 1 and listed.key not in self.lost:
                    states[listed.key] = ObjectState(
                        ObjectRef("b-b-b", listed.key),
                        ObjectStatus.HELD,
                        Holding("default", "0" * 64),
                        revision=1,
                        etag=listed.etag,
                    )
        return states, dict.fromkeys(states, True)

    def fits(self, state: ObjectState) -> bool:
        return True

    def waiting(self) -> bool:
        return False

    def tell(self, ended: Ended) -> None:
        del self.looks[ended.object.key]
        self.told.append(ended)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World({"7", "1300"})
    monkeypatch.setattr("infra.operate.backfill.time.monotonic", lambda: made.clock)
    monkeypatch.setattr("infra.operate.backfill.time.sleep", lambda _: None)
    return made


def test_a_bounded_number_is_in_flight(world: World) -> None:
    with pytest.raises(Stalled):
        world.run.run(Listed(str(number), "e", 1) for number in range(3_000))
    assert world.most <= backfill.IN_FLIGHT
    assert len(world.told) == 3_000
    assert {ended.object.key for ended in world.told if ended.ending is not Ending.INDEXED} == world.lost


def test_what_is_hopeless_gives_its_place_to_others(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfill, "HOPELESS_SECONDS", 20)
    with pytest.raises(Stalled):
        world.run.run(Listed(str(number), "e", 1) for number in range(1_301))
    assert [ended.object.key for ended in world.told].index("7") < 1_200


def test_what_the_queue_refuses_is_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Single entries of a batch fail under load, which no emulator does."""
    monkeypatch.setattr("infra.operate.backfill.time.sleep", lambda _: None)
    taken: list[str] = []

    class Busy:
        refusals = 2

        def send_message_batch(self, QueueUrl: str, Entries: list[Any]) -> Any:  # noqa: N803
            failed = Entries[-1:] if self.refusals else []
            self.refusals -= bool(self.refusals)
            taken.extend(json.loads(entry["MessageBody"])["key"] for entry in Entries if entry not in failed)
            return {"Failed": [{"Id": entry["Id"], "Code": "ServiceUnavailable"} for entry in failed]}

    client: Any = Busy()
    objects = [Listed(str(number), "e", 1) for number in range(10)]
    Sender(client, "url", "bucket", "c").send(objects)
    assert sorted(taken) == [str(number) for number in range(10)]
    client.refusals = 99
    with pytest.raises(RuntimeError, match="ServiceUnavailable"):
        Sender(client, "url", "bucket", None).send(objects)


def test_cost_of_a_million() -> None:
    """docs/existing-buckets.md shows these lines."""
    lines = dict(line.strip().rsplit(None, 1) for line in cost(1_000_000, 1769).splitlines()[1:-1])
    assert lines == {
        "DynamoDB table": "$13.38",
        "DynamoDB vectors": "$4.30",
        "S3": "$7.81",
        "Lambda": "$4.81",
        "SQS and events": "$1.40",
        "together": "$31.69",
    }
    assert dollars(0.004) == "< $0.01"
