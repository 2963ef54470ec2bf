"""Sequences of events, recorded and made, played against the running system: each must end as it says."""

import json
import os
import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from functions.ingest.bootstrap import dispatcher
from shared.aws import messages
from shared.domain.events import Created
from shared.domain.images import ObjectRef
from shared.domain.outcomes import OutcomeStatus
from tests.conftest import PicTrace
from tests.images import noise
from tests.integration.conftest import invoked, of_bucket
from tests.unit.test_messages import bridged, notification, wrapped

EVAL_DATA = os.environ.get("PICTRACE_EVAL_DATA")


class Stage:
    """One collection of the bucket; objects come and go without S3 telling of it."""

    def __init__(self, running: PicTrace, put: Callable[..., str]) -> None:
        self.running = running
        self.collection = f"t-{uuid.uuid4().hex[:12]}"
        self._put = put
        self._s3 = boto3.client("s3")
        self.bucket = running.cloud.outputs["BucketName"]

    def key(self, name: str) -> str:
        return f"uploads/{self.collection}/{name}"

    def put(self, name: str, data: bytes) -> None:
        self._put(data, self.key(name))

    def delete(self, name: str) -> None:
        self._s3.delete_object(Bucket=self.bucket, Key=self.key(name))

    def event(self, name: str, kind: str, sequencer: str, **extra: Any) -> dict[str, Any]:
        return of_bucket(self.running, {"Records": [notification(self.key(name), kind, sequencer=sequencer, **extra)]})

    def deliver(self, *bodies: Any) -> list[str]:
        """Handle messages as one batch; gives the positions of those that failed."""
        records = [
            {"messageId": str(index), "eventSource": "aws:sqs", "attributes": {}, "body": json.dumps(body)}
            for index, body in enumerate(bodies)
        ]
        return [failure["itemIdentifier"] for failure in invoked({"Records": records})["batchItemFailures"]]

    def sources(self) -> dict[str, set[str]]:
        """What the API shows of the collection: image to the names of its objects."""
        client, found = self.running.client, {}
        page = client.get("/v1/images", params={"collection": self.collection, "limit": 100}).json()
        for image in page["images"]:
            record = client.get(f"/v1/images/{image['image_id']}", params={"collection": self.collection}).json()
            found[image["image_id"]] = {source["key"].rsplit("/", 1)[1] for source in record["sources"]}
        return found

    def found(self, data: bytes) -> bool:
        matches = self.running.search(data, collection=self.collection, k=1)["matches"]
        return bool(matches) and matches[0]["verdict"] == "identical"


@pytest.fixture
def stage(running: PicTrace, put: Callable[..., str]) -> Stage:
    return Stage(running, put)


CREATED, REMOVED = "ObjectCreated:Put", "ObjectRemoved:Delete"


def test_a_removal_that_overtakes_its_creation_wins(stage: Stage) -> None:
    stage.put("a", noise(600))  # still there for the reader: only the sequencer can tell
    assert stage.deliver(stage.event("a", REMOVED, "05")) == []
    assert stage.deliver(stage.event("a", CREATED, "04")) == []
    assert stage.sources() == {}
    assert stage.deliver(stage.event("a", CREATED, "06")) == []
    assert stage.found(noise(600))


def test_other_bytes_under_the_key_replace_the_image_and_clean_up(stage: Stage) -> None:
    stage.put("a", noise(601))
    stage.deliver(stage.event("a", CREATED, "01"))
    [old] = stage.sources()
    stage.put("a", noise(602))
    stage.deliver(stage.event("a", CREATED, "02"))
    [new] = stage.sources()
    assert new != old
    assert not stage.found(noise(601))
    listed = boto3.client("s3").list_objects_v2(Bucket=stage.bucket, Prefix="signatures/").get("Contents", [])
    assert {old, new} & {entry["Key"].rsplit("/", 1)[1] for entry in listed} == {new}


def test_other_bytes_that_are_no_image_take_the_old_one_out(stage: Stage) -> None:
    stage.put("a", noise(603))
    stage.deliver(stage.event("a", CREATED, "01"))
    stage.put("a", b"no image")
    stage.deliver(stage.event("a", CREATED, "02"))
    assert stage.sources() == {}


def test_the_same_bytes_under_many_keys_go_with_the_last(stage: Stage) -> None:
    for index, name in enumerate("abc"):
        stage.put(name, noise(604))
        stage.deliver(stage.event(name, CREATED, f"0{index}"))
    assert list(stage.sources().values()) == [{"a", "b", "c"}]
    for name in "ab":
        stage.delete(name)
        stage.deliver(stage.event(name, REMOVED, "0A"))
        assert stage.found(noise(604))
    stage.delete("c")
    stage.deliver(stage.event("c", REMOVED, "0A"))
    assert not stage.found(noise(604))
    assert stage.sources() == {}


def test_fifty_workers_with_the_same_image_at_once(stage: Stage) -> None:
    """One right record, every key a source of it, exactly one of them the one that brought it."""
    names = [f"{number:02}" for number in range(50)]
    for name in names:
        stage.put(name, noise(605))
    ready = threading.Barrier(len(names))
    outcomes, failures = [], []

    def work(name: str) -> None:
        ready.wait()
        try:
            event = Created(ObjectRef(stage.bucket, stage.key(name)), "01")
            outcomes.append(dispatcher().dispatch(event, name).status)
        except Exception as failure:
            failures.append(failure)

    workers = [threading.Thread(target=work, args=(name,)) for name in names]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not failures
    assert sorted(outcomes) == [OutcomeStatus.DUPLICATE] * 49 + [OutcomeStatus.INDEXED]
    [(_, sources)] = stage.sources().items()
    assert len(sources) == 50
    assert stage.found(noise(605))


