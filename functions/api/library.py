"""Add, show and remove images: everything that the API does with them except searching."""

import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

from shared.aws.fetch_client import LambdaFetcher
from shared.aws.objects import S3Objects
from shared.domain.cleanup import collect_garbage
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
    thumbnail_key,
    upload_key,
)
from shared.domain.ledger import ConflictError, ImageKey, ObjectStatus
from shared.domain.limits import MAX_UPLOAD_BYTES
from shared.domain.ports import Catalogue, Ledger, Uploads

MAX_REMOVAL_ROUNDS: Final = 3
"""Maximum number of rounds of a removal while the same bytes are being uploaded."""


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
        objects: S3Objects,
        fetcher: LambdaFetcher,
        bucket: str,
        models: Sequence[str],
    ) -> None:
        self._catalogue = catalogue
        self._ledger = ledger
        self._uploads = uploads
        self._objects = objects
        self._fetcher = fetcher
        self._bucket = bucket
        self._models = models

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
        return found

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

    def content(self, record: ImageRecord) -> bytes:
        """Return the bytes of an image."""
        return self._objects.read(self._source(record), MAX_UPLOAD_BYTES).data

    def content_link(self, record: ImageRecord) -> str:
        """Return a short-lived URL of the image, served with the media type of its format."""
        return self._objects.link(self._source(record), MEDIA_TYPES[record.format])

    def thumbnail_url(self, record: ImageRecord) -> str:
        """Return a short-lived URL of the thumbnail, signed without checking that the thumbnail exists."""
        return self._objects.lasting_link(thumbnail_key(record.collection, record.image_id), THUMBNAIL_TYPE)

    def thumbnail_link(self, record: ImageRecord) -> str:
        """Return a short-lived URL of the thumbnail, which is created if it is missing.

        Raises:
            NotFound: the image was removed in the meantime.
        """
        key = thumbnail_key(record.collection, record.image_id)
        if not self._objects.exists(key):
            from shared.vision.decode.decoding import decode
            from shared.vision.thumbnail import thumbnail

            self._objects.write(key, thumbnail(decode(self.content(record)).cover), THUMBNAIL_TYPE)
            if self._catalogue.find(record.image_id, record.collection) is None:
                self._objects.delete(key)
                raise NotFound("The image was removed.")
        return self._objects.link(ObjectRef(self._bucket, key), THUMBNAIL_TYPE)

    def _source(self, record: ImageRecord) -> ObjectRef:
        source = next(iter(record.sources), None)
        if source is None:
            raise NotFound("The image is being removed.")
        return source

    def remove(self, image_id: str, collections: Sequence[str] | None) -> None:
        """Remove an image from each of `collections`.

        Raises:
            NotFound: none of them has it.
            ConflictError: the same bytes were uploaded again in every round.
        """
        removed = [self._remove(image_id, collection) for collection in _each(collections)]
        if not any(removed):
            where = "" if collections is None else f" in {' or '.join(collections)}"
            raise NotFound(f"There is no image with this id{where}.")

    def _remove(self, image_id: str, collection: str | None) -> bool:
        """Remove an image from one collection, or from all; return False if nothing is stored of it.

        Records are deleted first, so that no search returns the image. Each ledger entry is changed after its object is
        deleted, so that a removal that died can be repeated. Objects in source buckets are kept; the ledger marks them
        as dismissed.
        """
        held = self._catalogue.occurrences(image_id, collection)
        if not held:
            return False
        for _ in range(MAX_REMOVAL_ROUNDS):
            for owner in held.collections:
                self._catalogue.delete_record(ImageKey(owner, image_id))
            for owner, source in held.sources:
                self._delete_source(ImageKey(owner, image_id), source)
            for owner in {*held.collections, *(owner for owner, _ in held.sources)}:
                collect_garbage(
                    ImageKey(owner, image_id), catalogue=self._catalogue, objects=self._objects, models=self._models
                )
            held = self._catalogue.occurrences(image_id, collection)
            if not held:
                return True
        raise ConflictError

    def _delete_source(self, image_key: ImageKey, source: ObjectRef) -> None:
        ours = source.bucket == self._bucket
        entry = self._ledger.find(
            source
        )  # read first, so that the change fails if the object comes back in the meantime
        if ours:
            self._objects.delete(source.key, source.version)
        if entry and entry.held == image_key:
            status = ObjectStatus.REMOVED if ours else ObjectStatus.DISMISSED
            with suppress(ConflictError):  # its event was faster, or it came back: the next round handles that
                self._ledger.change(entry, replace(entry, status=status))


def _each(collections: Sequence[str] | None) -> Sequence[str | None]:
    return (None,) if collections is None else collections
