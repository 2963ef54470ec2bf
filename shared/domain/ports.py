"""The protocols through which the use cases reach storage and other services.

`shared.aws` implements them with AWS services, `shared.embedded` with files and a database in one folder.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from shared.domain.albums import Album, AlbumChange, AlbumKey, AlbumPage, Share
from shared.domain.annotations import Annotations
from shared.domain.capture import Capture
from shared.domain.collections import CollectionEntry, CollectionPage
from shared.domain.duplicate_scans import DuplicateScan
from shared.domain.duplicates import Decision, DecisionPage, Decisions, DuplicatePage
from shared.domain.filters import ImageFilter, Order, Sort
from shared.domain.images import ImageRecord, IndexedImage, ObjectRef, Page, Upload
from shared.domain.ledger import ImageKey, ObjectState
from shared.domain.perceptual_hashes import HashKind, HashPage, Pdq
from shared.domain.quality import Quality
from shared.domain.tags import TagCounts
from shared.domain.trash import TrashPage

if TYPE_CHECKING:
    from shared.domain.access import Caller
    from shared.domain.events import DuplicateCheck, DuplicateScanStep, FaceScan, FindFaces, Reindex, TrashChanged
    from shared.domain.features import FeatureVector, LocalVector


@dataclass(frozen=True, slots=True)
class Candidate:
    """An image that a vector index found; `cosine` is the similarity of the vectors compared, -1 to 1."""

    record: ImageRecord
    cosine: float


@dataclass(frozen=True, slots=True)
class Candidates:
    """Candidates, nearest first, and the number of bytes that the search examined (None if not reported)."""

    found: Sequence[Candidate]
    bytes_examined: int | None


@dataclass(frozen=True, slots=True)
class Occurrences:
    """The collections that have an image's record, and the objects that hold its bytes, with their collections."""

    collections: Sequence[str]
    sources: Sequence[tuple[str, ObjectRef]]

    def __bool__(self) -> bool:
        return bool(self.collections or self.sources)

    def of(self, collection: str | None) -> "Occurrences":
        """Return the occurrences in one collection (None: all of them)."""
        if collection is None:
            return self
        return Occurrences(
            [name for name in self.collections if name == collection],
            [(name, source) for name, source in self.sources if name == collection],
        )


class Uploads(Protocol):
    """Stores the state of uploads."""

    def open(self, upload: Upload, source: ObjectRef) -> None: ...
    def find(self, upload_id: str) -> Upload | None: ...

    def finish(self, upload: Upload) -> None:
        """Store the final state of an upload; nothing of an earlier end remains."""
        ...

    def grouped(self, upload_id: str) -> None:
        """Note that the image of a finished upload is in its group of near-duplicates."""
        ...

    def expect_end(self, upload_id: str, ends_by: int) -> None:
        """Store when a pending upload's last attempt will have ended, in seconds since the epoch."""
        ...

    def fail(self, upload_id: str, reason: str) -> None:
        """Reject an upload with the code `failed`, if it is pending."""
        ...


class Ledger(Protocol):
    """Records which object holds which image."""

    def find(self, source: ObjectRef) -> ObjectState | None: ...

    def change(self, before: ObjectState | None, after: ObjectState) -> None:
        """Replace an entry and update the sources of the images concerned, in one transaction.

        Raises:
            ConflictError: the stored entry is no longer `before`.
        """
        ...


class VectorSearch(Protocol):
    """Finds candidates in the vector indexes."""

    def nearest(
        self, features: "FeatureVector", *, collection: str, model: str, label: str | None, limit: int
    ) -> Candidates:
        """Return the images nearest by their features; `label`, in canonical form, limits them to one top class.

        Raises:
            IndexNotReady: the index is being built.
        """
        ...

    def nearest_local(self, local: "LocalVector", *, collection: str, model: str, limit: int) -> Candidates:
        """Return the images nearest by their local features.

        Raises:
            IndexNotReady: the index is being built.
        """
        ...


class PixelSearch(Protocol):
    """Finds images by the hash of their pixels."""

    def with_pixels(self, pixels_hash: str, *, collection: str, limit: int) -> Sequence[ImageRecord]:
        """Return the images whose decoded pixels have this hash: 64 lower-case hex digits, as in `IndexedImage`."""
        ...


