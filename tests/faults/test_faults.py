"""Faults of the services and of the workers: nothing is lost, nothing stays half done, and the others are unharmed."""

import hashlib
import itertools
import json
from collections.abc import Iterator
from typing import Any, Final

import pytest

from functions.ingest.bootstrap import dispatcher
from infra.local.moto_vectors.vector_index import VectorIndex
from shared.domain.events import Created
from shared.domain.images import ObjectRef
from tests.conftest import PicTrace
from tests.faults.conftest import Row, row
from tests.faults.harness import Plant
from tests.faults.worker import CHANGES, Fault
from tests.images import noise

CREATED, REMOVED = "ObjectCreated:Put", "ObjectRemoved:Delete"
EVERY_THIRD: Final = tuple(range(0, 300, 3))
seeds: Final = itertools.count(10_000)


@pytest.fixture(scope="module")
def plant(running: PicTrace) -> Iterator[Plant]:
    made = Plant(running)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _at_once(retries_at_once: None) -> None:
    """`Plant` has the same in its processes."""


class Batch:
    """Five messages at once: a new image, one in another's place, a removal, a duplicate, and a file that is none."""

    def __init__(self, plant: Plant) -> None:
        self.plant = plant
        self.collection = f"f-{next(seeds)}"
        first, second, third = (noise(next(seeds)) for _ in range(3))
        for name, data in (("replaced", first), ("removed", second), ("kept", third)):
            key = plant.put(self.key(name), data)
            dispatcher().dispatch(Created(ObjectRef(plant.bucket, key), "01"), key)
        self.others = [first, second]
        self.images = {
            "new": noise(next(seeds)),
            "replaced": noise(next(seeds)),
            "kept": third,
            "again": third,
        }

    def key(self, name: str) -> str:
        """A name as an upload's key."""
        return f"uploads/{self.collection}/{hashlib.md5(name.encode()).hexdigest()}"  # noqa: S324

    def send(self) -> None:
        for name in ("new", "replaced", "again"):
            self.plant.publish(self.plant.put(self.key(name), self.images[name]), CREATED, "02")
        self.plant.publish(self.plant.delete(self.key("removed")), REMOVED, "02")
        self.plant.publish(self.plant.put(self.key("refused"), b"no image"), CREATED, "02")

    def check(self) -> None:
        plant = self.plant
        plant.row.tried += 1
        plant.audit(self.collection, {self.key(name): data for name, data in self.images.items()}, self.others)
        assert (plant.row.lost, plant.row.half) == (0, 0)
        ended = {"again": "duplicate", "refused": "rejected"} | ({"new": "indexed"} if "new" in self.images else {})
        for name, status in ended.items():
            upload = plant.running.client.get(f"/v1/uploads/{self.key(name).rsplit('/', 1)[1]}").json()
            assert upload["status"] == status, name


def tried(plant: Plant, fault: str | None, *deliveries: list[Fault], seconds: float = 0) -> None:
    """One batch with faults at its first deliveries and none afterwards; without a name it is in no table."""
    plant.row = row(fault) if fault else Row()
    batch = Batch(plant)
    batch.send()
    plant.faults, plant.seconds = list(deliveries), [seconds] if seconds else []
    plant.work()
    assert plant.dead_letters() == []
    batch.check()


def test_no_fault(plant: Plant) -> None:
    tried(plant, "none")
    assert row("none").again == 0


def test_a_worker_killed_at_every_step(plant: Plant) -> None:
    """Before anything, and after each call that changes something: between those nothing outside differs."""
    tried(plant, None)
    steps = sum(call in CHANGES for call in plant.calls)
    assert steps > 15
    tried(plant, "worker killed at every step", [Fault("kill-before", calls=(0,))])
    for step in range(steps):
        tried(plant, "worker killed at every step", [Fault("kill-after", calls=(step,), changes=True)])
    assert row("worker killed at every step").deaths == steps + 1


@pytest.mark.parametrize(
    ("fault", "injected"),
    [
        (
            "DynamoDB throttles every third call",
            Fault("throttle", "dynamodb", calls=EVERY_THIRD, first=True),
        ),
        ("S3 says 503 at every third call", Fault("throttle", "s3", calls=EVERY_THIRD, first=True)),
        ("S3 is slow (0.3 s more a call)", Fault("slow", "s3")),
        ("S3 does not answer, once", Fault("timeout", "s3", "GetObject", calls=(1,))),
        ("the bus refuses, once", Fault("unavailable", "eventbridge", calls=(0,))),
    ],
)
def test_what_the_client_tries_again(plant: Plant, fault: str, injected: Fault) -> None:
    tried(plant, fault, [injected])
    assert row(fault).again == 0, "botocore's own retries are enough"


