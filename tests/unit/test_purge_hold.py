"""The trash is not purged by a clock that was wrong, when an image was deleted or now."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.local.housekeeping import TRASH_DAYS
from shared.domain.images import ObjectRef
from shared.domain.ledger import ImageKey
from shared.embedded.catalogue import EmbeddedCatalogue
from shared.embedded.database import Database
from shared.embedded.migrations import open_database
from shared.embedded.objects import BUCKET
from shared.embedded.purge_hold import PurgeHold
from shared.embedded.trash import EmbeddedTrash
from tests.contract.stores.conftest import make_image

HOUR, DAY = 3600.0, 86_400.0
NOW = 1_800_000_000.0


@dataclass
class Machine:
    """A machine with a clock, and a data folder on it."""

    database: Database
    now: float = NOW
    up: float = 0.0
    images: int = 0
    hold: PurgeHold = field(init=False)

    def start(self) -> None:
        """Start the system."""
        self.hold = PurgeHold(self.database, lambda: self.now, lambda: self.up)

    def run(self, hours: int) -> list[int]:
        """Let the system run, with its housekeeping; return how many images may be purged at once each time."""
        found = []
        for _ in range(hours):
            found.append(self.purgeable())
            self.up += HOUR
            self.now += HOUR
            self.hold.note_time()
        return found

    def purgeable(self) -> int:
        """The number of images that are purged if the housekeeping runs now."""
        before = self.hold.purge_before(timedelta(days=TRASH_DAYS))
        return len(EmbeddedTrash(self.database).due(before.isoformat(timespec="microseconds"), 9)) if before else 0

    def delete_image(self) -> None:
        unused: Any = None
        image = make_image("c", image_id=f"{self.images:064x}")
        self.images += 1
        EmbeddedCatalogue(self.database, unused).add(image, ObjectRef(BUCKET, "k"))
        deleted_at = datetime.fromtimestamp(self.now, UTC).isoformat(timespec="microseconds")
        assert EmbeddedTrash(self.database).put(ImageKey("c", image.record.image_id), deleted_at)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    database = open_database(tmp_path / "db")
    made = Machine(database)
    made.start()
    yield made
    database.close()


def test_images_are_purged_once_they_were_kept_long_enough(machine: Machine) -> None:
    machine.purgeable()
    machine.delete_image()
    for _ in range(TRASH_DAYS):
        assert machine.run(1) == [0]
        machine.now += DAY - HOUR
        machine.start()
    machine.now += 1
    assert machine.run(1) == [1]


def test_images_deleted_while_the_clock_was_at_1970_stay_for_a_day_after_it_was_corrected(machine: Machine) -> None:
    machine.run(1)
    correct, machine.now = machine.now, 0.0
    machine.start()
    machine.run(1)
    machine.delete_image()
    machine.now = correct + HOUR
    assert machine.run(25) == [0] * 24 + [1]


def test_a_clock_that_is_a_month_ahead_purges_nothing_until_it_is_corrected(
    machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    machine.delete_image()
    machine.run(26)
    correct = machine.now
    machine.now += 40 * DAY
    machine.start()
    assert machine.run(23) == [0] * 23
    assert [record.message for record in caplog.records[1:]] == [
        "The clock may have been wrong: nothing is purged from the trash in the next 24 hours."
    ]
    machine.now = correct + DAY
    assert machine.run(30) == [0] * 30


def test_no_restart_ends_the_hold_and_the_time_of_several_runs_counts(machine: Machine) -> None:
    machine.run(1)
    machine.delete_image()
    machine.now += 40 * DAY
    for _ in range(3):
        machine.start()
        assert machine.run(8) == [0] * 8
    machine.start()
    assert machine.run(1) == [1]


def test_a_trash_of_which_no_run_has_noted_the_time_is_held(machine: Machine) -> None:
    machine.now = 0.0
    machine.delete_image()
    machine.now = NOW
    assert machine.run(25) == [0] * 24 + [1]
