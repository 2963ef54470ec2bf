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


class Catalogue(Protocol):
    """The records, the features and the uploads."""

    def open_upload(self, upload: Upload, source: ObjectRef) -> None: ...
    def find_upload(self, upload_id: str) -> Upload | None: ...
    def finish_upload(self, upload: Upload, source: ObjectRef) -> None: ...

    def add(self, image: IndexedImage, source: ObjectRef) -> bool:
        """Store a picture with its source. True if the collection did not hold it, or `source` is what brought it.

        May be repeated: the same call twice leaves the same state.
        """
        ...

    def find(self, image_id: str, collection: str | None = None) -> ImageRecord | None: ...
    def features(self, image_id: str, collection: str, model: str) -> FeatureVector | None: ...
    def remove(self, image_id: str, collection: str | None = None) -> Sequence[ObjectRef]: ...
    def newest(self, collection: str, label: str | None, limit: int, cursor: str | None) -> Page: ...
    def count(self, collection: str) -> tuple[int, bool]: ...

    def nearest(
        self, features: FeatureVector, *, collection: str, model: str, label: str | None, limit: int
    ) -> Candidates: ...
