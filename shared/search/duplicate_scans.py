"""Start comparing every image of a collection again."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime

from shared.domain.duplicate_scans import DuplicateScan, ScanStatus
from shared.domain.events import DuplicateScanStep
from shared.domain.ports.duplicates import Scans
from shared.domain.ports.services import Messages


class DuplicateScans:
    """Starts scans and reads their progress."""

    def __init__(
        self, scans: Scans, messages: Messages, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
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
