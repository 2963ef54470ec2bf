"""Dispatch each event to its use case and publish the outcome."""

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import UTC, datetime

from functions.ingest.duplicate_scanner import DuplicateScanner
from functions.ingest.face_indexer import FaceIndexer
from functions.ingest.index_wait import waiting_since
from functions.ingest.indexer import Indexer
from functions.ingest.purger import Purger
from functions.ingest.reindexer import Reindexer
from functions.ingest.trash_follower import TrashFollower
from shared.domain.errors import REFUSAL_CODES, IndexNotReady, PictureRefused
from shared.domain.events import (
    Created,
    DelayedTask,
    DuplicateCheck,
    DuplicateScanStep,
    FaceScan,
    FindFaces,
    Ignored,
    IngestEvent,
    PeopleTask,
    PurgeTrash,
    Reindex,
    Removed,
    TrashChanged,
    UrlSubmitted,
)
from shared.domain.images import (
    UPLOADS_PREFIX,
    Grouping,
    ImageRecord,
    ObjectRef,
    Upload,
    UploadStatus,
    filename_of_url,
    parse_upload_key,
    upload_id_of_message,
    upload_key,
)
from shared.domain.limits import CHECK_HOURS, DEFAULT_COLLECTION, MAX_CHECKS, MAX_REGROUPINGS
from shared.domain.outcomes import Outcome, OutcomeStatus
from shared.domain.people.ports import SettleImage, Task, Tasks
from shared.domain.ports.catalogue import Catalogue
from shared.domain.ports.services import Fetcher, Messages
from shared.domain.ports.uploads import Uploads
from shared.search.description import Description
from shared.search.grouping import Grouper, Settled


