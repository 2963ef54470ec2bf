"""Links that show one album to everybody who has them, and nothing else."""

import re
import secrets
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

from shared.domain.albums import (
    SHARE_PATTERN,
    Album,
    AlbumKey,
    AlbumMissing,
    Share,
    new_token,
    token_hash,
)
from shared.domain.errors import NotFound
from shared.domain.filters import ImageFilter, Order, Sort
from shared.domain.images import ImageRecord, Page
from shared.domain.ports.albums import Albums, Shares
from shared.domain.ports.catalogue import Catalogue

_DAY: Final = 86_400
NO_LINK: Final = "There is no album under this link, or no longer."
"""The same for a token that never was, has ended or was revoked, and for an album that was deleted."""


def existing_album(albums: Albums, key: AlbumKey) -> Album:
    """Raises AlbumMissing."""
    album = albums.find(key)
    if album is None:
        raise AlbumMissing
    return album


class AlbumShares:
    """The links to albums.

    Args:
        clock: seconds since the epoch.
    """

    def __init__(
        self, *, albums: Albums, shares: Shares, catalogue: Catalogue, clock: Callable[[], float] = time.time
    ) -> None:
        self._albums = albums
        self._shares = shares
        self._catalogue = catalogue
        self._clock = clock

    def create(self, key: AlbumKey, days: int) -> tuple[Share, str]:
        """Create a link that ends after `days`; return it with its token, which is not stored.

        Raises:
            AlbumMissing: there is no such album.
        """
        existing_album(self._albums, key)
        now, token = self._clock(), new_token()
        created_at = datetime.fromtimestamp(now, UTC).isoformat(timespec="seconds")
        share = Share(secrets.token_hex(16), key, created_at, int(now) + days * _DAY)
        self._shares.create(share, token_hash(token))
        return share, token

    def list_all(self, key: AlbumKey) -> Sequence[Share]:
        """Return the links to an album that have not ended.

        Raises:
            AlbumMissing: there is no such album.
        """
        existing_album(self._albums, key)
        return [share for share in self._shares.list_all(key) if share.expires_at > self._clock()]

    def revoke(self, key: AlbumKey, share_id: str) -> None:
        """Raises NotFound if the album has no such link."""
        if not self._shares.revoke(key, share_id):
            raise NotFound("The album has no link with this id.")

    def open(self, token: str) -> tuple[Album, Share]:
        """Return the album under a link.

        Raises:
            NotFound: see `NO_LINK`.
        """
        share = self._shares.find(token_hash(token)) if re.fullmatch(SHARE_PATTERN, token) else None
        if share is None or share.expires_at <= self._clock():
            raise NotFound(NO_LINK)
        album = self._albums.find(share.album)
        if album is None:
            raise NotFound(NO_LINK)
        return album, share

    def page(self, token: str, *, limit: int, cursor: str | None) -> Page:
        """Return one page of the images under a link, by when they were taken, the first first.

        Raises:
            NotFound: see `NO_LINK`.
            InvalidCursor: see `Catalogue.page`.
        """
        album, _ = self.open(token)
        wanted = ImageFilter(album=album.key.album_id)
        return self._catalogue.page(
            album.key.collection, wanted=wanted, sort=Sort.TAKEN, order=Order.OLDEST, limit=limit, cursor=cursor
        )

    def image(self, token: str, image_id: str) -> ImageRecord:
        """Return an image of the album under a link.

        Raises:
            NotFound: see `NO_LINK`, or the album does not have the image, or it is in the trash.
        """
        album, _ = self.open(token)
        held = self._albums.held(album.key, [image_id])
        record = self._catalogue.find(image_id, album.key.collection) if held else None
        if record is None:
            raise NotFound("There is no image with this id.")
        return record
