"""Describe a stored image by another model."""

import hashlib
from collections.abc import Callable, Sequence

from shared.domain.errors import PictureRefused
from shared.domain.events import Reindex
from shared.domain.images import ImageRecord, signature_key
from shared.domain.ledger import ImageKey
from shared.domain.limits import MAX_UPLOAD_BYTES
from shared.domain.outcomes import Outcome, OutcomeStatus
from shared.domain.ports import Catalogue, Objects
from shared.search.concurrency import COMPUTING
from shared.search.description import describe
from shared.vision import signature
from shared.vision.embedding import Embedder


class Reindexer:
    """Adds the vectors of a model to images that the catalogue holds. It may be repeated, and die at any point.

    Args:
        tidy: releases an image if nothing holds it any more, and stores it again if something of it is missing;
            gives it if it is gone.
    """

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        objects: Objects,
        embedders: Callable[[], Sequence[Embedder]],
        tidy: Callable[[Sequence[ImageKey]], Sequence[ImageKey]],
    ) -> None:
        self._catalogue = catalogue
        self._objects = objects
        self._embedders = embedders
        self._tidy = tidy

    def reindex(self, event: Reindex) -> Outcome:
        """The image may go or come again meanwhile, so it is tidied last: what nothing holds goes, what lacks comes.

        Raises:
            LookupError: this function does not hold the model, or no object gives the image's bytes.
        """
        embedder = next((one for one in self._embedders() if one.model_id == event.model), None)
        if embedder is None:
            raise LookupError(f"this deployment holds no model {event.model}; next_model in cdk.json names one")
        image_key = event.image_key
        record = self._catalogue.find(image_key.image_id, image_key.collection)
        if record and not self._catalogue.described(image_key, [event.model]):
            data = self._bytes(record)
            with COMPUTING:
                made = describe(data, image_key, embedder, created_at=record.created_at, filename=record.filename)
            self._objects.write(
                signature_key(event.model, image_key.image_id),
                signature.pack(made.signature),
                "application/octet-stream",
            )
            self._catalogue.add_secondary(made.indexed())
        gone = self._tidy([image_key])
        if record is None:
            return Outcome(status=OutcomeStatus.IGNORED, image_key=image_key, reason="the image was removed before")
        return Outcome(status=OutcomeStatus.IGNORED, image_key=image_key, reason="reindexed", vanished=gone)

    def _bytes(self, record: ImageRecord) -> bytes:
        refusals: list[str] = []
        for source in record.sources:
            try:
                data = self._objects.read(source, MAX_UPLOAD_BYTES).data
            except PictureRefused as refused:
                refusals.append(refused.reason)  # if it was removed, its own event tells
                continue
            if hashlib.sha256(data).hexdigest() == record.image_id:
                return data
        raise LookupError(" ".join(["no object gives the image's bytes any more:", *refusals]))
