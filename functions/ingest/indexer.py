"""Keep the catalogue in step with one object: it came, it was replaced, it went."""

import hashlib
import random
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final, TypeVar

from shared.domain.cleanup import collect_garbage
from shared.domain.errors import REFUSAL_CODES, PictureRefused, Unreadable
from shared.domain.events import Created, Removed, happened_before
from shared.domain.images import (
    THUMBNAIL_TYPE,
    ObjectRef,
    Upload,
    UploadStatus,
    collection_of_key,
    parse_upload_key,
    signature_key,
    thumbnail_key,
)
from shared.domain.ledger import ConflictError, ImageKey, ObjectState, ObjectStatus
from shared.domain.limits import MAX_UPLOAD_BYTES
from shared.domain.outcomes import Outcome, OutcomeStatus
from shared.domain.ports import Catalogue, Fetched, Ledger, Objects, Uploads
from shared.search.concurrency import COMPUTING
from shared.search.description import Description, describe
from shared.vision import signature
from shared.vision.embedding import Embedder
from shared.vision.thumbnail import thumbnail

ATTEMPTS: Final = 8
"""So often a change is tried again when others change the same object; then the message comes again."""
LEAVING_SECONDS: Final = 86_400
"""So long after an object has left an image the image is looked at again, for a worker that died in between."""
LEAVING_KEPT: Final = 20

T = TypeVar("T")


def now() -> datetime:
    return datetime.now(UTC)


