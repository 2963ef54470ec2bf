"""Albums, their trash, and the links to them."""

from collections.abc import Collection, Sequence
from typing import Protocol

from shared.domain.albums import Album, AlbumChange, AlbumKey, AlbumPage, Share
from shared.domain.ledger import ImageKey
from shared.domain.trash import TrashedAlbumPage


class Albums(Protocol):
    """Stores albums. Which images an album has, `Catalogue.page` tells (`ImageFilter.album`).

    An image that is purged leaves all of its albums; one in the trash stays in them, unseen. An album in the trash does
    not exist for any method but `create` and `held`.
    """

    def create(self, album: Album) -> None:
        """Create an album, unless there is one with its key, be it in the trash."""
        ...

    def find(self, key: AlbumKey) -> Album | None: ...
    def change(self, key: AlbumKey, change: AlbumChange) -> Album:
        """Change an album; return it.

        Raises:
            AlbumMissing: it does not exist.
        """
        ...

    def page(self, collection: str, *, limit: int, cursor: str | None) -> AlbumPage:
        """Return one page of a collection's albums, the newest first.

        Raises:
            InvalidCursor: the cursor is malformed or belongs to another collection.
        """
        ...

    def of_image(self, image: ImageKey) -> Sequence[Album]:
        """Return the albums that have an image, the newest first."""
        ...

    def held(self, key: AlbumKey, image_ids: Collection[str]) -> Collection[str]:
        """Return those of some images that an album has; all of them may be in the trash."""
        ...

    def add(self, key: AlbumKey, image_ids: Sequence[str]) -> Sequence[str]:
        """Add images, at most `MAX_ALBUM_CHANGES`; return those that the collection does not have.

        Raises:
            AlbumMissing: the album does not exist.
            AlbumFull: it would have more than `MAX_ALBUM_IMAGES` images; some may have been added.
            ConflictError: others kept changing the same images or the album.
        """
        ...

    def remove(self, key: AlbumKey, image_ids: Sequence[str]) -> None:
        """Remove images, at most `MAX_ALBUM_CHANGES`, from an album; those that it does not have do not matter.

        Raises:
            ConflictError: others kept changing the same images or the album.
        """
        ...


class AlbumTrash(Protocol):
    """Hides albums that were deleted, until they are restored or purged. Their images and links stay with them."""

    def put(self, key: AlbumKey, at: str) -> bool:
        """Move an album into the trash; return False if it does not exist.

        Args:
            at: now, ISO 8601 in UTC.
        """
        ...

    def take_out(self, key: AlbumKey) -> bool:
        """Restore an album with its images and links; return False if it is not in the trash, or being purged."""
        ...

    def page(self, collection: str, *, limit: int, cursor: str | None) -> TrashedAlbumPage:
        """Return one page of a collection's deleted albums, the last deleted first.

        Raises:
            InvalidCursor: the cursor is malformed or belongs to another collection.
        """
        ...

    def due(self, before: str, limit: int, collection: str | None = None) -> Sequence[AlbumKey]:
        """Return albums of one collection, or of any, that were deleted before a time, ISO 8601 in UTC."""
        ...

    def purge(self, key: AlbumKey, before: str, limit: int) -> bool:
        """Remove an album that was deleted before a time for good, with its links; its images stay in the collection.

        Args:
            limit: maximum number of links and entries that one call deletes.

        Returns:
            Whether nothing is left to do, as with an album that was restored; if not, the call is to be repeated.
        """
        ...


class Shares(Protocol):
    """Stores links to albums by the hashes of their tokens."""

    def create(self, share: Share, token_hash: str) -> None:
        """Create a link.

        Raises:
            AlbumMissing: its album does not exist.
        """
        ...

    def find(self, token_hash: str) -> Share | None:
        """Return the link with a token; it may have ended, or its album may be gone."""
        ...

    def list_all(self, album: AlbumKey) -> Sequence[Share]:
        """Return the links to an album, also those that have ended a short while ago, the first created first."""
        ...

    def revoke(self, album: AlbumKey, share_id: str) -> bool:
        """Delete a link; return False if there is none."""
        ...
