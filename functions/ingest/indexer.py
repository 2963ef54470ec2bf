"""Update the catalogue when an object is created, replaced or removed."""

import hashlib
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final, TypeVar

from functions.ingest.stored_images import StoredImages, now
from shared.domain.errors import REFUSAL_CODES, PictureRefused, Unreadable
from shared.domain.events import Created, Removed, happened_before
from shared.domain.images import (
    Grouping,
    ObjectRef,
    Upload,
    UploadStatus,
    collection_of_key,
    parse_upload_key,
)
from shared.domain.ledger import ConflictError, ImageKey, ObjectState, ObjectStatus
from shared.domain.limits import MAX_UPLOAD_BYTES
from shared.domain.outcomes import Outcome, OutcomeStatus
from shared.domain.ports.collections import Trash
from shared.domain.ports.objects import Fetched, Objects
from shared.domain.ports.uploads import Ledger, Uploads
from shared.search.concurrency import FILES
from shared.search.description import Description
from shared.vision.pixels import Pixels

MAX_ATTEMPTS: Final = 8
"""Maximum number of attempts while other workers change the same object; then the message is retried."""
FORMER_IMAGE_SECONDS: Final = 86_400
"""How long an object's ledger entry keeps the images that it held before. Each event of the object checks them again,
because a worker may have died before it cleaned them up."""
MAX_FORMER_IMAGES: Final = 20
"""Maximum number of such images in an entry."""

T = TypeVar("T")
Group = Callable[[Outcome, Description | None], tuple[Outcome, Grouping]]