class Indexer:
    """The ingest use case. Every step may be repeated, and a worker may die between any two of them.

    The order is: describe the image, enter it in the ledger (which gives it a source), store its signature and its
    thumbnail, store its record, look at the ledger again. docs/explanation/event-ordering.md says why
    nothing is lost or left behind.

    Args:
        embedders: gives the models that describe an image, the active one first.
    """

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        ledger: Ledger,
        uploads: Uploads,
        objects: Objects,
        embedders: Callable[[], Sequence[Embedder]],
        clock: Callable[[], datetime] = now,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._catalogue = catalogue
        self._ledger = ledger
        self._uploads = uploads
        self._objects = objects
        self._embedders = embedders
        self._clock = clock
        self._pause = pause

    def created(self, event: Created) -> tuple[Outcome, Description | None]:
        """Index an object and record how its upload ended; gives what was stored of the image, if anything was now.

        Faults of S3 and DynamoDB are raised, and so is `ConflictError` after `ATTEMPTS`: the message comes again.
        """
        outcome, described = self._retried(lambda: self._created(event))
        if outcome.upload_id and outcome.status is not OutcomeStatus.SUPERSEDED:
            self._uploads.finish(
                Upload(
                    outcome.upload_id,
                    outcome.collection or collection_of_key(event.object.key),
                    _UPLOAD_STATUS[outcome.status],
                    image_id=outcome.image_key.image_id if outcome.image_key else None,
                    code=outcome.code,
                    reason=outcome.reason,
                )
            )
        return outcome, described

    def removed(self, event: Removed) -> Outcome:
        """Take a removed object's image away, unless another object holds it too."""
        return self._retried(lambda: self._removed(event))

    def _retried(self, work: Callable[[], T]) -> T:
        for attempt in range(ATTEMPTS):
            try:
                return work()
            except ConflictError:
                if attempt == ATTEMPTS - 1:
                    raise
                self._pause(random.uniform(0, 0.05 * 2**attempt))  # noqa: S311 - jitter
        raise AssertionError

    def _created(self, event: Created) -> tuple[Outcome, Description | None]:
        before = self._ledger.find(event.object)
        parsed = parse_upload_key(event.object.key)
        upload = self._uploads.find(parsed[1]) if parsed else None
        if before and (
            happened_before(event.sequencer, by=before.sequencer)
            or (before.status is ObjectStatus.DISMISSED and event.sequencer == before.sequencer is not None)
        ):
            if before.status is ObjectStatus.REMOVED and upload and upload.status is UploadStatus.PENDING:
                self._uploads.finish(
                    replace(upload, status=UploadStatus.REJECTED, code="gone", reason=REFUSAL_CODES["gone"])
                )
            return self._superseded(before), None
        held = before.held if before else None
        told = Outcome(
            status=OutcomeStatus.INDEXED,
            object=event.object,
            collection=event.collection or (held.collection if held else collection_of_key(event.object.key)),
            upload_id=parsed[1] if parsed else None,
            filename=upload.filename if upload else None,
            metadata=event.metadata or (upload.metadata if upload else {}),
        )
        fetched: Fetched | None = None
        try:
            fetched = self._objects.read(event.object, MAX_UPLOAD_BYTES)
            image_key = ImageKey(told.collection or "", hashlib.sha256(fetched.data).hexdigest())
            described = None
            if self._brought(image_key, event.object) is None:
                described = self._describe(fetched, image_key, told.filename)
        except PictureRefused as refused:
            return self._refused(event, before, told, refused, fetched.etag if fetched else None), None
        return self._hold(event, before, replace(told, image_key=image_key), fetched, described)

    def _hold(
        self,
        event: Created,
        before: ObjectState | None,
        told: Outcome,
        fetched: Fetched,
        described: Sequence[Description] | None,
    ) -> tuple[Outcome, Description | None]:
        source, image_key = replace(event.object, version=fetched.version), told.image_key
        assert image_key is not None  # noqa: S101 - the caller has just put it there
        entry = self._entered(
            before, ObjectState(source, ObjectStatus.HELD, image_key, etag=fetched.etag), event.sequencer
        )
        brought = self._brought(image_key, source) if described is None else None
        if brought is None:
            described = described or self._describe(fetched, image_key, told.filename)
            brought = self._store(described, source)
            if not self._still(image_key, source):
                return replace(told, status=OutcomeStatus.SUPERSEDED, vanished=self.tidy([image_key])), None
            self._check(described, image_key, source)
        status = OutcomeStatus.INDEXED if brought else OutcomeStatus.DUPLICATE
        return replace(told, status=status, vanished=self.tidy(entry.leaving)), described[0] if described else None

    def _refused(
        self, event: Created, before: ObjectState | None, told: Outcome, refused: PictureRefused, etag: str | None
    ) -> Outcome:
        vanished: tuple[ImageKey, ...] = ()
        if isinstance(refused, Unreadable) and before and before.held and self._unchanged(event, before):
            return self._kept(event, before, told, refused)
        if refused.code != "gone":
            if not isinstance(refused, Unreadable):
                self._objects.mark_rejected(event.object)
            state = ObjectState(
                event.object, ObjectStatus.REJECTED, etag=etag, code=refused.code, reason=refused.reason
            )
            vanished = self.tidy(self._entered(before, state, event.sequencer).leaving)
        elif before and before.held:
            state = replace(before, status=ObjectStatus.REMOVED)
            vanished = self.tidy([before.held, *self._entered(before, state, event.sequencer).leaving])
        else:
            vanished = self.tidy(_left_by(before))
        return replace(told, status=OutcomeStatus.REJECTED, code=refused.code, reason=refused.reason, vanished=vanished)

    def _unchanged(self, event: Created, before: ObjectState) -> bool:
        """Whether an object that cannot be read has the bytes that it was entered with, as far as can be known."""
        etag = self._objects.etag(event.object)
        return etag == before.etag if etag else event.sequencer in (None, before.sequencer)

    def _kept(self, event: Created, before: ObjectState, told: Outcome, refused: Unreadable) -> Outcome:
        """An object that cannot be read now keeps the image that it holds.

        Who handed it in by name is told why nothing came of it; the state of its upload stays what it was.
        """
        if event.sequencer:
            entry = self._entered(before, replace(before, object=event.object), event.sequencer)
            return self._superseded(entry)
        entry = self._entered(before, replace(before, code=refused.code, reason=refused.reason), None)
        return replace(
            told,
            status=OutcomeStatus.REJECTED,
            upload_id=None,
            code=refused.code,
            reason=refused.reason,
            vanished=self.tidy(entry.leaving),
        )

    def _removed(self, event: Removed) -> Outcome:
        before = self._ledger.find(event.object)
        if event.sequencer is None and self._objects.present(event.object):
            return self._superseded(before)
        if before is None:
            self._entered(None, ObjectState(event.object, ObjectStatus.REMOVED), event.sequencer)
            return Outcome(status=OutcomeStatus.SUPERSEDED, object=event.object)
        destroyed_an_old_one = event.one_version and before.object.version not in (None, event.object.version)
        if happened_before(event.sequencer, by=before.sequencer) or destroyed_an_old_one:
            return self._superseded(before)
        entry = self._entered(before, replace(before, status=ObjectStatus.REMOVED), event.sequencer)
        if before.image_key is None:
            return replace(self._superseded(before), vanished=self.tidy(entry.leaving))
        vanished = self.tidy([before.image_key, *entry.leaving])
        return Outcome(
            status=OutcomeStatus.REMOVED if before.image_key in vanished else OutcomeStatus.SUPERSEDED,
            object=event.object,
            collection=before.image_key.collection,
            image_key=before.image_key,
            vanished=vanished,
        )

    def _superseded(self, before: ObjectState | None) -> Outcome:
        """Nothing is to be done, but for what a worker that died may have left behind."""
        return Outcome(
            status=OutcomeStatus.SUPERSEDED,
            object=before.object if before else None,
            vanished=self.tidy(_left_by(before)),
        )

    def _entered(self, before: ObjectState | None, state: ObjectState, sequencer: str | None) -> ObjectState:
        """The ledger's entry after the change; none is written where nothing changes."""
        since = int(self._clock().timestamp())
        leaving: dict[ImageKey, int] = {}
        if before:
            leaving = {left: at for left, at in before.leaving.items() if at > since - LEAVING_SECONDS}
            if before.image_key and (before.image_key != state.image_key or not before.held):
                leaving[before.image_key] = since  # also if it comes back: somebody may be about to clear it away
        newest_first = sorted(leaving.items(), key=lambda entry: entry[1], reverse=True)
        leaving = dict(newest_first[:LEAVING_KEPT])
        after = replace(
            state,
            sequencer=sequencer or (before.sequencer if before else None),
            leaving=leaving,
            revision=before.revision if before else 0,
        )
        # Without a sequencer only the revision tells others that the object came or went again meanwhile.
        if after != before or sequencer is None:
            self._ledger.change(before, after)
        return after

    def tidy(self, left: Iterable[ImageKey]) -> tuple[ImageKey, ...]:
        """Release images that an object may no longer hold; gives those that are gone."""
        gone = []
        for image_key in dict.fromkeys(left):
            released = collect_garbage(
                image_key, catalogue=self._catalogue, objects=self._objects, models=self._models()
            )
            for collection, source in released.orphans:
                self._restore(ImageKey(collection, image_key.image_id), source)
            if released.gone:
                gone.append(image_key)
        return tuple(gone)

    def _restore(self, image_key: ImageKey, source: ObjectRef) -> None:
        """Store an image again whose record went while this source came."""
        try:
            fetched = self._objects.read(source, MAX_UPLOAD_BYTES)
        except PictureRefused:
            return  # the object went too, and its own event tells; or it cannot be read, and `index` takes it later
        if hashlib.sha256(fetched.data).hexdigest() != image_key.image_id:
            return  # it was replaced, and its own event tells
        described = self._describe(fetched, image_key, None)
        self._store(described, source)
        if not self._still(image_key, source):
            self.tidy([image_key])
        else:
            self._check(described, image_key, source)

    def _brought(self, image_key: ImageKey, source: ObjectRef) -> bool | None:
        """What the catalogue says, or None where a signature is missing: a removal that met a late worker took it."""
        models = self._models()
        brought = self._catalogue.is_first_source(image_key, models, source)
        if brought is None or not all(self._objects.exists(signature_key(one, image_key.image_id)) for one in models):
            return None
        return brought

    def _models(self) -> list[str]:
        return [embedder.model_id for embedder in self._embedders()]

    def _describe(self, fetched: Fetched, image_key: ImageKey, filename: str | None) -> list[Description]:
        created_at = self._clock().isoformat(timespec="microseconds")
        with COMPUTING:
            return [
                describe(fetched.data, image_key, embedder, created_at=created_at, filename=filename)
                for embedder in self._embedders()
            ]

    def _store(self, described: Sequence[Description], source: ObjectRef) -> bool:
        """Signature and thumbnail go first, so that an image that is found can always be reranked and shown."""
        for one in described:
            self._objects.write(
                signature_key(one.record.model, one.record.image_id),
                signature.pack(one.signature),
                "application/octet-stream",
            )
        first, *secondary = described
        self._objects.write(
            thumbnail_key(first.record.collection, first.record.image_id), thumbnail(first.preview), THUMBNAIL_TYPE
        )
        return self._catalogue.add(first.indexed(), source, [one.indexed() for one in secondary])

    def _check(self, described: Sequence[Description], image_key: ImageKey, source: ObjectRef) -> None:
        """Of two models, one's vector is an item of its own, which a removal may have taken after it was stored."""
        if len(described) > 1 and self._brought(image_key, source) is None:
            raise ConflictError

    def _still(self, image_key: ImageKey, source: ObjectRef) -> bool:
        entry = self._ledger.find(source)
        return entry is not None and entry.held == image_key


def _left_by(entry: ObjectState | None) -> Sequence[ImageKey]:
    """Images that an object had and has no more, which a worker that died may have left behind."""
    if entry is None:
        return ()
    return (*entry.leaving, *([entry.image_key] if entry.image_key and not entry.held else []))


_UPLOAD_STATUS = {
    OutcomeStatus.INDEXED: UploadStatus.INDEXED,
    OutcomeStatus.DUPLICATE: UploadStatus.DUPLICATE,
    OutcomeStatus.REJECTED: UploadStatus.REJECTED,
}
