"""Add, show and remove images: everything that the API does with them except searching."""

import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final, Literal

from shared.domain.annotations import AnnotationChange, TagChange
from shared.domain.errors import NotFound, PictureRefused
from shared.domain.formats import MEDIA_TYPES
from shared.domain.images import (
    THUMBNAIL_TYPE,
    ImageRecord,
    ObjectRef,
    Upload,
    UploadStatus,
    clean_filename,
    filename_of_url,
    preview_key,
    thumbnail_key,
    upload_key,
)
from shared.domain.ledger import ConflictError, ImageKey
from shared.domain.limits import MAX_UPLOAD_BYTES, PREVIEW_SIDE, UPLOAD_ABANDONED_SECONDS
from shared.domain.ports.catalogue import Catalogue
from shared.domain.ports.objects import WebObjects
from shared.domain.ports.services import Fetcher
from shared.domain.ports.uploads import Ledger, Uploads
from shared.domain.queue_times import INGEST_QUEUE
from shared.search.stored_bytes import read_bytes

OVERDUE: Final = {
    "expired": "No file arrived before the form expired, or it was removed before it was read. Upload it again.",
    "failed": "PicTrace could not process this image in any attempt. The operator can have it tried again.",
}
"""Reasons of uploads that ended without a worker that could say so."""

MAX_CHANGE_ROUNDS: Final = 3
"""Maximum number of rounds of a change of annotations while others change them."""