class Indexer:
    """Indexes and removes the images of objects. Every step may be repeated, and a worker may die between any two.

    The order is: describe the image, update the ledger (which adds a source), store the signature and the thumbnail,
    store the record, read the ledger again. docs/explanation/event-ordering.md explains why nothing is lost or left
    behind.

    Args:
        find_faces: finds the faces of an image that was stored, in its pixels if it is passed any, and stores them.
        pause: waits for so many seconds.
    """

    def __init__(
        self,
        *,
        images: StoredImages,
        ledger: Ledger,
        uploads: Uploads,
        objects: Objects,
        trash: Trash,
        find_faces: Callable[[ImageKey, Pixels | None], object],
        clock: Callable[[], datetime] = now,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._images = images
        self._ledger = ledger
        self._uploads = uploads
        self._objects = objects
        self._trash = trash
        self._find_faces = find_faces
        self._clock = clock
        self._pause = pause

    def index(self, event: Created, group: Group = lambda outcome, _: (outcome, Grouping.DONE)) -> Outcome:
        """Index an object and store the final state of its upload.

        Args:
            group: puts a new image, with the description that was stored (None if it already was), into its group of
                near-duplicates, before its upload ends.

        Raises:
            ConflictError: other workers changed the object in each of `MAX_ATTEMPTS` attempts.
        """
        outcome, description = self._retry(lambda: self._index_within_memory(event))
        grouping = None
        if outcome.status is OutcomeStatus.INDEXED:
            if outcome.image_key:
                self._find_faces(outcome.image_key, description.cover if description else None)
            outcome, grouping = group(outcome, description)
        if outcome.status is OutcomeStatus.SUPERSEDED:
            self._finish_removed(event.object)
        elif outcome.upload_id:
            self._uploads.finish(
                Upload(
                    outcome.upload_id,
                    outcome.collection or collection_of_key(event.object.key),
                    _UPLOAD_STATUS[outcome.status],
                    image_id=outcome.image_key.image_id if outcome.image_key else None,
                    code=outcome.code,
                    reason=outcome.reason,
                    grouping=grouping,
                )
            )
        return outcome

    def _finish_removed(self, source: ObjectRef) -> None:
        """Finish the upload of an object that was removed before its image was stored; no other event does."""
        parsed = parse_upload_key(source.key)
        upload = self._uploads.find(parsed[1]) if parsed else None
        if upload is None or upload.status is not UploadStatus.PENDING:
            return
        entry = self._ledger.find(source)
        if entry and entry.status is ObjectStatus.REMOVED:
            self._uploads.finish(
                replace(upload, status=UploadStatus.REJECTED, code="gone", reason=REFUSAL_CODES["gone"])
            )

    def remove(self, event: Removed) -> Outcome:
        """Remove the image of a removed object, unless another object holds it too.

        Raises:
            ConflictError: other workers changed the object in each of `MAX_ATTEMPTS` attempts.
        """
        return self._retry(lambda: self._remove(event))

    def _retry(self, work: Callable[[], T]) -> T:
        for attempt in range(MAX_ATTEMPTS):
            try:
                return work()
            except ConflictError:
                if attempt == MAX_ATTEMPTS - 1:
                    raise
                self._pause(random.uniform(0, 0.05 * 2**attempt))  # noqa: S311 - jitter
        raise AssertionError

    def _index_within_memory(self, event: Created) -> tuple[Outcome, Description | None]:
        with FILES.reservation() as reserve:
            return self._index(event, reserve)

    def _index(self, event: Created, reserve: Callable[[int], None]) -> tuple[Outcome, Description | None]:
        before = self._ledger.find(event.object)
        parsed = parse_upload_key(event.object.key)
        upload = self._uploads.find(parsed[1]) if parsed else None
        if before and (
            happened_before(event.sequencer, by=before.sequencer)
            or (before.status is ObjectStatus.DISMISSED and event.sequencer == before.sequencer is not None)
        ):
            return self._supersede(before), None
        held = before.held if before else None
        outcome = Outcome(
            status=OutcomeStatus.INDEXED,
            object=event.object,
            collection=event.collection or (held.collection if held else collection_of_key(event.object.key)),
            upload_id=parsed[1] if parsed else None,
            filename=upload.filename if upload else None,
            metadata=event.metadata or (upload.metadata if upload else {}),
        )
        fetched: Fetched | None = None
        try:
            fetched = self._objects.read(event.object, MAX_UPLOAD_BYTES, reserve)
            image_key = ImageKey(outcome.collection or "", hashlib.sha256(fetched.data).hexdigest())
            descriptions = None
            trashed = self._trash.holds(image_key)
            if trashed and held == image_key and event.sequencer in (None, before.sequencer if before else None):
                return self._supersede(before), None  # a repeated event does not restore what was deleted since
            outcome = replace(outcome, restored=trashed)
            if trashed or self._images.is_first_source(image_key, event.object) is None:
                descriptions = self._images.describe(fetched, image_key, outcome.filename)
        except PictureRefused as refused:
            return self._reject(event, before, outcome, refused, fetched.etag if fetched else None), None
        return self._store_image(event, before, replace(outcome, image_key=image_key), fetched, descriptions)

    def _store_image(
        self,
        event: Created,
        before: ObjectState | None,
        outcome: Outcome,
        fetched: Fetched,
        descriptions: Sequence[Description] | None,
    ) -> tuple[Outcome, Description | None]:
        source, image_key = replace(event.object, version=fetched.version), outcome.image_key
        assert image_key is not None  # noqa: S101 - the caller has just set it
        entry = self._update_ledger(
            before, ObjectState(source, ObjectStatus.HELD, image_key, etag=fetched.etag), event.sequencer
        )
        is_first = self._images.is_first_source(image_key, source) if descriptions is None else None
        if is_first is None:
            descriptions = descriptions or self._images.describe(fetched, image_key, outcome.filename)
            is_first = self._images.store(descriptions, source)
            if not self._images.still_holds(image_key, source):
                return replace(
                    outcome, status=OutcomeStatus.SUPERSEDED, vanished=self._images.clean_up([image_key])
                ), None
            self._images.require_vectors(descriptions, image_key, source)
        status = OutcomeStatus.INDEXED if is_first else OutcomeStatus.DUPLICATE
        outcome = replace(outcome, status=status, vanished=self._images.clean_up(entry.former_images))
        return outcome, descriptions[0] if descriptions else None

    def _reject(
        self, event: Created, before: ObjectState | None, outcome: Outcome, refused: PictureRefused, etag: str | None
    ) -> Outcome:
        vanished: tuple[ImageKey, ...] = ()
        if isinstance(refused, Unreadable) and before and before.held and self._unchanged(event, before):
            return self._keep(event, before, outcome, refused)
        if refused.code != "gone":
            if not isinstance(refused, Unreadable):
                self._objects.mark_rejected(event.object)
            state = ObjectState(
                event.object, ObjectStatus.REJECTED, etag=etag, code=refused.code, reason=refused.reason
            )
            vanished = self._images.clean_up(self._update_ledger(before, state, event.sequencer).former_images)
        elif before and before.held:
            state = replace(before, status=ObjectStatus.REMOVED)
            vanished = self._images.clean_up(
                [before.held, *self._update_ledger(before, state, event.sequencer).former_images]
            )
        else:
            vanished = self._images.clean_up(_left_images(before))
        return replace(
            outcome, status=OutcomeStatus.REJECTED, code=refused.code, reason=refused.reason, vanished=vanished
        )

    def _unchanged(self, event: Created, before: ObjectState) -> bool:
        """Return whether an unreadable object probably has the same bytes as when its entry was made."""
        etag = self._objects.etag(event.object)
        return etag == before.etag if etag else event.sequencer in (None, before.sequencer)

    def _keep(self, event: Created, before: ObjectState, outcome: Outcome, refused: Unreadable) -> Outcome:
        """Keep the image of an object that cannot be read at present.

        If somebody submitted the object by name, the outcome states the reason. The state of the upload is kept.
        """
        if event.sequencer:
            entry = self._update_ledger(before, replace(before, object=event.object), event.sequencer)
            return self._supersede(entry)
        entry = self._update_ledger(before, replace(before, code=refused.code, reason=refused.reason), None)
        return replace(
            outcome,
            status=OutcomeStatus.REJECTED,
            upload_id=None,
            code=refused.code,
            reason=refused.reason,
            vanished=self._images.clean_up(entry.former_images),
        )

    def _remove(self, event: Removed) -> Outcome:
        before = self._ledger.find(event.object)
        if event.sequencer is None and self._objects.present(event.object):
            return self._supersede(before)
        if before is None:
            self._update_ledger(None, ObjectState(event.object, ObjectStatus.REMOVED), event.sequencer)
            return Outcome(status=OutcomeStatus.SUPERSEDED, object=event.object)
        destroyed_an_old_one = event.one_version and before.object.version not in (None, event.object.version)
        if happened_before(event.sequencer, by=before.sequencer) or destroyed_an_old_one:
            return self._supersede(before)
        entry = self._update_ledger(before, replace(before, status=ObjectStatus.REMOVED), event.sequencer)
        if before.image_key is None:
            return replace(self._supersede(before), vanished=self._images.clean_up(entry.former_images))
        vanished = self._images.clean_up([before.image_key, *entry.former_images])
        return Outcome(
            status=OutcomeStatus.REMOVED if before.image_key in vanished else OutcomeStatus.SUPERSEDED,
            object=event.object,
            collection=before.image_key.collection,
            image_key=before.image_key,
            vanished=vanished,
        )

    def _supersede(self, before: ObjectState | None) -> Outcome:
        """Only clean up what a worker that died may have left behind."""
        return Outcome(
            status=OutcomeStatus.SUPERSEDED,
            object=before.object if before else None,
            vanished=self._images.clean_up(_left_images(before)),
        )

    def _update_ledger(self, before: ObjectState | None, state: ObjectState, sequencer: str | None) -> ObjectState:
        """Write the new ledger entry, unless an event with a sequencer changes nothing; return it."""
        since = int(self._clock().timestamp())
        former: dict[ImageKey, int] = {}
        if before:
            former = {left: at for left, at in before.former_images.items() if at > since - FORMER_IMAGE_SECONDS}
            if before.image_key and (before.image_key != state.image_key or not before.held):
                former[before.image_key] = since  # even if held again: a worker may be about to delete it
        newest_first = sorted(former.items(), key=lambda entry: entry[1], reverse=True)
        former = dict(newest_first[:MAX_FORMER_IMAGES])
        after = replace(
            state,
            sequencer=sequencer or (before.sequencer if before else None),
            former_images=former,
            revision=before.revision if before else 0,
        )
        # Without a sequencer, only the revision shows other workers that the object changed in the meantime.
        if after != before or sequencer is None:
            self._ledger.change(before, after)
        return after


def _left_images(entry: ObjectState | None) -> Sequence[ImageKey]:
    """Return images that an object no longer holds and that a worker that died may have left behind."""
    if entry is None:
        return ()
    return (*entry.former_images, *([entry.image_key] if entry.image_key and not entry.held else []))


_UPLOAD_STATUS = {
    OutcomeStatus.INDEXED: UploadStatus.INDEXED,
    OutcomeStatus.DUPLICATE: UploadStatus.DUPLICATE,
    OutcomeStatus.REJECTED: UploadStatus.REJECTED,
}
