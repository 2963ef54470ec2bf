"""Describe and store images, and delete those that no object holds any more."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

from shared.domain.cleanup import collect_garbage
from shared.domain.errors import PictureRefused
from shared.domain.images import THUMBNAIL_TYPE, ObjectRef, signature_key, thumbnail_key
from shared.domain.ledger import ConflictError, ImageKey
from shared.domain.limits import MAX_UPLOAD_BYTES
from shared.domain.people.faces import Faces
from shared.domain.ports.catalogue import Catalogue
from shared.domain.ports.collections import Trash
from shared.domain.ports.objects import Fetched, Objects
from shared.domain.ports.uploads import Ledger
from shared.search.concurrency import COMPUTING
from shared.search.description import Description, describe
from shared.vision import signature
from shared.vision.embedding import Embedder
from shared.vision.pixels import Pixels
from shared.vision.thumbnail import thumbnail


def now() -> datetime:
    return datetime.now(UTC)


class StoredImages:
    """Describes images, stores them, and deletes them. Every step may be repeated.

    Args:
        find_faces: finds the faces of an image that was stored, in its pixels if it is passed any, and stores them.
        embedders: returns the models that describe an image, the active one first.
        pdq: whether the PDQ hash of each image is stored.
    """

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        ledger: Ledger,
        objects: Objects,
        trash: Trash,
        faces: Faces,
        find_faces: Callable[[ImageKey, Pixels | None], object],
        embedders: Callable[[], Sequence[Embedder]],
        pdq: bool = False,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._catalogue = catalogue
        self._ledger = ledger
        self._objects = objects
        self._trash = trash
        self._faces = faces
        self._find_faces = find_faces
        self._embedders = embedders
        self._pdq = pdq
        self._clock = clock

    def clean_up(self, left: Iterable[ImageKey]) -> tuple[ImageKey, ...]:
        """Delete those of the images that no object of their collection holds; return those that are gone."""
        gone = []
        for image_key in dict.fromkeys(left):
            result = collect_garbage(
                image_key,
                catalogue=self._catalogue,
                objects=self._objects,
                faces=self._faces,
                models=self._models(),
            )
            for collection, source in result.orphans:
                self._restore(ImageKey(collection, image_key.image_id), source)
            if result.gone:
                gone.append(image_key)
        return tuple(gone)

    def _restore(self, image_key: ImageKey, source: ObjectRef) -> None:
        """Store an image again whose record was deleted while this source was added."""
        if self._trash.holds(image_key):
            return  # storing it would restore it; what a model lacks is added once it is restored
        try:
            fetched = self._objects.read(source, MAX_UPLOAD_BYTES)
            if hashlib.sha256(fetched.data).hexdigest() != image_key.image_id:
                return  # it was replaced, which has its own event
            descriptions = self.describe(fetched, image_key, None)
        except PictureRefused:
            # It was removed too, which has its own event; cannot be read, and `index` submits it later; or one of the
            # models cannot describe it.
            return
        self.store(descriptions, source)
        if not self.still_holds(image_key, source):
            self.clean_up([image_key])
        else:
            self.require_vectors(descriptions, image_key, source)
            self._find_faces(image_key, descriptions[0].cover)

    def is_first_source(self, image_key: ImageKey, source: ObjectRef) -> bool | None:
        """Return what the catalogue does, or None if a signature is missing, which a concurrent removal may delete."""
        models = self._models()
        is_first = self._catalogue.is_first_source(image_key, models, source)
        if is_first is None or not all(self._objects.exists(signature_key(one, image_key.image_id)) for one in models):
            return None
        return is_first

    def _models(self) -> list[str]:
        return [embedder.model_id for embedder in self._embedders()]

    def describe(self, fetched: Fetched, image_key: ImageKey, filename: str | None) -> list[Description]:
        created_at = self._clock().isoformat(timespec="microseconds")
        with COMPUTING:
            return [
                describe(
                    fetched.data, image_key, embedder, created_at=created_at, filename=filename, with_pdq=self._pdq
                )
                for embedder in self._embedders()
            ]

    def store(self, descriptions: Sequence[Description], source: ObjectRef) -> bool:
        """Store signatures and thumbnail before the record, so that every image found can be reranked and displayed."""
        for one in descriptions:
            self._objects.write(
                signature_key(one.record.model, one.record.image_id),
                signature.pack(one.signature),
                "application/octet-stream",
            )
        first, *secondary = descriptions
        self._objects.write(
            thumbnail_key(first.record.collection, first.record.image_id), thumbnail(first.preview), THUMBNAIL_TYPE
        )
        return self._catalogue.add(first.indexed(), source, [one.indexed() for one in secondary])

    def require_vectors(self, descriptions: Sequence[Description], image_key: ImageKey, source: ObjectRef) -> None:
        """Check that no concurrent removal has deleted the vectors of a secondary model, which are separate items.

        Raises:
            ConflictError: some are missing.
        """
        if len(descriptions) > 1 and self.is_first_source(image_key, source) is None:
            raise ConflictError

    def still_holds(self, image_key: ImageKey, source: ObjectRef) -> bool:
        entry = self._ledger.find(source)
        return entry is not None and entry.held == image_key
