"""The protocols through which the use cases reach storage and other services; `shared.aws` implements them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from shared.domain.duplicates import DuplicatePage
from shared.domain.images import ImageRecord, IndexedImage, ObjectRef, Page, Upload
from shared.domain.ledger import ImageKey, ObjectState

if TYPE_CHECKING:
    from shared.domain.events import DuplicateCheck
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
    def finish(self, upload: Upload) -> None: ...


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

    def existing(self, image_ids: Collection[str], collection: str) -> set[str]:
        """Return which of these images, at most 100, the collection holds now; the vector index may lag behind."""
        ...


class NearDuplicateIndex(VectorSearch, PixelSearch, Protocol):
    """The reads that finding an earlier near-duplicate needs."""

    def find(self, image_id: str, collection: str | None = None) -> ImageRecord | None: ...
    def features(self, image_id: str, collection: str, model: str) -> "FeatureVector | None": ...


class Catalogue(SearchIndex, NearDuplicateIndex, Protocol):
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

    def newest(self, collection: str, *, labels: Collection[str] | None, limit: int, cursor: str | None) -> Page:
        """Return one page, newest first; `labels`, in canonical form, limits it to images that have one of them."""
        ...

    def count(self, collection: str) -> tuple[int, bool]: ...


class Duplicates(Protocol):
    """Stores groups of near-duplicates."""

    def group_of(self, image: ImageKey) -> str | None: ...
    def join(self, image: ImageKey, earlier: ImageKey) -> None: ...
    def page(self, collection: str, *, limit: int, cursor: str | None) -> DuplicatePage: ...


class DuplicateChecks(Protocol):
    """Postpones checks for near-duplicates."""

    def postpone(self, check: "DuplicateCheck") -> None:
        """Queue the check again, with a delay of `CHECK_DELAY_SECONDS`."""
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

    def read(self, source: ObjectRef, limit: int) -> Fetched: ...
    def present(self, source: ObjectRef) -> bool: ...
    def etag(self, source: ObjectRef) -> str | None: ...
    def write(self, key: str, data: bytes, media_type: str) -> None: ...
    def exists(self, key: str) -> bool: ...
    def delete(self, key: str, version: str | None = None) -> None: ...
    def mark_rejected(self, source: ObjectRef) -> None: ...
    def link(self, source: ObjectRef, media_type: str) -> str: ...
    def lasting_link(self, key: str, media_type: str) -> str: ...


class Fetcher(Protocol):
    """Fetches images from the web, with permissions of its own."""

    def store(self, url: str, key: str) -> None:
        """Fetch the image at a public URL and store it under an upload's key.

        Raises:
            PictureRefused: no image can be fetched there.
        """
        ...
