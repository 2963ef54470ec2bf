"""When services or workers fail, nothing is lost or left half done, and other messages are not affected."""

import hashlib
import itertools
import json
from collections.abc import Iterator
from typing import Any, Final

import pytest

from functions.ingest.bootstrap import dispatcher
from infra.local.moto_vectors.vector_index import VectorIndex
from shared.aws.clients import dynamodb_client
from shared.aws.dynamodb.uploads import DynamoUploads
from shared.domain.events import Created
from shared.domain.images import ObjectRef, Upload, UploadStatus
from tests.conftest import PicTrace
from tests.faults.conftest import Row, row_for
from tests.faults.harness import Harness
from tests.faults.worker import Fault
from tests.images import noise

CREATED, REMOVED = "ObjectCreated:Put", "ObjectRemoved:Delete"
EVERY_THIRD: Final = tuple(range(0, 300, 3))
seeds: Final = itertools.count(10_000)


@pytest.fixture(scope="module")
def harness(running: PicTrace) -> Iterator[Harness]:
    made = Harness(running)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _at_once(no_retry_delay: None) -> None:
    """Redeliver immediately; `Harness` does the same in its own processes."""


class Batch:
    """Five concurrent messages: a new image, a replaced one, a removal, a duplicate, and a non-image file."""

    def __init__(self, harness: Harness) -> None:
        self.harness = harness
        self.collection = f"f-{next(seeds)}"
        first, second, third = (noise(next(seeds)) for _ in range(3))
        for name, data in (("replaced", first), ("removed", second), ("kept", third)):
            key = harness.put(self.key(name), data)
            dispatcher().dispatch(Created(ObjectRef(harness.bucket, key), "01"), key)
        self.others = [first, second]
        self.images = {
            "new": noise(next(seeds)),
            "replaced": noise(next(seeds)),
            "kept": third,
            "again": third,
        }

    def key(self, name: str) -> str:
        """The upload key for a name."""
        return f"uploads/{self.collection}/{hashlib.md5(name.encode()).hexdigest()}"  # noqa: S324

    def send(self) -> None:
        for name in ("new", "replaced", "again"):
            self.harness.publish(self.harness.put(self.key(name), self.images[name]), CREATED, "02")
        self.harness.publish(self.harness.delete(self.key("removed")), REMOVED, "02")
        self.harness.publish(self.harness.put(self.key("refused"), b"no image"), CREATED, "02")

    def check(self) -> None:
        harness = self.harness
        harness.row.tried += 1
        harness.audit(self.collection, {self.key(name): data for name, data in self.images.items()}, self.others)
        assert (harness.row.lost, harness.row.half_visible) == (0, 0)
        ended = {"again": "duplicate", "refused": "rejected"} | ({"new": "indexed"} if "new" in self.images else {})
        for name, status in ended.items():
            upload = harness.running.client.get(f"/v1/uploads/{self.key(name).rsplit('/', 1)[1]}").json()
            assert upload["status"] == status, name


def run_batch(harness: Harness, fault: str | None, *deliveries: list[Fault], seconds: float = 0) -> None:
    """Run a batch with faults in its first deliveries; without a name for the fault it is left out of the table."""
    harness.row = row_for(fault) if fault else Row()
    batch = Batch(harness)
    batch.send()
    harness.faults, harness.seconds = list(deliveries), [seconds] if seconds else []
    harness.work()
    assert harness.dead_letters() == []
    batch.check()


def test_a_batch_without_faults_needs_no_retry(harness: Harness) -> None:
    run_batch(harness, "none")
    assert row_for("none").redelivered == 0


def test_a_worker_killed_at_any_step_loses_nothing(harness: Harness) -> None:
    """Killed before the first call, and after every second call that changes something.

    Other moments leave the same state, and the five messages are at different steps each time.
    """
    name = "worker killed at every second step"
    run_batch(harness, name, [Fault("kill-before", calls=(0,))])
    batches = 1
    while row_for(name).deaths == batches:  # the last batch has fewer changes, so its worker survives
        run_batch(harness, name, [Fault("kill-after", calls=(2 * batches - 2,), changes=True)])
        batches += 1
    assert 2 * batches > 15


@pytest.mark.parametrize(
    ("fault", "injected"),
    [
        (
            "DynamoDB throttles every third call",
            Fault("throttle", "dynamodb", calls=EVERY_THIRD, first=True),
        ),
        ("S3 answers 503 to every third call", Fault("throttle", "s3", calls=EVERY_THIRD, first=True)),
        ("S3 is slow (0.3 s more per call)", Fault("slow", "s3")),
        ("S3 does not answer, once", Fault("timeout", "s3", "GetObject", calls=(1,))),
        ("the bus refuses events, once", Fault("unavailable", "eventbridge", calls=(0,))),
    ],
)
def test_faults_that_the_client_retries_cause_no_redelivery(harness: Harness, fault: str, injected: Fault) -> None:
    run_batch(harness, fault, [injected])
    assert row_for(fault).redelivered == 0, "botocore's own retries are enough"


@pytest.mark.parametrize(
    ("fault", "injected"),
    [
        ("DynamoDB throttles all changes in one delivery", Fault("throttle", "dynamodb", "TransactWriteItems")),
        ("DynamoDB throttles all records in one delivery", Fault("throttle", "dynamodb", "PutItem")),
        ("S3 refuses all writes in one delivery", Fault("unavailable", "s3", "PutObject")),
        ("S3 throttles all reads in one delivery", Fault("throttle", "s3", "GetObject")),
        ("the bus refuses all events in one delivery", Fault("unavailable", "eventbridge")),
        ("the vector index fails in one delivery", Fault("unavailable", "dynamodb", "SearchVectors")),
    ],
)
def test_faults_that_outlast_the_clients_retries_cause_a_redelivery(
    harness: Harness, fault: str, injected: Fault
) -> None:
    run_batch(harness, fault, [injected])
    assert row_for(fault).redelivered > 0


