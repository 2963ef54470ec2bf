"""What the use cases need from the outside, as protocols; `shared.aws` and `shared.vision` fulfil them."""

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
    """An image that a vector index found; `cosine` is that of the vectors it compares, -1 to 1."""

    record: ImageRecord
    cosine: float


@dataclass(frozen=True, slots=True)
class Candidates:
    """Candidates, nearest first, and what finding them cost (bytes examined; None if not reported)."""

    found: Sequence[Candidate]
    bytes_examined: int | None


@dataclass(frozen=True, slots=True)
class Occurrences:
    """Where one image occurs: the collections that have its record, and every object that holds its bytes."""

    collections: Sequence[str]
    sources: Sequence[tuple[str, ObjectRef]]

    def __bool__(self) -> bool:
        return bool(self.collections or self.sources)

    def of(self, collection: str | None) -> "Occurrences":
        """What of it is in one collection (None: all of it)."""
        if collection is None:
            return self
        return Occurrences(
            [name for name in self.collections if name == collection],
            [(name, source) for name, source in self.sources if name == collection],
        )


class Uploads(Protocol):
    """The state of uploads."""

    def open(self, upload: Upload, source: ObjectRef) -> None: ...
    def find(self, upload_id: str) -> Upload | None: ...
    def finish(self, upload: Upload) -> None: ...


class Ledger(Protocol):
    """Which object holds which image."""

    def find(self, source: ObjectRef) -> ObjectState | None: ...

    def change(self, before: ObjectState | None, after: ObjectState) -> None:
        """Put an entry in the place of another and move the image's source with it, in one step.

        Raises:
            ConflictError: the entry is no longer `before`.
        """
        ...


class VectorSearch(Protocol):
    """The vector indexes: what finds candidates."""

    def nearest(
        self, features: "FeatureVector", *, collection: str, model: str, label: str | None, limit: int
    ) -> Candidates:
        """Return the images nearest by their features; with `label`, in canonical form, those whose top class it is.

        Raises:
            IndexNotReady: the index is being built.
        """
        ...

    def nearest_local(self, local: "LocalVector", *, collection: str, model: str, limit: int) -> Candidates:
        """Return the images nearest by their local features; raises as `nearest` does."""
        ...


class SearchIndex(VectorSearch, Protocol):
    """What a search reads."""

    def features(self, image_id: str, collection: str, model: str) -> "FeatureVector | None": ...

    def existing(self, image_ids: Collection[str], collection: str) -> set[str]:
        """Which of these images (at most 100) the collection holds at this moment; `nearest` may lag behind."""
        ...


class NearDuplicateIndex(VectorSearch, Protocol):
    """What looking for an earlier near-duplicate reads."""

    def find(self, image_id: str, collection: str | None = None) -> ImageRecord | None: ...
    def features(self, image_id: str, collection: str, model: str) -> "FeatureVector | None": ...


class Catalogue(SearchIndex, NearDuplicateIndex, Protocol):
    """The records and their features."""

    def add(self, image: IndexedImage, source: ObjectRef, secondary: Sequence[IndexedImage] = ()) -> bool:
        """Store an image's record; repeating a call changes nothing.

        Args:
            secondary: the same image under other models.

        Returns:
            True if `source` is what brought the image into the collection, False for a duplicate.
        """
        ...

    def add_secondary(self, image: IndexedImage) -> None:
        """Store an image under another model than its record's; it must have a record."""
        ...

    def is_first_source(self, image_key: ImageKey, models: Sequence[str], source: ObjectRef) -> bool | None:
        """What `add` would return, or None where one of `models` has not described the image."""
        ...

    def described(self, image_key: ImageKey, models: Sequence[str]) -> bool:
        """Whether the image is there and all `models` have described it."""
        ...

    def occurrences(self, image_id: str, collection: str | None = None) -> Occurrences: ...
    def delete_record(self, image_key: ImageKey) -> bool: ...

    def newest(self, collection: str, *, labels: Collection[str] | None, limit: int, cursor: str | None) -> Page:
        """Return one page, newest first; with `labels`, in canonical form, only of images that have one of them."""
        ...

    def count(self, collection: str) -> tuple[int, bool]: ...


class Duplicates(Protocol):
    """Groups of near-duplicates."""

    def join(self, image: ImageKey, earlier: ImageKey) -> None: ...
    def page(self, collection: str, *, limit: int, cursor: str | None) -> DuplicatePage: ...


class DuplicateChecks(Protocol):
    """Checks for near-duplicates that could not be made yet."""

    def postpone(self, check: "DuplicateCheck") -> None:
        """Have the check come back after `CHECK_DELAY_SECONDS`."""
        ...


@dataclass(frozen=True, slots=True)
class Fetched:
    """An object's bytes with the ETag and version that they have."""

    data: bytes
    etag: str
    version: str | None


class Signatures(Protocol):
    """Where signatures are read."""

    def get(self, key: str) -> bytes | None: ...


class Objects(Signatures, Protocol):
    """The bytes: images, signatures and thumbnails."""

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
    """Gets images from the web, with rights of its own."""

    def store(self, url: str, key: str) -> None:
        """Have the image at a public address put under an upload's key.

        Raises:
            PictureRefused: there is no image to be had.
        """
        ...
