"""Groups of near-duplicate images."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cmp_to_key

from shared.domain.images import ImageRecord
from shared.domain.preference import SENTENCES, prefer


@dataclass(frozen=True, slots=True)
class DuplicateGroup:
    """One image of a collection and those that are near-duplicates of it, the best first.

    Attributes:
        group_id: `image_id` of the image that was kept when the group was last changed, which may have been removed
            since.
        truncated: whether the group has more images than these.
    """

    group_id: str
    records: Sequence[ImageRecord]
    truncated: bool = False

    def reasons(self) -> Mapping[str, str]:
        """Return for each image but the first why the first is kept and not that one."""
        first, *others = self.records
        return {other.image_id: SENTENCES[prefer(first, other).reason] for other in others}


class Decision(StrEnum):
    """What somebody decided on two images, for ever. Either way they are not grouped.

    `DIFFERENT`: they are no near-duplicates. `BOTH_KEPT`: they are, but both are wanted.
    """

    DIFFERENT = "different"
    BOTH_KEPT = "both-kept"


Decisions = Mapping[str, Decision]
"""The decisions on one image, by the `image_id` of the other."""


@dataclass(frozen=True, slots=True)
class DecidedPair:
    """A decision on two images, whose ids are sorted."""

    images: tuple[str, str]
    decision: Decision


@dataclass(frozen=True, slots=True)
class DecisionPage:
    """A page of decisions, and the cursor of the next page (None on the last one)."""

    decided: Sequence[DecidedPair]
    cursor: str | None = None


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


def kept_first(records: Sequence[ImageRecord], group_id: str) -> list[ImageRecord]:
    """Return the records of a group, sorted best first, with the one that is kept before the others, if it exists."""
    return sorted(records, key=lambda record: record.image_id != group_id)
