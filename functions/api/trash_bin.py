"""Delete images so that they can be restored, restore them, and purge them."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

from aws_lambda_powertools import Logger

from functions.api.outages import Outages
from shared.domain.errors import NotFound
from shared.domain.events import TrashChanged
from shared.domain.ledger import ConflictError, ImageKey
from shared.domain.limits import DEFAULT_PAGE
from shared.domain.people.faces import Faces
from shared.domain.ports.catalogue import Catalogue
from shared.domain.ports.collections import Collections, Trash
from shared.domain.ports.services import Messages
from shared.domain.removal import Remover
from shared.domain.trash import TrashPage

logger = Logger(service="api", child=True)

NOT_THERE: Final = "There is no image with this id in the trash."

_LATER: Final = "9999"
"""After every time of deletion."""


def now() -> datetime:
    return datetime.now(UTC)


class TrashBin:
    """The trash of one deployment.

    Methods with the argument `collections` ignore all others; None means every collection.

    Args:
        messages: has the ingest function do what a move of an image requires, even if this process dies.
        days: how long an image stays in the trash; with 0, a deletion is final at once.
    """

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        collections: Collections,
        trash: Trash,
        remover: Remover,
        faces: Faces,
        messages: Messages,
        outages: Outages,
        days: int,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._catalogue = catalogue
        self._collections = collections
        self._trash = trash
        self._remover = remover
        self._faces = faces
        self._messages = messages
        self._passing: tuple[type[Exception], ...] = (ConflictError, *outages.errors)
        self._days = days
        self._clock = clock

    @property
    def days(self) -> int:
        return self._days

    def delete(self, image_id: str, collections: Sequence[str] | None) -> None:
        """Move an image of each of `collections` into the trash, or remove it if there is none.

        Raises:
            NotFound: none of them has it.
            ConflictError: the same bytes were uploaded again in every round of a removal.
        """
        deleted = [
            self._delete(ImageKey(owner, image_id))
            for collection in ((None,) if collections is None else collections)
            for owner in self._owners(image_id, collection)
        ]
        if not any(deleted):
            where = "" if collections is None else f" in {' or '.join(collections)}"
            raise NotFound(f"There is no image with this id{where}.")

    def _owners(self, image_id: str, collection: str | None) -> Sequence[str]:
        held = self._catalogue.occurrences(image_id, collection)
        return sorted({*held.collections, *(owner for owner, _ in held.sources)})

    def _delete(self, image: ImageKey) -> bool:
        if self._days == 0:
            return self._remover.remove(image.image_id, image.collection)
        if self._catalogue.existing([image.image_id], image.collection):
            now = self._now()
            self._messages.trash_changed(TrashChanged(image, restored=False, at=now))
            if self._trash.put(image, now):
                self._withdraw_faces(image)
                return True
        # It is in the trash already, or lost its record to a removal that died and is completed here.
        return not self._trash.holds(image) and self._remover.remove(image.image_id, image.collection)

    def _withdraw_faces(self, image: ImageKey) -> None:
        """Withdraw the faces of a deleted image at once; otherwise the message has it done, when its turn comes."""
        try:
            self._faces.remove(image.collection, image.image_id)
        except self._passing as error:
            logger.warning("the faces of a deleted image are withdrawn later", exc_info=error)

    def restore(self, image_id: str, collection: str) -> None:
        """Restore an image with its record, sources and group.

        Raises:
            NotFound: it is not in the trash of the collection.
        """
        image = ImageKey(collection, image_id)
        if not self._trash.holds(image):
            raise NotFound(NOT_THERE)
        self._collections.register(collection)
        self._messages.trash_changed(TrashChanged(image, restored=True, at=self._now()))
        if not self._trash.take_out(image):
            raise NotFound(NOT_THERE)

    def page(self, collection: str, *, limit: int, cursor: str | None) -> TrashPage:
        """Return one page of a collection's trash; see `shared.domain.ports.collections.Trash`."""
        return self._trash.page(collection, limit=limit, cursor=cursor)

    def is_empty(self, collection: str) -> bool:
        """Return whether no image of a collection can be restored."""
        page = self.page(collection, limit=DEFAULT_PAGE, cursor=None)
        while not page.images and page.cursor:
            page = self.page(collection, limit=DEFAULT_PAGE, cursor=page.cursor)
        return not page.images

    def purge(self, image_id: str, collection: str) -> None:
        """Remove an image that is in the trash for good.

        Raises:
            NotFound: it is not in the trash of the collection.
        """
        if not self._remover.purge(ImageKey(collection, image_id), self._trash, _LATER):
            raise NotFound(NOT_THERE)

    def empty(self, collection: str) -> None:
        """Have everything removed that is in the trash of a collection now; this takes a while."""
        self._messages.purge(collection, self._now())

    def _now(self) -> str:
        return self._clock().isoformat(timespec="microseconds")
