"""Albums: images of a collection that somebody put together, and links that share them."""

import hashlib
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import EllipsisType
from typing import Final

from shared.domain.annotations import KEEP
from shared.domain.errors import NotFound

ALBUM_ID_PATTERN: Final = r"^[0-9a-f]{32}$"
SHARE_PATTERN: Final = r"^[A-Za-z0-9_-]{43}$"
"""Of a link's token."""
_TOKEN_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class AlbumKey:
    """An album of a collection."""

    collection: str
    album_id: str


@dataclass(frozen=True, slots=True)
class Album:
    """An album.

    Attributes:
        cover: `image_id` of the image that stands for it; None for one without images, or if that one has left it.
        images: number of its images, those in the trash included.
        created_at: ISO 8601 in UTC with seconds.
    """

    key: AlbumKey
    title: str
    description: str | None
    cover: str | None
    images: int
    created_at: str


@dataclass(frozen=True, slots=True)
class AlbumChange:
    """A change of an album; None removes the description or the cover."""

    title: str | EllipsisType = KEEP
    description: str | EllipsisType | None = KEEP
    cover: str | EllipsisType | None = KEEP

    def apply(self, before: Album) -> Album:
        return replace(
            before,
            title=before.title if self.title is KEEP else self.title,
            description=before.description if self.description is KEEP else self.description or None,
            cover=before.cover if self.cover is KEEP else self.cover,
        )


@dataclass(frozen=True, slots=True)
class AlbumPage:
    """A page of a collection's albums, the newest first, and the cursor of the next page (None on the last one)."""

    albums: Sequence[Album]
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """A link to an album, whose token is not stored.

    Attributes:
        created_at: ISO 8601 in UTC with seconds.
        expires_at: when it ends, in seconds since the epoch.
    """

    share_id: str
    album: AlbumKey
    created_at: str
    expires_at: int


class AlbumMissing(NotFound):
    """There is no such album."""

    def __init__(self) -> None:
        super().__init__("There is no album with this id.")


class AlbumFull(Exception):  # noqa: N818 - a refusal, named as the other refusals
    """An album would have more than `MAX_ALBUM_IMAGES` images."""


def new_album_id() -> str:
    """Return an id that nobody can guess, greater than those of albums that were created microseconds before."""
    return f"{time.time_ns() // 1000:014x}{secrets.token_hex(9)}"


def new_token() -> str:
    """Return the secret of a link, 256 bits in 43 characters."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def token_hash(token: str) -> str:
    """Return what is stored of a token: its SHA-256. It is random, so it needs neither salt nor a slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()
