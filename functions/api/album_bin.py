"""Delete albums so that they can be restored, and restore them."""

from collections.abc import Callable
from datetime import datetime

from functions.api.trash_bin import now
from shared.domain.albums import Album, AlbumKey, AlbumMissing
from shared.domain.errors import NotFound
from shared.domain.ledger import ConflictError
from shared.domain.ports.albums import Albums, AlbumTrash, Shares
from shared.domain.ports.services import Messages
from shared.domain.trash import TrashedAlbumPage


class AlbumBin:
    """The trash of albums of one deployment.

    Args:
        messages: has the ingest function purge what is in the trash.
        days: how long an album stays in the trash; with 0, a deletion is final at once.
    """

    def __init__(
        self,
        *,
        albums: Albums,
        trash: AlbumTrash,
        shares: Shares,
        messages: Messages,
        days: int,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._albums = albums
        self._trash = trash
        self._shares = shares
        self._messages = messages
        self._days = days
        self._clock = clock

    @property
    def days(self) -> int:
        return self._days

    def delete(self, key: AlbumKey) -> None:
        """Move an album into the trash.

        Raises:
            AlbumMissing: it does not exist.
        """
        if not self._trash.put(key, self._clock().isoformat(timespec="microseconds")):
            raise AlbumMissing
        if self._days == 0:
            self._messages.purge(key.collection, None)

    def restore(self, key: AlbumKey) -> Album:
        """Restore an album with its images and links.

        Raises:
            NotFound: it is not in the trash.
        """
        if self._days == 0 or not self._trash.take_out(key):
            raise NotFound("There is no album with this id in the trash.")
        return self._existing(key)

    def page(self, collection: str, *, limit: int, cursor: str | None) -> TrashedAlbumPage:
        """Return one page of a collection's deleted albums; see `shared.domain.ports.albums.AlbumTrash`."""
        return self._trash.page(collection, limit=limit, cursor=cursor)

    def bring(self, album: Album) -> Album:
        """Create an album unless there is one with its key, which is returned.

        One in the trash is restored without its links, since who brings it does not know of them.

        Raises:
            ConflictError: it is being purged.
        """
        self._albums.create(album)
        if self._albums.find(album.key) is None:
            for share in self._shares.list_all(album.key):
                self._shares.revoke(album.key, share.share_id)
            self._trash.take_out(album.key)
        return self._existing(album.key)

    def _existing(self, key: AlbumKey) -> Album:
        found = self._albums.find(key)
        if found is None:
            raise ConflictError
        return found
