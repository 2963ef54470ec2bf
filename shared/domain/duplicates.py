"""Groups of images that nearly repeat each other."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.domain.images import ImageRecord


@dataclass(frozen=True, slots=True)
class DuplicateGroup:
    """Near-duplicates of one collection, at least two, the best first.

    Attributes:
        group_id: image_id of the image that the group began with, which may have been removed since.
        truncated: there are more than these.
    """

    group_id: str
    records: Sequence[ImageRecord]
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class DuplicatePage:
    """Some groups, and where the next page starts (None: this is the last)."""

    groups: Sequence[DuplicateGroup]
    cursor: str | None = None


def best_first(records: Sequence[ImageRecord]) -> list[ImageRecord]:
    """Largest first; of those of one size the sharpest, then the one with most bytes, then the oldest."""
    oldest_first = sorted(records, key=lambda record: record.created_at)
    return sorted(
        oldest_first, key=lambda record: (record.width * record.height, record.sharpness, record.bytes), reverse=True
    )
