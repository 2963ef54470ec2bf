"""Index one uploaded object: bytes in, a record and a signature out."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime

from shared.domain.errors import PictureRefused
from shared.domain.images import (
    ImageRecord,
    IndexedImage,
    ObjectRef,
    Upload,
    UploadStatus,
    parse_upload_key,
    signature_key,
)
from shared.domain.limits import DEFAULT_COLLECTION, MAX_UPLOAD_BYTES
from shared.domain.ports import Catalogue, Objects, Uploads
from shared.vision import signature
from shared.vision.decoding import Picture, decode
from shared.vision.embedding import Embedder
from shared.vision.phash import perceptual_hash


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")


class Indexer:
    """The ingest use case. Every step may be repeated: a message that comes twice changes nothing."""

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        uploads: Uploads,
        objects: Objects,
        embedder: Embedder,
        clock: Callable[[], str] = now,
    ) -> None:
        self._catalogue = catalogue
        self._uploads = uploads
        self._objects = objects
        self._embedder = embedder
        self._clock = clock

    def index(self, source: ObjectRef) -> Upload:
        """Index an object and record how its upload ended.

        The signature is stored before the record, so a picture that a search finds can always be reranked.
        Faults of S3 and DynamoDB are raised: the message comes again.
        """
        collection, upload_id = parse_upload_key(source.key) or (DEFAULT_COLLECTION, None)
        try:
            data = self._objects.read(source, MAX_UPLOAD_BYTES)
            image_id = hashlib.sha256(data).hexdigest()
            brought = self._catalogue.add_source(image_id, collection, self._embedder.model_id, source)
            if brought is None:
                filename = self._filename(upload_id)
                brought = self._store(decode(data), data, image_id, collection, filename, source)
        except PictureRefused as refused:
            if refused.code != "gone":
                self._objects.mark_rejected(source)
            outcome = Upload(
                upload_id or "", collection, UploadStatus.REJECTED, code=refused.code, reason=refused.reason
            )
        else:
            status = UploadStatus.INDEXED if brought else UploadStatus.DUPLICATE
            outcome = Upload(upload_id or "", collection, status, image_id=image_id)
        if upload_id:
            self._uploads.finish(outcome)
        return outcome

    def _filename(self, upload_id: str | None) -> str | None:
        opened = self._uploads.find(upload_id) if upload_id else None
        return opened.filename if opened else None

    def _store(
        self, picture: Picture, data: bytes, image_id: str, collection: str, filename: str | None, source: ObjectRef
    ) -> bool:
        embedding = self._embedder.embed(picture.rgb)
        described = signature.extract(picture.rgb)
        self._objects.write(
            signature_key(self._embedder.model_id, image_id), signature.pack(described), "application/octet-stream"
        )
        record = ImageRecord(
            collection=collection,
            image_id=image_id,
            model=self._embedder.model_id,
            width=picture.width,
            height=picture.height,
            format=picture.format,
            bytes=len(data),
            phash=perceptual_hash(described.gray),
            created_at=self._clock(),
            labels=embedding.labels,
            filename=filename,
        )
        return self._catalogue.add(IndexedImage(record, embedding.features), source)
