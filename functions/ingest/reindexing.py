"""Describe a stored picture by another model."""

import hashlib
from collections.abc import Callable, Sequence

from functions.ingest.description import describe
from functions.ingest.turns import COMPUTING
from shared.domain.arrivals import Reindex
from shared.domain.errors import PictureRefused
from shared.domain.images import ImageRecord, signature_key
from shared.domain.ledger import Holding
from shared.domain.limits import MAX_UPLOAD_BYTES
from shared.domain.outcomes import Outcome, OutcomeStatus
from shared.domain.ports import Catalogue, Objects
from shared.vision import signature
from shared.vision.embedding import Embedder


class Reindexer:
    """Adds the vectors of a model to pictures that the catalogue holds. It may be repeated, and die at any point.

    Args:
        tidy: releases a picture if nothing holds it any more, and stores it again if something of it is missing;
            gives it if it is gone.
    """

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        objects: Objects,
        embedders: Callable[[], Sequence[Embedder]],
        tidy: Callable[[Sequence[Holding]], Sequence[Holding]],
    ) -> None:
        self._catalogue = catalogue
        self._objects = objects
        self._embedders = embedders
        self._tidy = tidy

    def take(self, event: Reindex) -> Outcome:
        """The picture may go or come again meanwhile, so it is tidied last: what nothing holds goes, what lacks comes.

        Raises:
            LookupError: this function does not hold the model, or no object gives the image's bytes.
        """
        embedder = next((one for one in self._embedders() if one.model_id == event.model), None)
        if embedder is None:
            raise LookupError(f"this deployment holds no model {event.model}; next_model in cdk.json names one")
        holding = event.holding
        record = self._catalogue.find(holding.image_id, holding.collection)
        if record and not self._catalogue.described(holding, [event.model]):
            data = self._bytes(record)
            with COMPUTING:
                made = describe(data, holding, embedder, created_at=record.created_at, filename=record.filename)
            self._objects.write(
                signature_key(event.model, holding.image_id),
                signature.pack(made.signature),
                "application/octet-stream",
            )
            self._catalogue.add_beside(made.indexed())
        gone = self._tidy([holding])
        if record is None:
            return Outcome(status=OutcomeStatus.IGNORED, holding=holding, reason="the picture was removed before")
        return Outcome(status=OutcomeStatus.IGNORED, holding=holding, reason="reindexed", vanished=gone)

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
