"""What is done for each kind of event, and that the outcome is told."""

import hashlib
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from functions.ingest.indexer import Indexer
from functions.ingest.reindexer import Reindexer
from shared.domain.errors import REFUSAL_CODES, IndexNotReady, PictureRefused
from shared.domain.events import Created, DuplicateCheck, Ignored, IngestEvent, Reindex, Removed, UrlSubmitted
from shared.domain.images import (
    UPLOADS_PREFIX,
    ImageRecord,
    ObjectRef,
    Upload,
    UploadStatus,
    filename_of_url,
    parse_upload_key,
    upload_key,
)
from shared.domain.ledger import ImageKey
from shared.domain.limits import CHECK_HOURS, DEFAULT_COLLECTION
from shared.domain.outcomes import Neighbour, Outcome, OutcomeStatus
from shared.domain.ports import Catalogue, DuplicateChecks, Duplicates, Fetcher, Uploads
from shared.search.description import Description
from shared.search.near_duplicates import NearDuplicateFinder


class Dispatcher:
    """Every way in ends here, whatever envelope it came in.

    Args:
        bucket: our own, whose uploads are taken in.
        source_buckets: those of others, whose every object is.
        publish: publishes an outcome; it may raise, after which the message comes again.
    """

    def __init__(
        self,
        *,
        indexer: Indexer,
        neighbours: NearDuplicateFinder,
        reindexer: Reindexer,
        duplicates: Duplicates,
        checks: DuplicateChecks,
        catalogue: Catalogue,
        uploads: Uploads,
        fetcher: Fetcher,
        bucket: str,
        source_buckets: Collection[str],
        publish: Callable[[Outcome], None],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._indexer = indexer
        self._neighbours = neighbours
        self._reindexer = reindexer
        self._duplicates = duplicates
        self._checks = checks
        self._catalogue = catalogue
        self._uploads = uploads
        self._fetcher = fetcher
        self._bucket = bucket
        self._source_buckets = frozenset(source_buckets)
        self._publish = publish
        self._clock = clock

    def dispatch(self, event: IngestEvent, message_id: str) -> Outcome:
        """Do what an event asks for and publish the outcome.

        The index is written before anything is published, so a bus that refuses loses no image.

        Args:
            message_id: names the message; the same one again fetches no second copy of an address.
        """
        outcome = self._done(event, message_id)
        self._publish(outcome)
        return outcome

    def index_now(self, event: Created | UrlSubmitted, message_id: str) -> ImageRecord:
        """Take one image while the caller waits; gives its record.

        Raises:
            PictureRefused: it is none, or was removed at the same time.
        """
        outcome = self.dispatch(event, message_id)
        if outcome.status is OutcomeStatus.FETCHED and outcome.object:
            outcome = self.dispatch(Created(outcome.object, collection=outcome.collection), message_id)
        if outcome.code:
            raise PictureRefused(outcome.code, outcome.reason or outcome.code)
        held = outcome.image_key
        record = self._catalogue.find(held.image_id, held.collection) if held else None
        if record is None:
            raise PictureRefused("gone", "The image was removed while it was taken in.")
        return record

    def _done(self, event: IngestEvent, message_id: str) -> Outcome:
        match event:
            case Created():
                return self._index(event) if self._known(event.object) else _foreign(event)
            case Removed():
                return self._indexer.removed(event) if self._known(event.object) else _foreign(event)
            case UrlSubmitted():
                return self._fetch(event, message_id)
            case Reindex():
                return self._reindexer.reindex(event)
            case DuplicateCheck():
                return self._check(event)
            case Ignored():
                return Outcome(status=OutcomeStatus.IGNORED, reason=event.reason)

    def _index(self, event: Created) -> Outcome:
        outcome, described = self._indexer.created(event)
        if outcome.status is not OutcomeStatus.INDEXED or outcome.image_key is None:
            return outcome
        try:
            return replace(outcome, neighbour=self._compared(outcome.image_key, described))
        except IndexNotReady:
            due = self._clock().isoformat(timespec="seconds")
            self._checks.postpone(DuplicateCheck(outcome.image_key, event.object, due, outcome.metadata))
            return outcome

    def _check(self, check: DuplicateCheck) -> Outcome:
        """Compare an image that was stored while the index was not ready; its own event was published then."""
        parsed = parse_upload_key(check.object.key)
        checked = Outcome(
            status=OutcomeStatus.IGNORED,
            object=check.object,
            collection=check.image_key.collection,
            image_key=check.image_key,
            upload_id=parsed[1] if parsed else None,
            metadata=check.metadata,
            reason="compared with the earlier images",
        )
        try:
            return replace(checked, neighbour=self._compared(check.image_key, None))
        except IndexNotReady:
            if self._clock() - datetime.fromisoformat(check.since) > timedelta(hours=CHECK_HOURS):
                return replace(checked, reason=f"no vector index was ready for {CHECK_HOURS} hours")
            self._checks.postpone(check)
            return replace(checked, reason="the vector index is still not ready")

    def _compared(self, image_key: ImageKey, described: Description | None) -> Neighbour | None:
        """The nearest earlier image that a new one nearly repeats; the two are one group from now on."""
        neighbour = self._neighbours.nearest_earlier(image_key, described)
        if neighbour:
            self._duplicates.join(image_key, ImageKey(image_key.collection, neighbour.image_id))
        return neighbour

    def _known(self, source: ObjectRef) -> bool:
        upload = source.bucket == self._bucket and source.key.startswith(UPLOADS_PREFIX)
        return upload or source.bucket in self._source_buckets

    def _fetch(self, wanted: UrlSubmitted, message_id: str) -> Outcome:
        """Have the image put among the uploads, whose own event brings it back here."""
        collection = wanted.collection or DEFAULT_COLLECTION
        upload = Upload(
            hashlib.sha256(message_id.encode()).hexdigest()[:32],
            collection,
            UploadStatus.PENDING,
            filename=filename_of_url(wanted.url),
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


def _foreign(event: Created | Removed) -> Outcome:
    if isinstance(event, Removed):
        return Outcome(status=OutcomeStatus.IGNORED, object=event.object, reason=REFUSAL_CODES["foreign_object"])
    return Outcome(
        status=OutcomeStatus.REJECTED,
        object=event.object,
        collection=event.collection,
        code="foreign_object",
        reason="The object is neither an upload nor in a bucket that this stack was told to read (source_buckets).",
        metadata=event.metadata,
    )
