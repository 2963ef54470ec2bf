"""A scan for duplicates waits for an index that is being built, and ends in a state that says so if it is given up."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from functions.ingest.duplicate_scanner import DuplicateScanner
from functions.ingest.message_ends import MessageEnds
from shared.aws.ingest_messages import IngestMessages
from shared.aws.messages import parse
from shared.domain.duplicate_scans import DuplicateScan, ScanStatus
from shared.domain.errors import IndexNotReady, PictureRefused
from shared.domain.events import DuplicateScanStep
from shared.domain.images import ImageRecord, ObjectRef, Page
from shared.domain.ledger import ImageKey
from shared.domain.limits import CHECK_HOURS, INDEX_RETRY_AFTER_SECONDS
from shared.domain.ports.objects import Fetched
from shared.domain.quality import Quality
from shared.embedded.database import Database
from shared.embedded.duplicate_scans import EmbeddedScans
from shared.embedded.migrations import open_database
from shared.embedded.uploads import EmbeddedUploads
from shared.search.duplicate_scans import DuplicateScans
from shared.search.grouping import Settled
from shared.vision.decode.decoding import SANDBOX, decode
from shared.vision.quality.measure import measure
from tests.images import noise

DATA = noise(40_100)
IMAGE = ImageRecord("c", hashlib.sha256(DATA).hexdigest(), "m", 9, 9, "png", 1, "0" * 16, "2026")


class Sent(IngestMessages):
    """Messages, kept as the queue would have them."""

    def __init__(self) -> None:
        self.waiting: list[tuple[str, int]] = []

    def _send(self, body: str, delay: int) -> None:
        self.waiting.append((body, delay))

    def step(self) -> DuplicateScanStep:
        """Receive the only message."""
        ((body, _),) = self.waiting
        self.waiting.clear()
        (event,) = parse(body)
        assert isinstance(event, DuplicateScanStep)
        return event


class System:
    """The scanner over a database, with one image, and an index that is ready or not."""

    def __init__(self, database: Database) -> None:
        self.now = datetime(2026, 11, 28, tzinfo=UTC)
        self.ready = False
        self.cursor: str | None = None
        self.messages = Sent()
        self.store = EmbeddedScans(database)
        self.scans = DuplicateScans(self.store, self.messages, clock=lambda: self.now)
        self.ends = MessageEnds(EmbeddedUploads(database), self.store)
        self.objects: dict[str, bytes] = {}
        self.rated: list[Quality] = []
        parts: dict[str, Any] = {"catalogue": self, "duplicates": self, "grouper": self, "objects": self}
        self.scanner = DuplicateScanner(
            scans=self.store,
            messages=self.messages,
            now=lambda: self.now.isoformat(timespec="seconds"),
            **parts,
        )

    def page(self, collection: str, **_: Any) -> Any:
        return Page([replace(IMAGE, collection=collection)], self.cursor)

    def records(self, *_: Any) -> dict[str, ImageRecord]:
        return {IMAGE.image_id: IMAGE} if self.objects else {}

    def find(self, *_: Any) -> ImageRecord:
        return replace(IMAGE, sources=[ObjectRef("b", key) for key in self.objects])

    def read(self, source: ObjectRef, _: int, reserve: Any) -> Fetched:
        reserve(len(self.objects[source.key]))
        return Fetched(self.objects[source.key], "etag", None)

    def rate(self, _: ImageKey, quality: Quality) -> None:
        self.rated.append(quality)

    def settle(self, _: Any) -> Settled:
        if not self.ready:
            raise IndexNotReady("The vector index is still being built.")
        return Settled(changed=True)

    def state(self) -> DuplicateScan:
        found = self.store.find("c")
        assert found
        return found


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    database = open_database(tmp_path / "pictrace.sqlite3")
    yield System(database)
    database.close()


def test_a_page_waits_for_the_index(system: System) -> None:
    system.scans.start("c", 1)
    for _ in range(10):
        system.scanner.step(system.messages.step())
        assert [delay for _, delay in system.messages.waiting] == [INDEX_RETRY_AFTER_SECONDS]
        assert system.state().status is ScanStatus.RUNNING
    system.ready = True
    system.scanner.step(system.messages.step())
    state = system.state()
    assert (state.status, state.done, state.changed) == (ScanStatus.DONE, 1, 1)


def test_it_fails_if_no_index_is_ready_for_hours_and_can_be_started_again(system: System) -> None:
    system.scans.start("c", 1)
    for _ in range(CHECK_HOURS + 1):
        assert system.state().status is ScanStatus.RUNNING
        system.scanner.step(system.messages.step())
        system.now += timedelta(hours=1)
    system.scanner.step(system.messages.step())
    assert system.messages.waiting == []
    assert system.state().status is ScanStatus.FAILED
    system.ready = True
    system.scans.start("c", 1)
    assert system.state().status is ScanStatus.RUNNING
    system.scanner.step(system.messages.step())
    assert system.state().status is ScanStatus.DONE


def test_it_waits_anew_for_an_index_that_was_ready_in_between(system: System) -> None:
    system.scans.start("c", 20)
    system.now += timedelta(hours=CHECK_HOURS + 1)
    system.scanner.step(system.messages.step())
    system.now += timedelta(hours=CHECK_HOURS - 1)
    system.ready, system.cursor = True, "2"
    system.scanner.step(system.messages.step())
    system.now += timedelta(hours=2)
    system.ready = False
    system.scanner.step(system.messages.step())
    assert system.state().status is ScanStatus.RUNNING
    system.ready, system.cursor = True, None
    system.scanner.step(system.messages.step())
    assert system.state().status is ScanStatus.DONE


def test_a_dead_letter_ends_it_and_a_redrive_goes_on(system: System) -> None:
    system.scans.start("c", 1)
    ((body, _),) = system.messages.waiting
    system.ends.fail(body, "m")
    assert system.state().status is ScanStatus.FAILED
    system.ready = True
    system.scanner.step(system.messages.step())
    assert system.state().status is ScanStatus.DONE


def test_the_dead_letter_of_an_earlier_scan_ends_no_later_one(system: System) -> None:
    system.scans.start("c", 1)
    ((body, _),) = system.messages.waiting
    system.scans.start("c", 1)
    system.ends.fail(body, "m")
    assert system.state().status is ScanStatus.RUNNING
    system.ends.fail(json.dumps({"unknown": True}), "m")


def test_the_quality_of_an_image_is_measured_in_its_own_bytes(system: System) -> None:
    """One of its objects has just been replaced, which has its own event."""
    system.ready = True
    system.objects = {"replaced": noise(40_101)}
    system.scans.start("c", 1)
    system.scanner.step(system.messages.step())
    assert (system.state().status, system.rated) == (ScanStatus.DONE, [])
    system.objects |= {"its own": DATA}
    system.scans.start("c", 1)
    system.scanner.step(system.messages.step())
    decoded = decode(DATA)
    assert system.rated == [measure(DATA, decoded.rgb, decoded.format, (decoded.width, decoded.height))]


def test_it_waits_for_as_long_as_other_images_are_decoded(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float | None] = []

    def busy(data: bytes, *, heavy: bool, patience: float | None) -> Any:
        waited.append(patience)
        raise PictureRefused("too_complex", "This is enough.")

    monkeypatch.setattr(SANDBOX, "decode", busy)
    system.ready, system.objects = True, {"a": DATA}
    system.scans.start("c", 1)
    system.scanner.step(system.messages.step())
    assert waited == [None]
