"""Groups of near-duplicate images."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cmp_to_key

from shared.domain.images import ImageRecord
from shared.domain.preference import prefer


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
    """Return the records, the best copy first; see `shared.domain.preference`."""

    def order(a: ImageRecord, b: ImageRecord) -> int:
        return -1 if prefer(a, b).first else 1

    return sorted(records, key=cmp_to_key(order))
