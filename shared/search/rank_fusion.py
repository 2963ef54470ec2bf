"""Several searches for one query, as one list."""

from collections.abc import Sequence
from typing import Final

from shared.domain.images import ImageRecord

LOCAL_TO_WHOLE: Final = 3
"""So many found by local features for each one found by the features of the whole;
docs/explanation/ranking.md has the figures."""

RANK_CONSTANT: Final = 20


def interleaved(local: Sequence[ImageRecord], whole: Sequence[ImageRecord]) -> list[ImageRecord]:
    """Three of `local`, one of `whole`, and so on, each image once; where one list ends, the rest of the other."""
    places = [(place // LOCAL_TO_WHOLE, 0, place, record) for place, record in enumerate(local)]
    places += [(place, 1, place, record) for place, record in enumerate(whole)]
    first: dict[str, ImageRecord] = {}
    for *_, record in sorted(places, key=lambda entry: entry[:3]):
        first.setdefault(record.image_id, record)
    return list(first.values())


def reciprocal(local: Sequence[ImageRecord], whole: Sequence[ImageRecord]) -> list[ImageRecord]:
    """Reciprocal rank fusion: what is far down in both lists comes before what is in one only.

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
