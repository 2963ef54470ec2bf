"""What the API does with stored pictures besides searching: take them in, show them, remove them."""

import unicodedata
import uuid
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import unquote, urlsplit

from shared.aws.fetcher import LambdaFetcher
from shared.aws.objects import S3Objects
from shared.domain.errors import FetchRefused, NotFound, PictureRefused
from shared.domain.formats import MEDIA_TYPES
from shared.domain.images import (
    ImageRecord,
    ObjectRef,
    Upload,
    UploadStatus,
    signature_key,
    thumbnail_key,
    upload_key,
)
from shared.domain.limits import MAX_FILENAME_LENGTH, MAX_UPLOAD_BYTES
from shared.domain.ports import Catalogue, Uploads

THUMBNAIL_TYPE: Final = "image/webp"


def clean_filename(name: str) -> str:
    """A sender's file name without path, control characters and lone surrogates, at most `MAX_FILENAME_LENGTH` long.

    Kept to be shown as text only: it never becomes a key or a path.
    """
    base = name.replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(char for char in base if unicodedata.category(char) not in {"Cc", "Cs", "Cf"})
    return kept.strip()[:MAX_FILENAME_LENGTH] or "picture"


def filename_of(url: str) -> str:
    """The last part of an address's path."""
    try:
        return PurePosixPath(unquote(urlsplit(url).path)).name
    except ValueError:
        return ""


class Library:
    """The pictures of one bucket and table."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        uploads: Uploads,
        objects: S3Objects,
        fetcher: LambdaFetcher,
        bucket: str,
        model: str,
    ) -> None:
        self._catalogue = catalogue
        self._uploads = uploads
        self._objects = objects
        self._fetcher = fetcher
        self._bucket = bucket
        self._model = model

    def open_upload(self, filename: str, media_type: str, collection: str) -> tuple[str, str, dict[str, str]]:
        """Upload id, URL and form fields of a presigned POST for one picture."""
        upload_id = self._pend(filename, collection)
        url, fields = self._objects.open_upload(upload_key(collection, upload_id), media_type)
        return upload_id, url, fields

    def take_in(self, data: bytes, filename: str, media_type: str, collection: str) -> str:
        """Store bytes that did not come by a presigned POST as an upload like any other; gives the upload id."""
        upload_id = self._pend(filename, collection)
        self._objects.write(upload_key(collection, upload_id), data, media_type)
        return upload_id

    def fetch_in(self, url: str, collection: str) -> str:
        """Have the picture at a web address stored as an upload like any other; gives the upload id.

        Raises:
            FetchRefused, PictureRefused: there is no picture; the upload is rejected with the same reason.
            FetchFailed: the upload stays pending, for the picture may still come.
        """
        upload_id = self._pend(filename_of(url), collection)
        try:
            self._fetcher.store(url, upload_key(collection, upload_id))
        except (FetchRefused, PictureRefused) as refused:
            rejected = Upload(upload_id, collection, UploadStatus.REJECTED, code=refused.code, reason=refused.reason)
            self._uploads.finish(rejected)
            raise
        return upload_id

    def uploaded(self, upload_id: str, collection: str) -> bytes:
        """The bytes that an upload brought."""
        return self._objects.read(ObjectRef(self._bucket, upload_key(collection, upload_id)), MAX_UPLOAD_BYTES)

    def _pend(self, filename: str, collection: str) -> str:
        upload_id = uuid.uuid4().hex
        upload = Upload(upload_id, collection, UploadStatus.PENDING, filename=clean_filename(filename))
        self._uploads.open(upload, ObjectRef(self._bucket, upload_key(collection, upload_id)))
        return upload_id

    def upload(self, upload_id: str) -> Upload:
        found = self._uploads.find(upload_id)
        if found is None:
            raise NotFound("There is no upload with this id.")
        return found

    def image(self, image_id: str, collection: str | None) -> ImageRecord:
        found = self._catalogue.find(image_id, collection)
        if found is None:
            raise NotFound("There is no picture with this id.")
        return found

    def content(self, record: ImageRecord) -> bytes:
        """The picture's own bytes."""
        return self._objects.read(self._source(record), MAX_UPLOAD_BYTES)

    def content_link(self, record: ImageRecord) -> str:
        """A short-lived URL of the picture, served under the type that its bytes have."""
        return self._objects.link(self._source(record), MEDIA_TYPES[record.format])

    def thumbnail_link(self, record: ImageRecord) -> str:
        """A short-lived URL of the thumbnail, which is made when first asked for."""
        key = thumbnail_key(record.image_id)
        if not self._objects.exists(key):
            from shared.vision.decoding import decode
            from shared.vision.thumbnail import thumbnail

            self._objects.write(key, thumbnail(decode(self.content(record)).rgb), THUMBNAIL_TYPE)
        return self._objects.link(ObjectRef(self._bucket, key), THUMBNAIL_TYPE)

    def _source(self, record: ImageRecord) -> ObjectRef:
        source = next(iter(record.sources), None)
        if source is None:
            raise NotFound("The picture is being removed.")
        return source

    def remove(self, image_id: str, collection: str | None) -> None:
        """Remove a picture from one collection, or from all: records first, so that no search shows it any more.

        The sources go last, each after its object, so a removal that died half-way can be asked for again.

        Raises:
            NotFound: nothing is held of it.
        """
        held = self._catalogue.holding(image_id, collection)
        if not held:
            raise NotFound("There is no picture with this id.")
        for owner in held.collections:
            self._catalogue.hide(image_id, owner)
        if not held.elsewhere:
            self._objects.delete(signature_key(self._model, image_id))
            self._objects.delete(thumbnail_key(image_id))
        for owner, source in held.sources:
            if source.bucket == self._bucket:
                self._objects.delete(source.key, source.version)
            self._catalogue.forget_source(image_id, owner, source)