class SearchIndex(VectorSearch, PixelSearch, Protocol):
    """The reads that a search needs."""

    def find(self, image_id: str, collection: str | None = None) -> ImageRecord | None: ...
    def features(self, image_id: str, collection: str, model: str) -> "FeatureVector | None": ...

    def existing(self, image_ids: Collection[str], collection: str) -> Mapping[str, Annotations]:
        """Return which of these images, at most 100, the collection holds now, with their annotations.

        The vector index may lag behind, and has no annotations.
        """
        ...


class NearDuplicateIndex(VectorSearch, PixelSearch, Protocol):
    """The reads that finding an earlier near-duplicate needs."""

    def find(self, image_id: str, collection: str | None = None) -> ImageRecord | None: ...
    def features(self, image_id: str, collection: str, model: str) -> "FeatureVector | None": ...


class HashIndex(Protocol):
    """The reads that a search by perceptual hashes needs."""

    def hashes(self, collection: str, kind: HashKind, *, limit: int, after: tuple[str, str] | None) -> HashPage:
        """Return a page of hashes, newest image first.

        Args:
            limit: maximum number of images; a page with fewer may have more behind it.
            after: time of indexing and id of the image after which the page starts.
        """
        ...

    def shown(self, collection: str, image_ids: Sequence[str]) -> Mapping[str, ImageRecord]:
        """Return the records of those of the images that the collection holds now, with their annotations."""
        ...


class Catalogue(SearchIndex, NearDuplicateIndex, HashIndex, Protocol):
    """Stores the records and features of images."""

    def add(self, image: IndexedImage, source: ObjectRef, secondary: Sequence[IndexedImage] = ()) -> bool:
        """Store an image's record; a repeated call changes nothing.

        Args:
            secondary: the same image, described by other models.

        Returns:
            True if `source` was the first to bring the image into the collection, False for a duplicate.
        """
        ...

    def add_secondary(self, image: IndexedImage) -> None:
        """Store the vectors of a model other than the record's; the image must have a record."""
        ...

    def is_first_source(self, image_key: ImageKey, models: Sequence[str], source: ObjectRef) -> bool | None:
        """Return what `add` would return, or None if the image is missing or lacks the vectors of one of `models`."""
        ...

    def described(self, image_key: ImageKey, models: Sequence[str]) -> bool:
        """Return whether the image is stored with the vectors of all `models`."""
        ...

    def occurrences(self, image_id: str, collection: str | None = None) -> Occurrences: ...
    def delete_record(self, image_key: ImageKey) -> bool: ...

    def page(
        self,
        collection: str,
        *,
        wanted: ImageFilter,
        sort: Sort = Sort.ADDED,
        order: Order = Order.NEWEST,
        limit: int,
        cursor: str | None,
    ) -> Page:
        """Return one page of the images that `wanted` accepts, with their annotations.

        Raises:
            InvalidCursor: the cursor is malformed, or no page of this listing returned it.
        """
        ...

    def set_capture(self, image_key: ImageKey, capture: Capture) -> None:
        """Store what the file of an image states that a version stored which did not read this, if it still exists."""
        ...

    def set_things(self, image_key: ImageKey, things: Sequence[str]) -> None:
        """Store words for what a network sees in an image that a version stored which told none, if it exists."""
        ...

    def set_pdq(self, image_key: ImageKey, pdq: Pdq) -> None:
        """Store the PDQ hash of an image that was stored while the setting was off, if it still exists."""
        ...

    def annotate(self, image_key: ImageKey, before: Annotations, after: Annotations) -> None:
        """Replace the annotations of an image.

        Raises:
            ConflictError: they are no longer `before`, or the image was removed.
        """
        ...

    def count(self, collection: str) -> tuple[int, bool]: ...
    def tag_counts(self, collection: str) -> TagCounts: ...


