"""Recorded and constructed sequences of events, replayed on the running system, end in the expected state."""

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
from tests.integration.conftest import in_stack_bucket, invoke_ingest
from tests.unit.test_messages import eventbridge_event, notification, sns_envelope

EVAL_DATA = os.environ.get("PICTRACE_EVAL_DATA")


class IsolatedCollection:
    """One collection of the bucket, whose objects are put and deleted without S3 events."""

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
        return in_stack_bucket(
            self.running, {"Records": [notification(self.key(name), kind, sequencer=sequencer, **extra)]}
        )

    def deliver(self, *bodies: Any) -> list[str]:
        """Handle messages as one batch, and return the positions of those that failed."""
        records = [
            {"messageId": str(index), "eventSource": "aws:sqs", "attributes": {}, "body": json.dumps(body)}
            for index, body in enumerate(bodies)
        ]
        return [failure["itemIdentifier"] for failure in invoke_ingest({"Records": records})["batchItemFailures"]]

    def sources(self) -> dict[str, set[str]]:
        """The collection as the API shows it: the names of the objects of each image."""
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
def isolated(running: PicTrace, put: Callable[..., str]) -> IsolatedCollection:
    return IsolatedCollection(running, put)


CREATED, REMOVED = "ObjectCreated:Put", "ObjectRemoved:Delete"


def test_a_removal_delivered_before_its_creation_wins(isolated: IsolatedCollection) -> None:
    isolated.put("a", noise(600))  # the object still exists: only the sequencer shows the order
    assert isolated.deliver(isolated.event("a", REMOVED, "05")) == []
    assert isolated.deliver(isolated.event("a", CREATED, "04")) == []
    assert isolated.sources() == {}
    assert isolated.deliver(isolated.event("a", CREATED, "06")) == []
    assert isolated.found(noise(600))


def test_overwriting_an_object_replaces_its_image_and_cleans_up(isolated: IsolatedCollection) -> None:
    isolated.put("a", noise(601))
    isolated.deliver(isolated.event("a", CREATED, "01"))
    [old] = isolated.sources()
    isolated.put("a", noise(602))
    isolated.deliver(isolated.event("a", CREATED, "02"))
    [new] = isolated.sources()
    assert new != old
    assert not isolated.found(noise(601))
    pages = boto3.client("s3").get_paginator("list_objects_v2").paginate(Bucket=isolated.bucket, Prefix="signatures/")
    listed = {entry["Key"].rsplit("/", 1)[1] for page in pages for entry in page.get("Contents", [])}
    assert {old, new} & listed == {new}


def test_overwriting_an_object_with_a_file_that_is_not_an_image_removes_its_image(isolated: IsolatedCollection) -> None:
    isolated.put("a", noise(603))
    isolated.deliver(isolated.event("a", CREATED, "01"))
    isolated.put("a", b"no image")
    isolated.deliver(isolated.event("a", CREATED, "02"))
    assert isolated.sources() == {}


def test_an_image_under_many_keys_is_removed_with_the_last_one(isolated: IsolatedCollection) -> None:
    for index, name in enumerate("abc"):
        isolated.put(name, noise(604))
        isolated.deliver(isolated.event(name, CREATED, f"0{index}"))
    assert list(isolated.sources().values()) == [{"a", "b", "c"}]
    for name in "ab":
        isolated.delete(name)
        isolated.deliver(isolated.event(name, REMOVED, "0A"))
        assert isolated.found(noise(604))
    isolated.delete("c")
    isolated.deliver(isolated.event("c", REMOVED, "0A"))
    assert not isolated.found(noise(604))
    assert isolated.sources() == {}


def test_fifty_workers_indexing_the_same_image_create_one_record(isolated: IsolatedCollection) -> None:
    """One correct record with every key as a source, exactly one of which is reported as its first source."""
    names = [f"{number:02}" for number in range(50)]
    for name in names:
        isolated.put(name, noise(605))
    ready = threading.Barrier(len(names))
    outcomes, failures = [], []

    def work(name: str) -> None:
        ready.wait()
        try:
            event = Created(ObjectRef(isolated.bucket, isolated.key(name)), "01")
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
    [(_, sources)] = isolated.sources().items()
    assert len(sources) == 50
    assert isolated.found(noise(605))


