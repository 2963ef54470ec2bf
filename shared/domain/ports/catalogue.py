"""The catalogue: records and features of images."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.domain.annotations import Annotations
from shared.domain.capture import Capture
from shared.domain.filters import ImageFilter, Order, Sort
from shared.domain.images import IndexedImage, ObjectRef, Page
from shared.domain.ledger import ImageKey
from shared.domain.perceptual_hashes import Pdq
from shared.domain.ports.indexes import HashIndex, NearDuplicateIndex, SearchIndex
from shared.domain.tags import TagCounts


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
    def delete_record(self, image_key: ImageKey) -> None:
        """Delete the record of an image, shown or in the trash, and what belongs to it; may be repeated."""
        ...

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
