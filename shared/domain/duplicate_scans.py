"""The progress of comparing every image of a collection again."""

from dataclasses import dataclass
from enum import StrEnum


class ScanStatus(StrEnum):
    """Whether a scan is under way. `FAILED`: it was given up before its end; what was compared by then stays."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


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