@pytest.mark.parametrize(
    ("fault", "injected"),
    [
        ("DynamoDB throttles all changes of a delivery", Fault("throttle", "dynamodb", "TransactWriteItems")),
        ("DynamoDB throttles all records of a delivery", Fault("throttle", "dynamodb", "PutItem")),
        ("S3 takes no signatures in a delivery", Fault("unavailable", "s3", "PutObject")),
        ("S3 gives nothing in a delivery", Fault("throttle", "s3", "GetObject")),
        ("the bus takes nothing in a delivery", Fault("unavailable", "eventbridge")),
        ("the vector index does not answer in a delivery", Fault("unavailable", "dynamodb", "SearchVectors")),
    ],
)
def test_what_comes_again(plant: Plant, fault: str, injected: Fault) -> None:
    tried(plant, fault, [injected])
    assert row(fault).again > 0


def test_a_vector_index_that_is_being_built(plant: Plant) -> None:
    """No message fails for it: each new image is stored, and its check for near-duplicates is one message more."""
    name = "the vector index is being built in a delivery"
    tried(plant, name, [Fault("building", "dynamodb", "SearchVectors")])
    assert row(name).again == 0
    waiting = plant.sqs.get_queue_attributes(
        QueueUrl=plant.queue, AttributeNames=["ApproximateNumberOfMessagesDelayed"]
    )["Attributes"]
    assert waiting == {"ApproximateNumberOfMessagesDelayed": "2"}, "for the new image and the one that was replaced"


def test_what_the_queue_does_not_delay_comes_again_later(plant: Plant) -> None:
    """The change of visibility fails too: the batch is not lost, and the queue's own timeout holds."""
    delays = Fault("unavailable", "sqs", "ChangeMessageVisibility")
    tried(plant, "SQS takes no delay of what failed", [Fault("throttle", "dynamodb", "PutItem"), delays])
    assert row("SQS takes no delay of what failed").again > 0


def test_lambda_stops_in_the_middle_of_a_batch(plant: Plant) -> None:
    for seconds in (0.3, 0.6, 0.9, 1.2):
        tried(plant, "function times out within a batch", [Fault("slow", "s3")], seconds=seconds)
    assert row("function times out within a batch").deaths == 4


def test_an_object_that_is_gone_before_it_is_read(plant: Plant) -> None:
    plant.row = row("object gone before it is read")
    batch = Batch(plant)
    batch.send()
    plant.delete(batch.key("new"))
    batch.others.append(batch.images.pop("new"))
    plant.work()
    assert plant.dead_letters() == []
    batch.check()


def test_poison_goes_to_the_dead_letters_alone_and_comes_back(plant: Plant) -> None:
    """What has failed twice is done in a process of its own, so the others of its batch are done too."""
    plant.row = row("message that kills every worker")
    batch = Batch(plant)
    data = noise(next(seeds))
    poison = plant.put(batch.key("poison"), data)
    plant.publish(poison, CREATED, "02")
    batch.send()
    plant.always = [Fault("kill-before", "s3", "GetObject", url=poison)]
    plant.work()
    [(body, reason)] = plant.dead_letters()
    assert json.loads(body)["Records"][0]["s3"]["object"]["key"] == poison
    assert "died of signal 9" in reason
    batch.check()

    plant.row, plant.always = row("poison, cause mended, redrive"), []
    assert plant.redrive() == 0
    plant.work()
    assert plant.dead_letters() == []
    batch.images["poison"] = data
    batch.check()


def test_poison_while_the_dead_letter_queue_takes_nothing_from_us(plant: Plant) -> None:
    """The queue itself moves the message then; only the reason is missing."""
    plant.row = row("poison, and no reason can be kept")
    batch = Batch(plant)
    poison = plant.put(batch.key("poison"), noise(next(seeds)))
    plant.publish(poison, CREATED, "02")
    batch.send()
    plant.always = [Fault("kill-before", "s3", "GetObject", url=poison), Fault("unavailable", "sqs", "SendMessage")]
    plant.work()
    [(body, reason)] = plant.dead_letters()
    assert (json.loads(body)["Records"][0]["s3"]["object"]["key"], reason) == (poison, "")
    plant.always = []
    batch.check()
    batch.images["poison"] = plant.s3.get_object(Bucket=plant.bucket, Key=poison)["Body"].read()
    assert plant.redrive() == 0
    plant.work()
    batch.check()


def test_the_vector_index_lags(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the index does not show yet is found once it does; what it still shows of the removed is not shown."""
    plant.row = row("vector index lags behind the table")
    late: list[tuple[Any, ...]] = []
    put = VectorIndex.put
    batch = Batch(plant)
    removed = hashlib.sha256(batch.others[1]).hexdigest()
    assert removed in plant.found(batch.others[1], batch.collection)
    monkeypatch.setattr(VectorIndex, "put", lambda *change: late.append(change))
    batch.send()
    plant.work()
    assert late
    new = hashlib.sha256(batch.images["new"]).hexdigest()
    seen = plant.found(batch.others[1], batch.collection)
    assert removed not in seen
    assert new not in seen
    batch.check()
    monkeypatch.setattr(VectorIndex, "put", put)
    for change in late:
        put(*change)
    seen = plant.found(batch.images["new"], batch.collection)
    assert new in seen
    assert removed not in seen
