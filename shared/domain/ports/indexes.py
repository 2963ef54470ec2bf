"""The reads that searches need."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from shared.domain.annotations import Annotations
from shared.domain.images import ImageRecord
from shared.domain.perceptual_hashes import HashKind, HashPage

if TYPE_CHECKING:
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
