"""The trash: images that were deleted and can still be restored."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.images import ImageRecord


@dataclass(frozen=True, slots=True)
class TrashedImage:
    """An image in the trash, and when it was deleted (ISO 8601 in UTC)."""

    record: ImageRecord
    trashed_at: str


@dataclass(frozen=True, slots=True)
class TrashPage:
    """A page of a collection's trash, the last deleted first, and the cursor of the next page (None on the last)."""

    images: Sequence[TrashedImage]
    cursor: str | None = None


def purged_at(trashed_at: str, days: int) -> str:
    """Return when an image is purged that was deleted at `trashed_at`, ISO 8601 in UTC."""
    return (datetime.fromisoformat(trashed_at) + timedelta(days=days)).isoformat(timespec="seconds")
