"""Fuse the ranked lists of several searches into one."""

from collections.abc import Sequence
from typing import Final

from shared.domain.images import ImageRecord

LOCAL_TO_WHOLE: Final = 3
"""Number of results of the local features for each result of the whole image's features;
docs/explanation/ranking.md has the measurements."""

RANK_CONSTANT: Final = 20


def interleaved(local: Sequence[ImageRecord], whole: Sequence[ImageRecord]) -> list[ImageRecord]:
    """Alternate three of `local` with one of `whole`, each image once; then append the rest of the longer list."""
    return alternating(local, whole, LOCAL_TO_WHOLE)


def in_turns(local: Sequence[ImageRecord], whole: Sequence[ImageRecord], count: int) -> list[ImageRecord]:
    """Alternate one of `local` with one of `whole` for the first `count` images, and follow `interleaved` from then on.

    A copy is nearly always the nearest of one of them; what else is shown beside it comes from `whole`.
    """
    first = alternating(local, whole)[:count]
    chosen = {record.image_id for record in first}
    return [*first, *(record for record in interleaved(local, whole) if record.image_id not in chosen)]


def alternating(first: Sequence[ImageRecord], second: Sequence[ImageRecord], ratio: int = 1) -> list[ImageRecord]:
    """Alternate `ratio` of the first list with one of the second, each image once; then append the rest."""
    places = [(place // ratio, 0, place, record) for place, record in enumerate(first)]
    places += [(place, 1, place, record) for place, record in enumerate(second)]
    found: dict[str, ImageRecord] = {}
    for *_, record in sorted(places, key=lambda entry: entry[:3]):
        found.setdefault(record.image_id, record)
    return list(found.values())


def reciprocal(local: Sequence[ImageRecord], whole: Sequence[ImageRecord]) -> list[ImageRecord]:
    """Rank by reciprocal rank fusion, which favours images that are in both lists.

    G. Cormack, C. Clarke, S. Buettcher: Reciprocal Rank Fusion outperforms Condorcet and individual Rank Learning
    Methods, SIGIR 2009.
    """
    scores: dict[str, float] = {}
    for found in (local, whole):
        for place, record in enumerate(found):
            scores[record.image_id] = scores.get(record.image_id, 0.0) + 1 / (RANK_CONSTANT + place)
    return sorted(
        {record.image_id: record for record in (*local, *whole)}.values(), key=lambda one: -scores[one.image_id]
    )
