"""Describe stored images by another model, and complete those that an earlier version stored."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from shared.domain.errors import PictureRefused
from shared.domain.events import Reindex
from shared.domain.images import ImageRecord, signature_key
from shared.domain.ledger import ImageKey
from shared.domain.outcomes import Outcome, OutcomeStatus
from shared.domain.ports.catalogue import Catalogue
from shared.domain.ports.objects import Objects
from shared.search.concurrency import COMPUTING, FILES
from shared.search.description import describe, things_in
from shared.search.stored_bytes import read_bytes
from shared.vision import signature
from shared.vision.decode.decoding import decode
from shared.vision.embedding import Embedder
from shared.vision.pdq import pdq_hash


class Reindexer:
    """Adds to a stored image what it lacks: vectors of a model, capture, things, the PDQ hash.

    May be repeated, and die at any point.

    Args:
        clean_up: deletes images that no object holds, stores those again of which something is missing, and returns
            those that are gone.
        refuse: stores why an image cannot be described by a model.
        pdq: whether the PDQ hash of each image is stored.
    """

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        objects: Objects,
        embedders: Callable[[], Sequence[Embedder]],
        clean_up: Callable[[Sequence[ImageKey]], Sequence[ImageKey]],
        refuse: Callable[[ImageKey, str, PictureRefused], None],
        pdq: bool = False,
    ) -> None:
        self._catalogue = catalogue
        self._objects = objects
        self._embedders = embedders
        self._clean_up = clean_up
        self._refuse = refuse
        self._pdq = pdq

    def reindex(self, event: Reindex) -> Outcome:
        """Add the vectors; clean up last, because the image may be removed or added again in the meantime.

        An image that cannot be read or described keeps the vectors that it has; the outcome has the code and reason.

        Raises:
            LookupError: the function does not have the model.
        """
        embedder = next((one for one in self._embedders() if one.model_id == event.model), None)
        if embedder is None:
            raise LookupError(f"this deployment does not have the model {event.model}; set next_model in cdk.json")
        image_key = event.image_key
        outcome = Outcome(status=OutcomeStatus.IGNORED, image_key=image_key, reason="reindexed")
        record = self._catalogue.find(image_key.image_id, image_key.collection)
        described = record is not None and self._catalogue.described(image_key, [event.model])
        if record is None:
            outcome = replace(outcome, reason="the image had been removed")
        elif self._lacks(record) or not described:
            try:
                self._complete(record, image_key, embedder, described=described)
            except PictureRefused as refused:
                self._refuse(image_key, event.model, refused)
                outcome = replace(outcome, code=refused.code, reason=refused.reason)
        gone = self._clean_up([image_key])
        return replace(outcome, vanished=gone) if record else outcome

    def _lacks(self, record: ImageRecord) -> bool:
        """Return whether the record lacks something that needs no vectors."""
        return record.capture is None or record.things is None or (self._pdq and record.pdq is None)

    def _complete(self, record: ImageRecord, image_key: ImageKey, embedder: Embedder, *, described: bool) -> None:
        """Store what the record lacks, and the vectors if they are missing."""
        with FILES.reservation() as reserve:
            data = read_bytes(record, self._objects, reserve)
            if self._lacks(record):
                with COMPUTING:
                    image = decode(data, patience=None)
                    things = things_in(image, embedder) if record.things is None else None
                    pdq = pdq_hash(image.rgb) if self._pdq and record.pdq is None else None
                if record.capture is None:
                    self._catalogue.set_capture(image_key, image.capture)
                if things is not None:
                    self._catalogue.set_things(image_key, things)
                if pdq is not None:
                    self._catalogue.set_pdq(image_key, pdq)
            if not described:
                self._add_vectors(data, record, image_key, embedder)

    def _add_vectors(self, data: bytes, record: ImageRecord, image_key: ImageKey, embedder: Embedder) -> None:
        with COMPUTING:
            description = describe(data, image_key, embedder, created_at=record.created_at, filename=record.filename)
        self._objects.write(
            signature_key(embedder.model_id, image_key.image_id),
            signature.pack(description.signature),
            "application/octet-stream",
        )
        self._catalogue.add_secondary(description.indexed())
