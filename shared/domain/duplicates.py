"""Groups of near-duplicate images."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.domain.images import ImageRecord


@dataclass(frozen=True, slots=True)
class DuplicateGroup:
    """At least two near-duplicates in one collection, the best first.

    Attributes:
        group_id: `image_id` of the first image of the group, which may have been removed since.
        truncated: whether the group has more images than these.
    """

    group_id: str
    records: Sequence[ImageRecord]
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class DuplicatePage:
    """A page of groups, and the cursor of the next page (None on the last one)."""

    groups: Sequence[DuplicateGroup]
    cursor: str | None = None


def best_first(records: Sequence[ImageRecord]) -> list[ImageRecord]:
    """Return the records sorted by intact pixels, camera RAW first, then by sharpness, bytes and age, oldest first."""
    oldest_first = sorted(records, key=lambda record: record.created_at)
    return sorted(
        oldest_first,
        key=lambda record: (record.width * record.height * record.intact, record.raw, record.sharpness, record.bytes),
        reverse=True,
    )