class Albums(Protocol):
    """Stores albums. Which images an album has, `Catalogue.page` tells (`ImageFilter.album`).

    An image that is purged leaves all of its albums; one in the trash stays in them, unseen.
    """

    def create(self, album: Album) -> None:
        """Create an album, unless there is one with its key."""
        ...

    def find(self, key: AlbumKey) -> Album | None: ...
    def change(self, key: AlbumKey, change: AlbumChange) -> Album:
        """Change an album; return it.

        Raises:
            AlbumMissing: it does not exist.
        """
        ...

    def delete(self, key: AlbumKey) -> bool:
        """Delete an album with its links, but none of its images; return False if it does not exist."""
        ...

    def page(self, collection: str, *, limit: int, cursor: str | None) -> AlbumPage:
        """Return one page of a collection's albums, the newest first.

        Raises:
            InvalidCursor: the cursor is malformed or belongs to another collection.
        """
        ...

    def of_image(self, image: ImageKey) -> Sequence[Album]:
        """Return the albums that have an image, the newest first."""
        ...

    def holds(self, key: AlbumKey, image_id: str) -> bool:
        """Return whether an album has an image, which may be in the trash."""
        ...

    def add(self, key: AlbumKey, image_ids: Sequence[str]) -> Sequence[str]:
        """Add images, at most `MAX_ALBUM_CHANGES`; return those that the collection does not have.

        Raises:
            AlbumMissing: the album does not exist.
            AlbumFull: it would have more than `MAX_ALBUM_IMAGES` images; some may have been added.
            ConflictError: others kept changing the same images or the album.
        """
        ...

    def remove(self, key: AlbumKey, image_ids: Sequence[str]) -> None:
        """Remove images, at most `MAX_ALBUM_CHANGES`, from an album; those that it does not have do not matter.

        Raises:
            ConflictError: others kept changing the same images or the album.
        """
        ...


class Shares(Protocol):
    """Stores links to albums by the hashes of their tokens."""

    def create(self, share: Share, token_hash: str) -> None: ...
    def find(self, token_hash: str) -> Share | None:
        """Return the link with a token; it may have ended, or its album may be gone."""
        ...

    def list_all(self, album: AlbumKey) -> Sequence[Share]:
        """Return the links to an album, also those that have ended a short while ago, the first created first."""
        ...

    def revoke(self, album: AlbumKey, share_id: str) -> bool:
        """Delete a link; return False if there is none."""
        ...


class Collections(Protocol):
    """Stores which collections exist. A catalogue registers the collection of each image that it stores."""

    def register(self, name: str) -> None:
        """Note that a collection is used, unless this process did so within the last minute."""
        ...

    def put(self, name: str, title: str | None) -> CollectionEntry:
        """Create a collection, or change its title."""
        ...

    def set_faces(self, name: str, *, on: bool) -> CollectionEntry:
        """Have the faces of a collection's images found and kept from now on, or not; it is created if it is new."""
        ...

    def page(self, *, limit: int, cursor: str | None) -> CollectionPage:
        """Return one page of all collections.

        Raises:
            InvalidCursor: the cursor is malformed.
        """
        ...

    def find(self, names: Collection[str]) -> Sequence[CollectionEntry]:
        """Return those of the collections, at most 100, that exist."""
        ...

    def remove(self, name: str) -> None: ...


class Duplicates(Protocol):
    """Stores groups of near-duplicates, and what people decided on them."""

    def records(self, collection: str, image_ids: Collection[str]) -> Mapping[str, ImageRecord]:
        """Return those of the images that the collection has now, with quality, group and choice."""
        ...

    def place(self, image: ImageKey, group: str | None, *, before: str | None) -> bool:
        """Move an image into a group, or out of any; return False unless it exists and its group is `before`."""
        ...

    def rate(self, image: ImageKey, quality: Quality) -> None:
        """Store the quality of an image, if it exists."""
        ...

    def choose(self, image: ImageKey, *, chosen: bool) -> None:
        """Note whether somebody chose to keep an image."""
        ...

    def members(self, group: ImageKey, limit: int) -> Sequence[str]:
        """Return the ids of images in a group; the last changes may not be seen yet."""
        ...

    def page(self, collection: str, *, limit: int, cursor: str | None) -> DuplicatePage: ...

    def decide(self, image: ImageKey, other: str, decision: Decision | None) -> None:
        """Store a decision on two images of a collection, or forget it. It outlives both images."""
        ...

    def decisions(self, image: ImageKey) -> Decisions: ...

    def decided(self, collection: str, *, limit: int, cursor: str | None) -> DecisionPage:
        """Return all decisions of a collection, ordered by the ids of the images, also those that it lacks."""
        ...


class Scans(Protocol):
    """Stores the progress of comparing collections again."""

    def put(self, scan: DuplicateScan) -> None: ...
    def find(self, collection: str) -> DuplicateScan | None: ...

    def advance(self, before: DuplicateScan, after: DuplicateScan) -> bool:
        """Store progress; return False if another worker did, or another scan was started."""
        ...


