"""Compare every image of a collection again."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from shared.domain.events import DuplicateScanStep

if TYPE_CHECKING:
    from shared.domain.ports import Messages, Scans


class ScanStatus(StrEnum):
    """Whether a scan is under way."""

    RUNNING = "running"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class DuplicateScan:
    """The progress of the last scan of a collection.

    Attributes:
        cursor: of the page that is compared next; None at the start and at the end.
        images: number of images at the start.
        done, changed: number of images compared, and of those whose group changed.
        started_at: ISO 8601 in UTC.
    """

    collection: str
    scan_id: str
    status: ScanStatus
    images: int
    started_at: str
    cursor: str | None = None
    done: int = 0
    changed: int = 0


class DuplicateScans:
    """Starts scans and reads their progress."""

    def __init__(
        self, scans: "Scans", messages: "Messages", clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._scans = scans
        self._messages = messages
        self._clock = clock

    def start(self, collection: str, images: int) -> DuplicateScan:
        """Start a scan of a collection, in place of one that may be running."""
        started = self._clock().isoformat(timespec="seconds")
        scan = DuplicateScan(collection, uuid.uuid4().hex, ScanStatus.RUNNING, images, started)
        self._scans.put(scan)
        self._messages.scan(DuplicateScanStep(collection, scan.scan_id))
        return scan

    def find(self, collection: str) -> DuplicateScan | None:
        """Return the last scan of a collection."""
        return self._scans.find(collection)