class Dispatcher:
    """Handles the events of every message, whatever its envelope.

    Args:
        bucket: the deployment's own bucket, whose uploads are indexed.
        source_buckets: other buckets, of which every object is indexed.
        people: handles a task on faces and persons.
        tasks: the queue of such tasks.
        publish: publishes an outcome; if it raises, the message is retried.
    """

    def __init__(
        self,
        *,
        indexer: Indexer,
        grouper: Grouper,
        reindexer: Reindexer,
        purger: Purger,
        trash: TrashFollower,
        scanner: DuplicateScanner,
        people: Callable[[Task], None],
        tasks: Tasks,
        faces: FaceIndexer,
        messages: Messages,
        catalogue: Catalogue,
        uploads: Uploads,
        fetcher: Fetcher,
        bucket: str,
        source_buckets: Collection[str],
        publish: Callable[[Outcome], None],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._indexer = indexer
        self._grouper = grouper
        self._reindexer = reindexer
        self._purger = purger
        self._trash = trash
        self._scanner = scanner
        self._people = people
        self._tasks = tasks
        self._faces = faces
        self._messages = messages
        self._catalogue = catalogue
        self._uploads = uploads
        self._fetcher = fetcher
        self._bucket = bucket
        self._source_buckets = frozenset(source_buckets)
        self._publish = publish
        self._clock = clock

    def dispatch(self, event: IngestEvent, message_id: str) -> Outcome:
        """Handle an event and publish its outcome.

        The index is written before the outcome is published, so a failure of the event bus loses no image.

        Args:
            message_id: identifies the message, so that a retry does not fetch a second copy of a URL.
        """
        outcome = self._out_of_scope(event) or self._handle(event, message_id)
        self._publish(outcome)
        return outcome

    def index_now(self, event: Created | UrlSubmitted, message_id: str) -> ImageRecord:
        """Index one image while the caller waits; return its record.

        Raises:
            PictureRefused: it is not a supported image, or was removed in the meantime.
        """
        outcome = self.dispatch(event, message_id)
        if outcome.status is OutcomeStatus.FETCHED and outcome.object:
            outcome = self.dispatch(Created(outcome.object, collection=outcome.collection), message_id)
        if outcome.code:
            raise PictureRefused(outcome.code, outcome.reason or outcome.code)
        key = outcome.image_key
        record = self._catalogue.find(key.image_id, key.collection) if key else None
        if record is None:
            raise PictureRefused("gone", "The image was removed while it was being indexed.")
        return record

    def _handle(self, event: IngestEvent, message_id: str) -> Outcome:
        match event:
            case Created():
                outcome = self._index(event)
            case Removed():
                outcome = self._indexer.remove(event)
            case UrlSubmitted():
                outcome = self._fetch(event, message_id)
            case Reindex():
                outcome = self._reindexer.reindex(event)
            case DuplicateCheck():
                outcome = self._check(event)
            case DuplicateScanStep():
                outcome = self._scanner.step(event)
            case FindFaces():
                outcome = self._faces.find(event)
            case FaceScan():
                outcome = self._faces.scan(event)
            case PurgeTrash():
                outcome = self._purger.purge(event)
            case PeopleTask() | DelayedTask():
                outcome = Outcome(status=OutcomeStatus.IGNORED, reason=self._handle_task(event))
            case TrashChanged():
                outcome = self._trash.follow(event)
            case Ignored():
                outcome = Outcome(status=OutcomeStatus.IGNORED, reason=event.reason)
        return outcome

    def _handle_task(self, event: PeopleTask | DelayedTask) -> str:
        """Bring faces or persons up to date, when it is their turn; return what was done, in words."""
        task = event.task
        if isinstance(event, DelayedTask):
            self._tasks.send(task)
            return "a task on people waits for its turn"
        try:
            self._people(task)
        except IndexNotReady:
            if not isinstance(task, SettleImage):
                raise
            since = waiting_since(task.unready_since, self._clock())
            if since is None:
                return f"the vector index of faces was not ready for {CHECK_HOURS} hours"
            self._messages.delay_task(replace(task, unready_since=since))
            return "the vector index of faces is still not ready"
        return "people are up to date"

    def _index(self, event: Created) -> Outcome:
        def group(outcome: Outcome, description: Description | None) -> tuple[Outcome, Grouping]:
            if outcome.image_key is None:
                return outcome, Grouping.DONE
            check = DuplicateCheck(outcome.image_key, event.object, outcome.metadata)
            settled, grouping, _ = self._settle(check, description)
            return replace(outcome, neighbour=settled.nearest), grouping

        return self._indexer.index(event, group)

    def _check(self, check: DuplicateCheck) -> Outcome:
        """Compare an image again; its event has been published before."""
        parsed = parse_upload_key(check.object.key) if check.object else None
        settled, grouping, reason = self._settle(check, None)
        if parsed and grouping is Grouping.DONE:
            self._uploads.grouped(parsed[1])
        return Outcome(
            status=OutcomeStatus.IGNORED,
            object=check.object,
            collection=check.image_key.collection,
            image_key=check.image_key,
            upload_id=parsed[1] if parsed else None,
            metadata=check.metadata,
            reason=reason,
            neighbour=settled.nearest if settled.changed else None,
        )

    def _settle(self, check: DuplicateCheck, description: Description | None) -> tuple[Settled, Grouping, str]:
        """Put an image into its group, and have it checked again if that is not final.

        Returns:
            What was done, whether the group is final, and the reason in words.
        """
        again = replace(check, attempt=check.attempt + (description is None), unready_since=None)
        try:
            settled = self._grouper.settle(check.image_key, description)
        except IndexNotReady:
            since = waiting_since(check.unready_since, self._clock())
            if since is None:
                return Settled(), Grouping.DONE, f"no vector index was ready for {CHECK_HOURS} hours"
            self._messages.postpone(replace(again, attempt=max(again.attempt, MAX_CHECKS), unready_since=since))
            return Settled(), Grouping.PENDING, "the vector index is still not ready"
        affected = set(settled.affected)
        if description is None:
            affected |= set(self._grouper.stray(check.image_key))
        if check.object is not None or check.attempt < MAX_REGROUPINGS:
            attempt = 0 if check.object is not None else again.attempt
            for image_id in sorted(affected - {check.image_key.image_id}):
                key = replace(check.image_key, image_id=image_id)
                self._messages.postpone(DuplicateCheck(key, attempt=attempt))
        if settled.complete or check.attempt >= MAX_CHECKS:
            return settled, Grouping.DONE, "compared with all images"
        self._messages.postpone(again)
        return settled, Grouping.PENDING, "the vector index does not have the image yet"

    def _out_of_scope(self, event: IngestEvent) -> Outcome | None:
        """Return the outcome of an event of an object that is neither an upload nor in a source bucket; else None."""
        if not isinstance(event, Created | Removed):
            return None
        source = event.object
        upload = source.bucket == self._bucket and source.key.startswith(UPLOADS_PREFIX)
        if upload or source.bucket in self._source_buckets:
            return None
        if isinstance(event, Removed):
            return Outcome(status=OutcomeStatus.IGNORED, object=source, reason=REFUSAL_CODES["foreign_object"])
        return Outcome(
            status=OutcomeStatus.REJECTED,
            object=source,
            collection=event.collection,
            code="foreign_object",
            reason="The object is neither an upload nor in one of the buckets that `source_buckets` in cdk.json names.",
            metadata=event.metadata,
        )

    def _fetch(self, submitted: UrlSubmitted, message_id: str) -> Outcome:
        """Fetch the image and store it as an upload; the event of that object then indexes it."""
        collection = submitted.collection or DEFAULT_COLLECTION
        upload = Upload(
            upload_id_of_message(message_id),
            collection,
            UploadStatus.PENDING,
            filename=filename_of_url(submitted.url),
            metadata=submitted.metadata,
        )
        source = ObjectRef(self._bucket, upload_key(collection, upload.upload_id))
        outcome = Outcome(
            status=OutcomeStatus.FETCHED,
            object=source,
            collection=collection,
            upload_id=upload.upload_id,
            url=submitted.url,
            metadata=submitted.metadata,
        )
        self._uploads.open(upload, source)
        try:
            self._fetcher.store(submitted.url, source.key)
        except PictureRefused as refused:
            self._uploads.finish(
                replace(upload, status=UploadStatus.REJECTED, code=refused.code, reason=refused.reason)
            )
            return replace(outcome, status=OutcomeStatus.REJECTED, code=refused.code, reason=refused.reason)
        return outcome