class Trash(Protocol):
    """Hides images that were deleted, until they are restored or purged. Their objects and sources stay."""

    def put(self, image: ImageKey, at: str) -> bool:
        """Move an image into the trash; return False if the collection does not have it.

        No search, listing or read of the catalogue returns it any more, except that `occurrences` has its record, so
        that nothing takes its objects for orphans. Storing it again (`Catalogue.add`) restores it.

        Args:
            at: now, ISO 8601 in UTC.
        """
        ...

    def take_out(self, image: ImageKey) -> bool:
        """Restore an image; return False if it is not in the trash, or condemned."""
        ...

    def holds(self, image: ImageKey) -> bool: ...

    def condemn(self, image: ImageKey, before: str) -> bool:
        """Begin to purge an image, which cannot be restored from then on, except that it is stored again.

        Until its record is deleted it is still due, so that a purge that died is completed.

        Returns:
            False if it is not in the trash, or was moved there at `before` or later.
        """
        ...

    def page(self, collection: str, *, limit: int, cursor: str | None) -> TrashPage:
        """Return one page of a collection's trash, the last deleted first.

        Raises:
            InvalidCursor: the cursor is malformed or belongs to another collection.
        """
        ...

    def due(self, before: str, limit: int, collection: str | None = None) -> Sequence[ImageKey]:
        """Return images of one collection, or of any, that were deleted before a time, ISO 8601 in UTC."""
        ...


class Messages(Protocol):
    """Sends the ingest function what is to be done later."""

    def postpone(self, check: "DuplicateCheck") -> None:
        """Queue the check, with a delay that grows with its attempts."""
        ...

    def reindex(self, event: "Reindex") -> None: ...
    def scan(self, step: "DuplicateScanStep", *, delay_seconds: int = 0) -> None: ...

    def trash_changed(self, event: "TrashChanged") -> None:
        """Have it published that an image was moved into the trash, or restored."""
        ...

    def find_faces(self, event: "FindFaces | FaceScan") -> None: ...

    def purge(self, collection: str | None, before: str | None) -> None:
        """Have images purged: those deleted before a time (None: long enough ago), of one collection or of all."""
        ...


@dataclass(frozen=True, slots=True)
class Fetched:
    """The bytes of an object with their ETag and version."""

    data: bytes
    etag: str
    version: str | None


class Signatures(Protocol):
    """Reads signatures."""

    def get(self, key: str) -> bytes | None: ...


class Objects(Signatures, Protocol):
    """Stores images, signatures and thumbnails as objects."""

    def read(self, source: ObjectRef, limit: int, reserve: Callable[[int], None] | None = None) -> Fetched:
        """Return the bytes of an object.

        Args:
            limit: maximum number of bytes.
            reserve: called with the number of bytes before they are read; it may wait until there is memory for them.
        """
        ...

    def present(self, source: ObjectRef) -> bool: ...
    def etag(self, source: ObjectRef) -> str | None: ...
    def write(self, key: str, data: bytes, media_type: str) -> None: ...
    def exists(self, key: str) -> bool: ...
    def delete(self, key: str, version: str | None = None) -> None: ...
    def mark_rejected(self, source: ObjectRef) -> None: ...
    def link(self, source: ObjectRef, media_type: str, download_as: str | None = None) -> str:
        """Return a short-lived URL that shows an image, or saves it under the name `download_as`."""
        ...

    def lasting_link(self, key: str, media_type: str) -> str: ...


class WebObjects(Objects, Protocol):
    """Objects that browsers upload and load by themselves."""

    @property
    def origin(self) -> str:
        """Where links and forms lead, as a source of a Content-Security-Policy."""
        ...

    def open_upload(self, key: str, media_type: str) -> tuple[str, dict[str, str]]:
        """Return URL and fields of a form that accepts one image, with this key and media type only."""
        ...


class Fetcher(Protocol):
    """Fetches images from the web, with permissions of its own."""

    def store(self, url: str, key: str) -> None:
        """Fetch the image at a public URL and store it under an upload's key.

        Raises:
            PictureRefused: no image can be fetched there.
        """
        ...


class WebFetcher(Fetcher, Protocol):
    """Fetches images from the web, also without storing them."""

    def read(self, url: str) -> bytes:
        """Return the bytes of the image at a public URL, at most `MAX_QUERY_BYTES`.

        Raises:
            PictureRefused: no image can be fetched there.
        """
        ...


class ApiKeys(Protocol):
    """Verifies API keys."""

    def verify(self, text: str | None) -> "Caller":
        """Return the caller that a key identifies, and count the call.

        Raises:
            Unauthenticated: the text is not a valid key.
            RateLimited: the key has used up its calls for this minute.
        """
        ...