class Library:
    """The images of one bucket and table.

    Methods with the argument `collections` ignore all others; None means every collection.
    """

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        ledger: Ledger,
        uploads: Uploads,
        objects: WebObjects,
        fetcher: Fetcher,
        bucket: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._catalogue = catalogue
        self._ledger = ledger
        self._uploads = uploads
        self._objects = objects
        self._fetcher = fetcher
        self._bucket = bucket
        self._clock = clock

    def open_upload(self, filename: str, media_type: str, collection: str) -> tuple[str, str, dict[str, str]]:
        """Open an upload; return its id, and the URL and form fields of a presigned POST for one image."""
        upload_id = self._open_pending(filename, collection)
        url, fields = self._objects.open_upload(upload_key(collection, upload_id), media_type)
        return upload_id, url, fields

    def store_upload(self, data: bytes, filename: str, media_type: str, collection: str) -> str:
        """Store bytes from a request as an upload; return the upload id."""
        upload_id = self._open_pending(filename, collection)
        self._objects.write(upload_key(collection, upload_id), data, media_type)
        return upload_id

    def fetch_upload(self, url: str, collection: str) -> str:
        """Fetch the image at a URL and store it as an upload; return the upload id.

        Raises:
            PictureRefused: no image can be fetched; the upload is rejected with the same reason.
            FetchFailed: the upload remains pending, because the image may still be stored.
        """
        upload_id = self._open_pending(filename_of_url(url), collection)
        try:
            self._fetcher.store(url, upload_key(collection, upload_id))
        except PictureRefused as refused:
            rejected = Upload(upload_id, collection, UploadStatus.REJECTED, code=refused.code, reason=refused.reason)
            self._uploads.finish(rejected)
            raise
        return upload_id

    def upload_content(self, upload_id: str, collection: str) -> bytes:
        """Return the bytes of an upload."""
        return self._objects.read(ObjectRef(self._bucket, upload_key(collection, upload_id)), MAX_UPLOAD_BYTES).data

    def _open_pending(self, filename: str, collection: str) -> str:
        upload_id = uuid.uuid4().hex
        upload = Upload(upload_id, collection, UploadStatus.PENDING, filename=clean_filename(filename))
        self._uploads.open(upload, ObjectRef(self._bucket, upload_key(collection, upload_id)))
        return upload_id

    def upload(self, upload_id: str, collections: Sequence[str] | None) -> Upload:
        """Return the state of an upload.

        Raises:
            NotFound: it does not exist in `collections`.
        """
        found = self._uploads.find(upload_id)
        if found is None or (collections is not None and found.collection not in collections):
            raise NotFound("There is no upload with this id.")
        code = self._overdue(found)
        return replace(found, status=UploadStatus.REJECTED, code=code, reason=OVERDUE[code]) if code else found

    def _overdue(self, upload: Upload) -> Literal["expired", "failed"] | None:
        """Return why nothing will come of a pending upload any more, or None.

        This needs no message and no worker, so it cannot be missed. Workers end what they can, and sooner.
        """
        if upload.status is not UploadStatus.PENDING:
            return None
        now = self._clock()
        if upload.ends_by is not None and now > upload.ends_by:
            return "failed"
        if upload.opened_at is None or now < upload.opened_at + UPLOAD_ABANDONED_SECONDS:
            return None
        if not self._objects.present(ObjectRef(self._bucket, upload_key(upload.collection, upload.upload_id))):
            return "expired"
        kept = UPLOAD_ABANDONED_SECONDS + INGEST_QUEUE.retention_days * 86_400
        return "failed" if now > upload.opened_at + kept else None

    def image(self, image_id: str, collections: Sequence[str] | None) -> ImageRecord:
        """Return the record of the first of `collections` that has the image.

        Raises:
            NotFound: none has it.
        """
        for collection in _each(collections):
            found = self._catalogue.find(image_id, collection)
            if found is not None:
                return found
        raise NotFound("There is no image with this id.")

    def content_link(self, record: ImageRecord, *, download: bool = False) -> str:
        """Return a short-lived URL of the image, served with the media type of its format, to show or to save it.

        The object has the ETag of the bytes that were indexed, so its event is not still on the way.

        Raises:
            NotFound: no object holds these bytes any more.
        """
        name = record.filename or f"{record.image_id}.{record.format}"
        held = ImageKey(record.collection, record.image_id)
        for source in record.sources:
            entry = self._ledger.find(source)
            if entry and entry.held == held and entry.etag == self._objects.etag(source):
                return self._objects.link(source, MEDIA_TYPES[record.format], name if download else None)
        raise NotFound("The image is being removed or replaced.")

    def thumbnail_url(self, record: ImageRecord) -> str:
        """Return a short-lived URL of the thumbnail, signed without checking that the thumbnail exists."""
        return self._objects.lasting_link(thumbnail_key(record.collection, record.image_id), THUMBNAIL_TYPE)

    def thumbnail_link(self, record: ImageRecord) -> str:
        """Return a short-lived URL of the thumbnail, which is created if it is missing.

        Raises:
            NotFound: the image was removed in the meantime.
        """
        return self._made_link(record, thumbnail_key(record.collection, record.image_id))

    def preview_link(self, record: ImageRecord) -> str:
        """Return a short-lived URL of the image without metadata, which is created if it is missing.

        Raises:
            NotFound: the image was removed in the meantime.
        """
        return self._made_link(record, preview_key(record.collection, record.image_id), PREVIEW_SIDE)

    def _made_link(self, record: ImageRecord, key: str, longest_side: int | None = None) -> str:
        if not self._objects.exists(key):
            from shared.vision.decode.decoding import decode
            from shared.vision.thumbnail import LONGEST_SIDE, thumbnail

            cover = decode(read_bytes(record, self._objects)).cover
            self._objects.write(key, thumbnail(cover, longest_side or LONGEST_SIDE), THUMBNAIL_TYPE)
            if self._catalogue.find(record.image_id, record.collection) is None:
                self._objects.delete(key)
                raise NotFound("The image was removed.")
        return self._objects.link(ObjectRef(self._bucket, key), THUMBNAIL_TYPE)

    def annotate(self, image_id: str, collection: str, change: AnnotationChange | TagChange) -> ImageRecord:
        """Change the annotations of an image; return its record.

        Raises:
            NotFound: the collection does not have it.
            TooManyFields: it would have more than `MAX_FIELDS` fields.
            TooManyTags: people would have decided on more than `MAX_TAGS` tags.
            ConflictError: other callers changed them in every round.
        """
        for _ in range(MAX_CHANGE_ROUNDS):
            record = self.image(image_id, (collection,))
            after = change.apply(record.annotations)
            if after == record.annotations:
                return record
            with suppress(ConflictError):
                self._catalogue.annotate(ImageKey(collection, image_id), record.annotations, after)
                return replace(record, annotations=after)
        raise ConflictError


def _each(collections: Sequence[str] | None) -> Sequence[str | None]:
    return (None,) if collections is None else collections