def test_a_vector_index_that_is_being_built_fails_no_message(harness: Harness) -> None:
    """Each new image is stored, and its check for near-duplicates becomes a separate message."""
    name = "the vector index is built during one delivery"
    run_batch(harness, name, [Fault("building", "dynamodb", "SearchVectors")])
    assert row_for(name).redelivered == 0
    waiting = harness.sqs.get_queue_attributes(
        QueueUrl=harness.queue, AttributeNames=["ApproximateNumberOfMessagesDelayed"]
    )["Attributes"]
    assert waiting == {"ApproximateNumberOfMessagesDelayed": "2"}, "for the new image and the one that was replaced"


def test_a_failed_message_whose_delay_cannot_be_set_is_redelivered_later(harness: Harness) -> None:
    """If changing the visibility fails too, the batch is not lost: the queue's own visibility timeout applies."""
    delays = Fault("unavailable", "sqs", "ChangeMessageVisibility")
    run_batch(harness, "SQS refuses the delays of failed messages", [Fault("throttle", "dynamodb", "PutItem"), delays])
    assert row_for("SQS refuses the delays of failed messages").redelivered > 0


def test_a_timeout_in_the_middle_of_a_batch_loses_nothing(harness: Harness) -> None:
    for seconds in (0.3, 0.6, 0.9, 1.2):
        run_batch(harness, "function times out during a batch", [Fault("slow", "s3")], seconds=seconds)
    assert row_for("function times out during a batch").deaths == 4


def test_an_object_deleted_before_it_is_read_is_not_a_failure(harness: Harness) -> None:
    harness.row = row_for("object deleted before it is read")
    batch = Batch(harness)
    batch.send()
    harness.delete(batch.key("new"))
    batch.others.append(batch.images.pop("new"))
    harness.work()
    assert harness.dead_letters() == []
    batch.check()


def test_only_the_poison_message_is_dead_lettered_and_a_redrive_indexes_it(harness: Harness) -> None:
    """A message that failed twice is handled in a subprocess, so the rest of its batch succeeds."""
    harness.row = row_for("message that kills every worker")
    batch = Batch(harness)
    data = noise(next(seeds))
    poison = harness.put(batch.key("poison"), data)
    upload_id = poison.rsplit("/", 1)[1]
    DynamoUploads(dynamodb_client(), harness.table).open(
        Upload(upload_id, batch.collection, UploadStatus.PENDING), ObjectRef(harness.bucket, poison)
    )
    harness.publish(poison, CREATED, "02")
    batch.send()
    harness.always = [Fault("kill-before", "s3", "GetObject", url=poison)]
    harness.work()
    given_up = harness.running.client.get(f"/v1/uploads/{upload_id}").json()
    assert (given_up["status"], given_up["code"]) == ("rejected", "failed")
    [(body, reason)] = harness.dead_letters()
    assert json.loads(body)["Records"][0]["s3"]["object"]["key"] == poison
    assert "died of signal 9" in reason
    batch.check()

    harness.row, harness.always = row_for("poison, cause fixed, redrive"), []
    assert harness.redrive() == 0
    harness.work()
    assert harness.dead_letters() == []
    batch.images["poison"] = data
    batch.check()
    done = harness.running.client.get(f"/v1/uploads/{upload_id}").json()
    assert (done["status"], done["code"], done["reason"]) == ("indexed", None, None)


def test_sqs_dead_letters_a_poison_message_that_the_function_cannot(harness: Harness) -> None:
    """SQS itself then moves the message to the dead-letter queue; only the reason is missing."""
    harness.row = row_for("poison, and the reason cannot be kept")
    batch = Batch(harness)
    poison = harness.put(batch.key("poison"), noise(next(seeds)))
    harness.publish(poison, CREATED, "02")
    batch.send()
    harness.always = [Fault("kill-before", "s3", "GetObject", url=poison), Fault("unavailable", "sqs", "SendMessage")]
    harness.work()
    [(body, reason)] = harness.dead_letters()
    assert (json.loads(body)["Records"][0]["s3"]["object"]["key"], reason) == (poison, "")
    harness.always = []
    batch.check()
    batch.images["poison"] = harness.s3.get_object(Bucket=harness.bucket, Key=poison)["Body"].read()
    assert harness.redrive() == 0
    harness.work()
    batch.check()


def test_a_lagging_vector_index_catches_up_and_shows_no_removed_image(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new image is found once the index has caught up; a removed image that it still contains is not shown."""
    harness.row = row_for("vector index lags behind the table")
    late: list[tuple[Any, ...]] = []
    put = VectorIndex.put
    batch = Batch(harness)
    removed = hashlib.sha256(batch.others[1]).hexdigest()
    assert removed in harness.found(batch.others[1], batch.collection)
    monkeypatch.setattr(VectorIndex, "put", lambda *change: late.append(change))
    batch.send()
    harness.work()
    assert late
    new = hashlib.sha256(batch.images["new"]).hexdigest()
    seen = harness.found(batch.others[1], batch.collection)
    assert removed not in seen
    assert new not in seen
    batch.check()
    monkeypatch.setattr(VectorIndex, "put", put)
    for change in late:
        put(*change)
    seen = harness.found(batch.images["new"], batch.collection)
    assert new in seen
    assert removed not in seen
