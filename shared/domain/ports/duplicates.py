"""Groups of near-duplicates, and the progress of comparing collections again."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from shared.domain.duplicate_scans import DuplicateScan
from shared.domain.duplicates import Decision, DecisionPage, Decisions, DuplicatePage
from shared.domain.images import ImageRecord
from shared.domain.ledger import ImageKey
from shared.domain.quality import Quality


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