def test_fifty_workers_with_the_same_message(stage: Stage) -> None:
    stage.put("a", noise(606))
    body = json.dumps(stage.event("a", CREATED, "01"))
    failures = []

    def work() -> None:
        try:
            for event in messages.parse(body):
                dispatcher().dispatch(event, "one")
        except Exception as failure:
            failures.append(failure)

    workers = [threading.Thread(target=work) for _ in range(50)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not failures
    assert list(stage.sources().values()) == [{"a"}]


def recorded() -> list[Any]:
    if not EVAL_DATA:
        return []
    text = (Path(EVAL_DATA) / "corpus" / "cases" / "event_sequences.json").read_text(encoding="utf-8")
    cases: list[Any] = json.loads(text)
    return cases


class TestRecorded:
    """The recorded sequences name a bucket `b` and keys; what lies under a key follows from the last event's ETag."""

    @pytest.fixture(autouse=True)
    def _needs_the_recordings(self) -> None:
        if not EVAL_DATA:
            pytest.skip("PICTRACE_EVAL_DATA does not name a folder with corpus/cases/event_sequences.json")

    def play(self, stage: Stage, name: str) -> list[str]:
        """Put what the events tell of, deliver each as a message of its own, in one batch."""
        [case] = [case for case in recorded() if case["case"] == name]
        events = (
            {
                "wrap": [wrapped(json.dumps({"Records": [notification("k", sequencer="01")]}))],
                "eb": [bridged("k%20+")],
            }.get(case["events"])
            if isinstance(case["events"], str)
            else [{"Records": [event]} if "s3" in event else event for event in case["events"]]
        )
        newest: dict[str, tuple[str, bool]] = {}
        for event in case["events"] if isinstance(case["events"], list) else []:
            entry = event.get("s3", {}).get("object", {})
            if "key" in entry and entry.get("size") and event["s3"]["bucket"]["name"] == "b":
                order = entry["sequencer"].ljust(32, "0")
                newest[entry["key"]] = max(
                    newest.get(entry["key"], ("", False)), (order, event["eventName"].startswith("ObjectCreated"))
                )
        for key, (_, there) in newest.items():
            if there and key != "gone":
                self.place(stage, key, name)
        if isinstance(case["events"], str):
            self.place(stage, "k%20+" if case["events"] == "eb" else "k", name)
        return stage.deliver(*(self.staged(stage, event) for event in events or []))

    def place(self, stage: Stage, key: str, name: str) -> None:
        poison = key.startswith("bad")
        if not poison:
            distinct = name.startswith("batch")
            stage.put(key, noise(700 + (int(key[1:]) if distinct else 0)))

    def staged(self, stage: Stage, body: dict[str, Any]) -> dict[str, Any]:
        """The event with our bucket for `b` and `images`, and its key among the uploads of the collection."""
        text = json.dumps(body)
        for name in ("b", "images"):
            text = text.replace(f'{{"name": "{name}"', f'{{"name": "{stage.bucket}"')
            text = text.replace(f'{{\\"name\\": \\"{name}\\"', f'{{\\"name\\": \\"{stage.bucket}\\"')
        text = text.replace('"key": "', f'"key": "uploads/{stage.collection}/')
        text = text.replace('\\"key\\": \\"', f'\\"key\\": \\"uploads/{stage.collection}/')
        made: dict[str, Any] = json.loads(text)
        return made

    @pytest.mark.parametrize(
        ("name", "left"),
        [
            ("duplicate create", [{"k"}]),
            ("created then removed, in order", []),
            ("removed delivered before created", []),
            ("re-upload, old event late", [{"k"}]),
            ("create, delete, create; delete late", [{"k"}]),
            ("same bytes, two keys", [{"k1", "k2"}]),
            ("delete one of two keys of same bytes", [{"k2"}]),
            ("sequencer lengths differ", []),
            ("delete marker", []),
            ("create event, object already gone (404)", []),
            ("create event, object replaced since (etag differs)", [{"k"}]),
            ("zero-size object / folder marker", []),
            ("test event", []),
            ("unknown event name", []),
            ("wrong bucket", []),
            ("event inside SNS inside SQS", [{"k"}]),
            ("EventBridge form", [{"k%20+"}]),
        ],
    )
    def test_it_ends_as_it_says(self, stage: Stage, name: str, left: list[set[str]]) -> None:
        assert self.play(stage, name) == [], "acknowledged, not retried for ever"
        assert list(stage.sources().values()) == left
        if left:
            assert stage.found(noise(700)), "the bytes that are there now"

    def test_an_event_without_a_key_fails_alone(self, stage: Stage) -> None:
        assert self.play(stage, "missing s3.object.key") == ["0"]

    @pytest.mark.parametrize(
        ("name", "poison", "failed"),
        [
            ("batch of 10, record 4 poison", "k4", ["4"]),
            ("batch of 10, all poison", "bad", [str(number) for number in range(10)]),
        ],
    )
    def test_poison_fails_alone(
        self, stage: Stage, monkeypatch: pytest.MonkeyPatch, name: str, poison: str, failed: list[str]
    ) -> None:
        """The recordings do not say what is wrong with the records, so the indexer fails on them here."""
        indexer: Any = dispatcher()._indexer
        index = indexer.index

        def poisoned(event: Created) -> Any:
            if poison in event.object.key.rsplit("/", 1)[1]:
                raise RuntimeError("poison")
            return index(event)

        monkeypatch.setattr(indexer, "index", poisoned)
        assert self.play(stage, name) == failed
        assert len(stage.sources()) == 10 - len(failed)

    def test_none_is_left_out(self) -> None:
        assert len(recorded()) == 20