def test_fifty_workers_handling_the_same_message_create_one_record(isolated: IsolatedCollection) -> None:
    isolated.put("a", noise(606))
    body = json.dumps(isolated.event("a", CREATED, "01"))
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
    assert list(isolated.sources().values()) == [{"a"}]


def recorded() -> list[Any]:
    if not EVAL_DATA:
        return []
    text = (Path(EVAL_DATA) / "corpus" / "cases" / "event_sequences.json").read_text(encoding="utf-8")
    cases: list[Any] = json.loads(text)
    return cases


class TestRecorded:
    """The recorded sequences name a bucket `b` and keys; the last event's ETag determines the content of a key."""

    @pytest.fixture(autouse=True)
    def _needs_the_recordings(self) -> None:
        if not EVAL_DATA:
            pytest.skip("PICTRACE_EVAL_DATA does not name a folder with corpus/cases/event_sequences.json")

    def play(self, isolated: IsolatedCollection, name: str) -> list[str]:
        """Put the objects of the events, and deliver each event as a separate message in one batch."""
        [case] = [case for case in recorded() if case["case"] == name]
        events = (
            {
                "wrap": [sns_envelope(json.dumps({"Records": [notification("k", sequencer="01")]}))],
                "eb": [eventbridge_event("k%20+")],
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
                self.place(isolated, key, name)
        if isinstance(case["events"], str):
            self.place(isolated, "k%20+" if case["events"] == "eb" else "k", name)
        return isolated.deliver(*(self.staged(isolated, event) for event in events or []))

    def place(self, isolated: IsolatedCollection, key: str, name: str) -> None:
        poison = key.startswith("bad")
        if not poison:
            distinct = name.startswith("batch")
            isolated.put(key, noise(700 + (int(key[1:]) if distinct else 0)))

    def staged(self, isolated: IsolatedCollection, body: dict[str, Any]) -> dict[str, Any]:
        """The event with the stack's bucket for `b` and `images`, and an upload key of the collection."""
        text = json.dumps(body)
        for name in ("b", "images"):
            text = text.replace(f'{{"name": "{name}"', f'{{"name": "{isolated.bucket}"')
            text = text.replace(f'{{\\"name\\": \\"{name}\\"', f'{{\\"name\\": \\"{isolated.bucket}\\"')
        text = text.replace('"key": "', f'"key": "uploads/{isolated.collection}/')
        text = text.replace('\\"key\\": \\"', f'\\"key\\": \\"uploads/{isolated.collection}/')
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
    def test_a_recorded_sequence_ends_in_the_expected_state(
        self, isolated: IsolatedCollection, name: str, left: list[set[str]]
    ) -> None:
        assert self.play(isolated, name) == [], "every message is acknowledged, not retried forever"
        assert list(isolated.sources().values()) == left
        if left:
            assert isolated.found(noise(700)), "the bytes that are there now"

    def test_an_event_without_a_key_fails_alone(self, isolated: IsolatedCollection) -> None:
        assert self.play(isolated, "missing s3.object.key") == ["0"]

    @pytest.mark.parametrize(
        ("name", "poison", "failed"),
        [
            ("batch of 10, record 4 poison", "k4", ["4"]),
            ("batch of 10, all poison", "bad", [str(number) for number in range(10)]),
        ],
    )
    def test_only_the_poison_records_of_a_batch_fail(
        self, isolated: IsolatedCollection, monkeypatch: pytest.MonkeyPatch, name: str, poison: str, failed: list[str]
    ) -> None:
        """The recordings do not say what is wrong with the records, so the test makes the indexer fail on them."""
        indexer: Any = dispatcher()._indexer
        index = indexer.index

        def poisoned(event: Created, *group: Any) -> Any:
            if poison in event.object.key.rsplit("/", 1)[1]:
                raise RuntimeError("poison")
            return index(event, *group)

        monkeypatch.setattr(indexer, "index", poisoned)
        assert self.play(isolated, name) == failed
        assert len(isolated.sources()) == 10 - len(failed)

    def test_every_recorded_sequence_is_tested(self) -> None:
        assert len(recorded()) == 20
