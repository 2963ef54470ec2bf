"""What the use cases need from the outside, as protocols; `shared.aws` and `shared.vision` fulfil them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.domain.features import FeatureVector
from shared.domain.images import ImageRecord, IndexedImage, ObjectRef, Page, Upload


@dataclass(frozen=True, slots=True)
class Candidate:
    """A picture that the vector index found; `cosine` is -1 to 1."""

    record: ImageRecord
    cosine: float


@dataclass(frozen=True, slots=True)
class Candidates:
    """Candidates, nearest first, and what finding them cost (bytes examined; None if not reported)."""

    found: Sequence[Candidate]
    bytes_examined: int | None


@dataclass(frozen=True, slots=True)
class Holding:
    """Everything that the catalogue holds of one picture, in all collections that were asked for."""

    collections: Sequence[str]
    sources: Sequence[tuple[str, ObjectRef]]
    elsewhere: bool

    def __bool__(self) -> bool:
        return bool(self.collections or self.sources)


class Uploads(Protocol):
    """The state of uploads."""

    def open(self, upload: Upload, source: ObjectRef) -> None: ...
    def find(self, upload_id: str) -> Upload | None: ...
    def finish(self, upload: Upload) -> None: ...


class Catalogue(Protocol):
    """The records and their features."""

    def add(self, image: IndexedImage, source: ObjectRef) -> bool:
        """Store a picture with its source; repeating a call changes nothing.

        Returns:
            True if `source` is what brought the picture into the collection, False for a duplicate.
        """
        ...

    def add_source(self, image_id: str, collection: str, model: str, source: ObjectRef) -> bool | None:
        """Like `add` for a picture that may be there already; None if `model` has not indexed it."""
        ...

    def find(self, image_id: str, collection: str | None = None) -> ImageRecord | None: ...
    def source(self, image_id: str, collection: str) -> ObjectRef | None: ...
    def features(self, image_id: str, collection: str, model: str) -> FeatureVector | None: ...
    def holding(self, image_id: str, collection: str | None = None) -> Holding: ...
    def hide(self, image_id: str, collection: str) -> None: ...
    def forget_source(self, image_id: str, collection: str, source: ObjectRef) -> None: ...
    def newest(self, collection: str, *, label: str | None, limit: int, cursor: str | None) -> Page: ...
    def count(self, collection: str) -> tuple[int, bool]: ...

    def nearest(
        self, features: FeatureVector, *, collection: str, model: str, label: str | None, limit: int
    ) -> Candidates: ...


class Objects(Protocol):
    """The bytes: pictures, signatures and thumbnails."""

    def read(self, source: ObjectRef, limit: int) -> bytes: ...
    def write(self, key: str, data: bytes, media_type: str) -> None: ...
    def get(self, key: str) -> bytes | None: ...
    def exists(self, key: str) -> bool: ...
    def delete(self, key: str, version: str | None = None) -> None: ...
    def mark_rejected(self, source: ObjectRef) -> None: ...
    def link(self, source: ObjectRef, media_type: str) -> str: ...
