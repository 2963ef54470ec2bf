"""The trash: images and albums that were deleted and can still be restored."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.domain.albums import Album
from shared.domain.images import ImageRecord

ALBUM_PLACE_PATTERN: Final = r"^[0-9T:.+-]{1,40}#[0-9a-f]{32}$"
"""Of the place of an album in a listing of the trash: when it was deleted, and its id."""


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


@dataclass(frozen=True, slots=True)
class TrashedAlbum:
    """An album in the trash, and when it was deleted (ISO 8601 in UTC)."""

    album: Album
    trashed_at: str


@dataclass(frozen=True, slots=True)
class TrashedAlbumPage:
    """A page of a collection's deleted albums, the last deleted first, and the cursor of the next page, or None."""

    albums: Sequence[TrashedAlbum]
    cursor: str | None = None


def purged_at(trashed_at: str, days: int) -> str:
    """Return when an image or album is purged that was deleted at `trashed_at`, ISO 8601 in UTC."""
    return (datetime.fromisoformat(trashed_at) + timedelta(days=days)).isoformat(timespec="seconds")
