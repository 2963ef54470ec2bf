"""Collections and their trash."""

from collections.abc import Collection, Sequence
from typing import Protocol

from shared.domain.collections import CollectionEntry, CollectionPage
from shared.domain.ledger import ImageKey
from shared.domain.trash import TrashPage


class Collections(Protocol):
    """Stores which collections exist. A catalogue registers the collection of each image that it stores."""

    def register(self, name: str) -> None:
        """Note that a collection is used, unless this process did so within the last minute."""
        ...

    def put(self, name: str, title: str | None) -> CollectionEntry:
        """Create a collection, or change its title."""
        ...

    def set_faces(self, name: str, *, on: bool) -> CollectionEntry:
        """Have the faces of a collection's images found and kept from now on, or not; it is created if it is new."""
        ...

    def page(self, *, limit: int, cursor: str | None) -> CollectionPage:
        """Return one page of all collections.

        Raises:
            InvalidCursor: the cursor is malformed.
        """
        ...

    def find(self, names: Collection[str]) -> Sequence[CollectionEntry]:
        """Return those of the collections, at most 100, that exist."""
        ...

    def remove(self, name: str) -> None: ...


class Trash(Protocol):
    """Hides images that were deleted, until they are restored or purged. Their objects and sources stay."""

    def put(self, image: ImageKey, at: str) -> bool:
        """Move an image into the trash; return False if the collection does not have it.

        No search, listing or read of the catalogue returns it any more, except that `occurrences` has its record, so
        that nothing takes its objects for orphans. Storing it again (`Catalogue.add`) restores it.

        Args:
            at: now, ISO 8601 in UTC.
        """
        ...

    def take_out(self, image: ImageKey) -> bool:
        """Restore an image; return False if it is not in the trash, or condemned."""
        ...

    def holds(self, image: ImageKey) -> bool: ...

    def condemn(self, image: ImageKey, before: str) -> bool:
        """Begin to purge an image, which cannot be restored from then on, except that it is stored again.

        Until its record is deleted it is still due, so that a purge that died is completed.

        Returns:
            False if it is not in the trash, or was moved there at `before` or later.
        """
        ...

    def page(self, collection: str, *, limit: int, cursor: str | None) -> TrashPage:
        """Return one page of a collection's trash, the last deleted first.

        Raises:
            InvalidCursor: the cursor is malformed or belongs to another collection.
        """
        ...

    def due(self, before: str, limit: int, collection: str | None = None) -> Sequence[ImageKey]:
        """Return images of one collection, or of any, that were deleted before a time, ISO 8601 in UTC."""
        ...
