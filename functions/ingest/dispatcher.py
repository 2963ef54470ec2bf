"""What is done for each kind of arrival, and that the outcome is told."""

import hashlib
from collections.abc import Callable, Collection
from dataclasses import replace

from functions.ingest.indexer import Indexer
from functions.ingest.reindexer import Reindexer
from shared.domain.errors import REFUSAL_CODES, PictureRefused
from shared.domain.events import Addressed, Arrival, Created, Ignored, Reindex, Removed
from shared.domain.images import (
    UPLOADS_PREFIX,
    ImageRecord,
    ObjectRef,
    Upload,
    UploadStatus,
    filename_of_address,
    upload_key,
)
from shared.domain.ledger import Holding
from shared.domain.limits import DEFAULT_COLLECTION
from shared.domain.outcomes import Neighbour, Outcome, OutcomeStatus
from shared.domain.ports import Catalogue, Duplicates, Fetcher, Uploads
from shared.search.description import Description
from shared.search.near_duplicates import Neighbours


class Intake:
    """Every way in ends here, whatever envelope it came in.

    Args:
        bucket: our own, whose uploads are taken in.
        source_buckets: those of others, whose every object is.
        tell: publishes an outcome; it may raise, after which the message comes again.
    """

    def __init__(
        self,
        *,
        indexer: Indexer,
        neighbours: Neighbours,
        reindexer: Reindexer,
        duplicates: Duplicates,
        catalogue: Catalogue,
        uploads: Uploads,
        fetcher: Fetcher,
        bucket: str,
        source_buckets: Collection[str],
        tell: Callable[[Outcome], None],
    ) -> None:
        self._indexer = indexer
        self._neighbours = neighbours
        self._reindexer = reindexer
        self._duplicates = duplicates
        self._catalogue = catalogue
        self._uploads = uploads
        self._fetcher = fetcher
        self._bucket = bucket
        self._source_buckets = frozenset(source_buckets)
        self._tell = tell

    def take(self, arrival: Arrival, message_id: str) -> Outcome:
        """Do what an arrival asks for and publish the outcome.

        The index is written before anything is published, so a bus that refuses loses no picture.

        Args:
            message_id: names the message; the same one again fetches no second copy of an address.
        """
        outcome = self._done(arrival, message_id)
        self._tell(outcome)
        return outcome

    def hand_in(self, arrival: Created | Addressed, message_id: str) -> ImageRecord:
        """Take one picture while the caller waits; gives its record.

        Raises:
            PictureRefused: it is none, or was removed at the same time.
        """
        outcome = self.take(arrival, message_id)
        if outcome.status is OutcomeStatus.FETCHED and outcome.object:
            outcome = self.take(Created(outcome.object, collection=outcome.collection), message_id)
        if outcome.code:
            raise PictureRefused(outcome.code, outcome.reason or outcome.code)
        held = outcome.holding
        record = self._catalogue.find(held.image_id, held.collection) if held else None
        if record is None:
            raise PictureRefused("gone", "The picture was removed while it was taken in.")
        return record

    def _done(self, arrival: Arrival, message_id: str) -> Outcome:
        match arrival:
            case Created():
                return self._index(arrival) if self._known(arrival.object) else _foreign(arrival)
            case Removed():
                return self._indexer.removed(arrival) if self._known(arrival.object) else _foreign(arrival)
            case Addressed():
                return self._fetch(arrival, message_id)
            case Reindex():
                return self._reindexer.take(arrival)
            case Ignored():
                return Outcome(status=OutcomeStatus.IGNORED, reason=arrival.reason)

    def _index(self, arrival: Created) -> Outcome:
        outcome, described = self._indexer.created(arrival)
        if outcome.status is OutcomeStatus.INDEXED and outcome.holding:
            return replace(outcome, neighbour=self._compared(outcome.holding, described))
        return outcome

    def _compared(self, holding: Holding, described: Description | None) -> Neighbour | None:
        """The nearest earlier picture that a new one nearly repeats; the two are one group from now on."""
        neighbour = self._neighbours.nearest_earlier(holding, described)
        if neighbour:
            self._duplicates.join(holding, Holding(holding.collection, neighbour.image_id))
        return neighbour

    def _known(self, source: ObjectRef) -> bool:
        upload = source.bucket == self._bucket and source.key.startswith(UPLOADS_PREFIX)
        return upload or source.bucket in self._source_buckets

    def _fetch(self, wanted: Addressed, message_id: str) -> Outcome:
        """Have the picture put among the uploads, whose own event brings it back here."""
        collection = wanted.collection or DEFAULT_COLLECTION
        upload = Upload(
            hashlib.sha256(message_id.encode()).hexdigest()[:32],
            collection,
            UploadStatus.PENDING,
            filename=filename_of_address(wanted.url),
            metadata=wanted.metadata,
        )
        source = ObjectRef(self._bucket, upload_key(collection, upload.upload_id))
        told = Outcome(
            status=OutcomeStatus.FETCHED,
            object=source,
            collection=collection,
            upload_id=upload.upload_id,
            url=wanted.url,
            metadata=wanted.metadata,
        )
        self._uploads.open(upload, source)
        try:
            self._fetcher.store(wanted.url, source.key)
        except PictureRefused as refused:
            self._uploads.finish(
                replace(upload, status=UploadStatus.REJECTED, code=refused.code, reason=refused.reason)
            )
            return replace(told, status=OutcomeStatus.REJECTED, code=refused.code, reason=refused.reason)
        return told


def _foreign(arrival: Created | Removed) -> Outcome:
    if isinstance(arrival, Removed):
        return Outcome(status=OutcomeStatus.IGNORED, object=arrival.object, reason=REFUSAL_CODES["foreign_object"])
    return Outcome(
        status=OutcomeStatus.REJECTED,
        object=arrival.object,
        collection=arrival.collection,
        code="foreign_object",
        reason="The object is neither an upload nor in a bucket that this stack was told to read (source_buckets).",
        metadata=arrival.metadata,
    )
