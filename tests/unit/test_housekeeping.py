"""What the local run does every hour."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.local.failed_uploads import FailedUploads
from infra.local.housekeeping import REJECTED_DAYS, TRASH_DAYS, Housekeeping
from infra.local.model_change import ModelChange
from infra.local.system import QueuedMessages
from shared.aws import messages
from shared.domain.events import PurgeTrash
from shared.domain.images import ObjectRef, Upload, UploadStatus, upload_key
from shared.domain.ledger import ImageKey
from shared.embedded.catalogue import EmbeddedCatalogue
from shared.embedded.database import Database
from shared.embedded.links import Links
from shared.embedded.migrations import open_database
from shared.embedded.objects import BUCKET, FolderObjects
from shared.embedded.purge_hold import PurgeHold
from shared.embedded.queue import Queue
from shared.embedded.trash import EmbeddedTrash
from shared.embedded.uploads import EmbeddedUploads
from tests.contract.stores.conftest import make_image

NOW = 1_800_000_000.0


class System:
    """The parts of a local run that its housekeeping needs."""

    def __init__(self, folder: Path) -> None:
        self.now = NOW
        self.database: Database = open_database(folder / "db")
        self.queue = Queue(self.database, self.clock)
        links = Links(self.database, lambda: "", self.clock)
        self.objects = FolderObjects(folder / "objects", self.database, self.queue, links, self.clock)
        self.uploads = EmbeddedUploads(self.database, self.clock)
        self.housekeeping = Housekeeping(
            self.objects,
            self.queue,
            FailedUploads(self.queue, self.objects, self.uploads),
            QueuedMessages(self.queue),
            PurgeHold(self.database, self.clock, lambda: 0),
            ModelChange(self.database, self.objects, "m"),
        )

    def clock(self) -> float:
        return self.now

    def purges(self) -> list[object]:
        """The purges that are queued."""
        self.now += 60
        found: list[object] = []
        while message := self.queue.receive():
            self.queue.delete(message)
            found += [event for event in messages.parse(message.body) if isinstance(event, PurgeTrash)]
        return found


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    made = System(tmp_path)
    yield made
    made.database.close()


def test_the_trash_is_purged_of_what_was_long_in_it_when_the_housekeeping_ran(system: System) -> None:
    system.housekeeping.once()
    before = datetime.fromtimestamp(NOW, UTC) - timedelta(days=TRASH_DAYS)
    assert system.purges() == [PurgeTrash(None, before.isoformat(timespec="microseconds"))]


def test_all_but_the_purge_goes_on_after_the_clock_has_jumped(system: System) -> None:
    unused: Any = None
    image = make_image("c")
    EmbeddedCatalogue(system.database, unused).add(image, ObjectRef(BUCKET, "k"))
    EmbeddedTrash(system.database).put(ImageKey("c", image.record.image_id), "1970-01-01T00:00:00.000000+00:00")
    refused = upload_key("c", "0" * 32)
    system.objects.write(refused, b"", "image/png")
    system.objects.mark_rejected(ObjectRef(BUCKET, refused))
    system.now += (REJECTED_DAYS + 1) * 86_400
    system.housekeeping.once()
    assert not system.objects.exists(refused)
    assert system.purges() == []


def test_a_message_comes_again_although_the_clock_was_set_back_while_it_waited(system: System) -> None:
    system.housekeeping.once()
    system.purges()
    system.queue.send("fails once")
    message = system.queue.receive()
    assert message
    system.queue.fail(message, "no luck")
    system.now -= 30 * 86_400
    assert system.queue.receive() is None
    system.housekeeping.once()
    again = system.queue.receive()
    assert again
    assert (again.body, again.failures) == ("fails once", 1)


def test_what_failed_for_good_can_be_tried_again_for_as_long_as_its_file_is_there(system: System) -> None:
    upload_id, others = "0" * 32, "1" * 32
    key = upload_key("c", upload_id)
    system.uploads.open(Upload(upload_id, "c", UploadStatus.PENDING, filename="a.png"), ObjectRef(BUCKET, key))
    system.objects.write(key, b"", "image/png")
    system.queue.send("no message of a file")
    while message := system.queue.receive():
        system.queue.bury(message, "no luck")
    system.uploads.fail(upload_id, "no luck")
    failed = FailedUploads(system.queue, system.objects, system.uploads)
    for _ in range(50):
        system.now += 86_400
        system.housekeeping.once()
        system.uploads.open(Upload(others, "c", UploadStatus.PENDING), ObjectRef(BUCKET, "k"))
    assert failed.count() == 1
    assert len(system.queue.dead_letters()) == 1
    kept = system.uploads.find(upload_id)
    assert kept
    assert kept.filename == "a.png"
    system.objects.delete(key)
    assert failed.count() == 0
    system.housekeeping.once()
    assert system.queue.dead_letters() == []
