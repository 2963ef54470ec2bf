"""Remove an image for good, with its objects."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

from shared.domain.cleanup import collect_garbage
from shared.domain.events import Created
from shared.domain.images import ObjectRef
from shared.domain.ledger import ConflictError, ImageKey, ObjectStatus
from shared.domain.people.faces import Faces
from shared.domain.ports.catalogue import Catalogue
from shared.domain.ports.collections import Trash
from shared.domain.ports.objects import Objects
from shared.domain.ports.services import Messages
from shared.domain.ports.uploads import Ledger

MAX_ROUNDS: Final = 3
"""Maximum number of rounds of a removal while the same bytes are being uploaded."""


class Remover:
    """Removes images of one bucket and table.

    Args:
        bucket: the deployment's own bucket, whose objects are deleted. Objects in other buckets are kept, and the
            ledger marks them as dismissed.
        models: the models whose signatures are deleted.
        messages: has images stored again that were added while they were removed.
    """

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        ledger: Ledger,
        objects: Objects,
        faces: Faces,
        bucket: str,
        models: Sequence[str],
        messages: Messages,
    ) -> None:
        self._catalogue = catalogue
        self._ledger = ledger
        self._objects = objects
        self._faces = faces
        self._bucket = bucket
        self._models = models
        self._messages = messages

    def remove(self, image_id: str, collection: str | None) -> bool:
        """Remove an image from one collection, or from all (None); return False if nothing is stored of it.

        Records are deleted first, so that no search returns the image. Each ledger entry is changed after its object is
        deleted, so that a removal that died can be repeated.

        Raises:
            ConflictError: the same bytes were uploaded again in every round.
        """
        held = self._catalogue.occurrences(image_id, collection)
        if not held:
            return False
        for _ in range(MAX_ROUNDS):
            for owner in held.collections:
                self._catalogue.delete_record(ImageKey(owner, image_id))
            for owner, source in held.sources:
                self._delete_source(ImageKey(owner, image_id), source)
            for owner in {*held.collections, *(owner for owner, _ in held.sources)}:
                orphans = self._collect_garbage(ImageKey(owner, image_id))
                if collection is not None:  # otherwise the next round removes them all
                    self._store_again([one for one in orphans if one[0] != collection])
            held = self._catalogue.occurrences(image_id, collection)
            if not held:
                return True
        raise ConflictError

    def purge(self, image: ImageKey, trash: Trash, before: str) -> bool:
        """Remove an image that was moved into the trash before a time; return False if it is no longer there.

        Only sources are deleted that it had before it was condemned, so that neither an image that was restored nor one
        that was uploaded again is removed. Its record is deleted last, so that a removal that died can be repeated.
        """
        sources = self._catalogue.occurrences(image.image_id, image.collection).sources
        if not trash.condemn(image, before):
            return False
        for _, source in sources:
            self._delete_source(image, source)
        self._store_again(self._collect_garbage(image))
        return True

    def _collect_garbage(self, image: ImageKey) -> Sequence[tuple[str, ObjectRef]]:
        """Return the orphans; see `CleanupResult`."""
        result = collect_garbage(
            image, catalogue=self._catalogue, objects=self._objects, faces=self._faces, models=self._models
        )
        return result.orphans

    def _store_again(self, orphans: Sequence[tuple[str, ObjectRef]]) -> None:
        """Have the images of orphans indexed: their objects may be in another bucket, and no event is on its way."""
        for collection, source in orphans:
            self._messages.index(Created(source, collection=collection))

    def _delete_source(self, image_key: ImageKey, source: ObjectRef) -> None:
        ours = source.bucket == self._bucket
        # Read first, so that the change fails if the object comes back in the meantime.
        entry = self._ledger.find(source)
        if ours:
            self._objects.delete(source.key, source.version)
        if entry and entry.held == image_key:
            status = ObjectStatus.REMOVED if ours else ObjectStatus.DISMISSED
            with suppress(ConflictError):  # its event was faster, or it came back: the next round handles that
                self._ledger.change(entry, replace(entry, status=status))
