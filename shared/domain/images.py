"""Images, where they came from, and the state of an upload."""

import hashlib
import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from shared.domain.annotations import NO_ANNOTATIONS, Annotations
from shared.domain.capture import Capture
from shared.domain.formats import ANIMATED, RAW_FORMATS
from shared.domain.labels import canonical
from shared.domain.limits import (
    DEFAULT_COLLECTION,
    MAX_COLLECTION_LENGTH,
    MAX_FILENAME_LENGTH,
    MAX_PAGES_SEARCHED,
)
from shared.domain.perceptual_hashes import Pdq
from shared.domain.quality import Quality

if TYPE_CHECKING:
    from shared.domain.features import FeatureVector, LocalVector

COLLECTION_PATTERN = rf"^[a-z0-9][a-z0-9_-]{{0,{MAX_COLLECTION_LENGTH - 1}}}$"
IMAGE_ID_PATTERN = r"^[0-9a-f]{64}$"
UPLOAD_ID_PATTERN = r"^[0-9a-f]{32}$"

UPLOADS_PREFIX = "uploads/"
SIGNATURES_PREFIX = "signatures/"
THUMBNAILS_PREFIX = "thumbnails/"

THUMBNAIL_TYPE: Final = "image/webp"

REJECTED_TAG = ("pictrace", "rejected")
"""Tag of rejected uploads; the bucket's lifecycle rule deletes objects that have it."""

_UPLOAD_KEY = re.compile(
    rf"{UPLOADS_PREFIX}(?P<collection>[a-z0-9][a-z0-9_-]{{0,{MAX_COLLECTION_LENGTH - 1}}})"
    r"/(?P<upload_id>[0-9a-f]{32})"
)
_UNDER_UPLOADS = re.compile(rf"{UPLOADS_PREFIX}(?P<collection>[a-z0-9][a-z0-9_-]{{0,{MAX_COLLECTION_LENGTH - 1}}})/")


class UploadStatus(StrEnum):
    """The status of an upload. Every status except `PENDING` is final."""

    PENDING = "pending"
    INDEXED = "indexed"
    DUPLICATE = "duplicate"
    REJECTED = "rejected"


class Grouping(StrEnum):
    """Whether an indexed image has been compared with all others that arrived before or together with it."""

    PENDING = "pending"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class ObjectRef:
    """An object in S3. `key` is the real key, never URL-encoded."""

    bucket: str
    key: str
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Label:
    """An ImageNet class name with its probability, 0 to 1."""

    name: str
    probability: float


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """The description of one image in one collection, without its features.

    Attributes:
        image_id: SHA-256 of the image's bytes, 64 lower-case hex digits.
        width, height: pixels, upright (EXIF orientation applied).
        phash: 64-bit perceptual hash, 16 hex digits.
        pdq: None if the deployment did not store PDQ hashes when it stored the image.
        created_at: ISO 8601 in UTC with microseconds; sorts as text.
        filename: the name that the sender gave, untrusted.
        sharpness: variance of the Laplacian, 0 or more.
        low_information: whether the image has too little detail to be recognised by, such as a single colour.
        quality: evidence by which the best of several copies is chosen; None if it was not measured, or not read.
        chosen: whether somebody chose to keep it, whatever its quality.
        group: `image_id` of the image that is kept of its group of near-duplicates; None without a group, or not read.
        annotations: what callers noted about it.
        damaged: whether the file is cut off, or lacks its end.
        intact: share of the image that is there; only this part is described.
        pages: number of pages, frames or images in the file.
        capture: when, by what and where it was taken; None for an image stored by a version that did not read this.
        things: words for what the network sees in it, most probable first; None for an image stored by a version that
            did not tell them.
    """

    collection: str
    image_id: str
    model: str
    width: int
    height: int
    format: str
    bytes: int
    phash: str
    created_at: str
    labels: Sequence[Label] = ()
    filename: str | None = None
    sources: Sequence[ObjectRef] = ()
    low_information: bool = False
    sharpness: float = 0.0
    quality: Quality | None = None
    chosen: bool = False
    group: str | None = None
    annotations: Annotations = NO_ANNOTATIONS
    damaged: bool = False
    intact: float = 1.0
    pages: int = 1
    capture: Capture | None = None
    things: Sequence[str] | None = None
    pdq: Pdq | None = None

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags of the image: those that people gave, and the things that the network sees and nobody removed."""
        return self.annotations.tags.of(self.things or ())

    @property
    def dated_at(self) -> str:
        """When the image was taken, in local time, or else when it was indexed, in UTC; sorts as text."""
        return (self.capture and self.capture.local_time) or self.created_at.removesuffix("+00:00")

    @property
    def pages_searched(self) -> int:
        """How many pages a search finds, from the first one on; of an animation, all count."""
        return self.pages if self.format in ANIMATED else min(self.pages, MAX_PAGES_SEARCHED)

    @property
    def raw(self) -> bool:
        """Whether the image is a camera RAW file."""
        return self.format in RAW_FORMATS

    @property
    def label(self) -> str | None:
        """The most probable class, or None if no class is probable enough."""
        return self.labels[0].name if self.labels else None

    def has_any(self, labels: Collection[str]) -> bool:
        """Return whether one of the image's labels is among `labels`, which are in canonical form."""
        return any(canonical(label.name) in labels for label in self.labels)


