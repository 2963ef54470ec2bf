"""A scan for duplicates waits for an index that is being built, and ends in a state that says so if it is given up."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from functions.ingest.duplicate_scanner import DuplicateScanner
from functions.ingest.message_ends import MessageEnds
from shared.aws.ingest_messages import IngestMessages
from shared.aws.messages import parse
from shared.domain.duplicate_scans import DuplicateScan, ScanStatus
from shared.domain.errors import IndexNotReady
from shared.domain.events import DuplicateScanStep
from shared.domain.limits import CHECK_HOURS, INDEX_RETRY_AFTER_SECONDS
from shared.embedded.database import Database
from shared.embedded.duplicate_scans import EmbeddedScans
from shared.embedded.duplicates import EmbeddedDuplicates
from shared.embedded.migrations import open_database
from shared.embedded.uploads import EmbeddedUploads
from shared.search.duplicate_scans import DuplicateScans
from shared.search.grouping import Settled


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
        parts: dict[str, Any] = {"catalogue": self, "grouper": self, "objects": None}
        self.scanner = DuplicateScanner(
            scans=self.store,
            duplicates=EmbeddedDuplicates(database),
            messages=self.messages,
            now=lambda: self.now.isoformat(timespec="seconds"),
            **parts,
        )

    def page(self, collection: str, **_: Any) -> Any:
        record = type("Record", (), {"collection": collection, "image_id": "a" * 64})
        return type("Page", (), {"records": [record], "cursor": self.cursor})

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