@dataclass(frozen=True, slots=True)
class IndexedImage:
    """A record with its vectors, as ingest stores it.

    Attributes:
        local_features: None for an image without keypoints.
        pixels_hash: SHA-256 of the size and the decoded pixels, 64 lower-case hex digits; None if unknown.
    """

    record: ImageRecord
    features: "FeatureVector"
    local_features: "LocalVector | None" = None
    pixels_hash: str | None = None


@dataclass(frozen=True, slots=True)
class Upload:
    """The state of one upload.

    Attributes:
        image_id: the indexed image, if there is one.
        code, reason: why the upload was rejected.
        metadata: values of the sender, repeated in the published events.
        opened_at: when it was opened, in seconds since the epoch; None if no one opened it.
        grouping: whether the image is in its group of near-duplicates; None unless it was indexed.
        ends_by: when its last attempt has ended whatever happens, in seconds since the epoch; None before that attempt.
    """

    upload_id: str
    collection: str
    status: UploadStatus
    filename: str | None = None
    image_id: str | None = None
    code: str | None = None
    reason: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    opened_at: int | None = None
    ends_by: int | None = None
    grouping: Grouping | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A page of records, newest first, and the cursor of the next page (None on the last one)."""

    records: Sequence[ImageRecord]
    cursor: str | None = None


def upload_key(collection: str, upload_id: str) -> str:
    """Return the S3 key of an upload: `uploads/<collection>/<upload_id>`."""
    return f"{UPLOADS_PREFIX}{collection}/{upload_id}"


def upload_id_of_message(message_id: str) -> str:
    """Return the id of the upload for a URL that a message submits, the same in each attempt."""
    return hashlib.sha256(message_id.encode()).hexdigest()[:32]


def parse_upload_key(key: str) -> tuple[str, str] | None:
    """Return (collection, upload_id) of a key that `upload_key` made, or None for any other key."""
    match = _UPLOAD_KEY.fullmatch(key)
    return (match["collection"], match["upload_id"]) if match else None


def object_id(source: ObjectRef) -> str:
    """Return the hash of an object's bucket and key, 64 hex digits."""
    return hashlib.sha256(f"{source.bucket}/{source.key}".encode()).hexdigest()


def source_id(source: ObjectRef) -> str:
    """Return a short stable id of an object: the id of an upload, otherwise a hash of bucket and key."""
    parsed = parse_upload_key(source.key)
    return parsed[1] if parsed else object_id(source)


def collection_of_key(key: str) -> str:
    """Return the collection in a key `uploads/<collection>/...`; the default collection for any other key."""
    match = _UNDER_UPLOADS.match(key)
    return match["collection"] if match else DEFAULT_COLLECTION


def signature_key(model: str, image_id: str) -> str:
    return f"{SIGNATURES_PREFIX}{model}/{image_id}"


def thumbnail_key(collection: str, image_id: str) -> str:
    """Return the S3 key of a thumbnail.

    Each collection has its own, because the time of the last write must not reveal what another collection did.
    """
    return f"{THUMBNAILS_PREFIX}{collection}/{image_id}.webp"


def preview_key(collection: str, image_id: str) -> str:
    """Return the S3 key of the image that links to an album show."""
    return f"{THUMBNAILS_PREFIX}{collection}/{image_id}.preview.webp"


def clean_filename(name: str) -> str:
    """Return a sender's file name without path, control characters and lone surrogates, cut to `MAX_FILENAME_LENGTH`.

    The name is only ever displayed as text: it never becomes a key or a path.
    """
    base = name.replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(char for char in base if unicodedata.category(char) not in {"Cc", "Cs", "Cf"})
    return kept.strip()[:MAX_FILENAME_LENGTH] or "image"


def filename_of_url(url: str) -> str:
    """Return the last part of a URL's path as a file name to display."""
    try:
        return clean_filename(unquote(urlsplit(url).path))
    except ValueError:
        return clean_filename("")
