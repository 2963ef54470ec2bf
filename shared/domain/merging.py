"""Several searches for one query, as one list."""

from collections.abc import Sequence
from typing import Final

from shared.domain.images import ImageRecord

LOCAL_TO_WHOLE: Final = 3
"""So many found by local features for each one found by the features of the whole; docs/ranking.md has the figures."""


def interleaved(local: Sequence[ImageRecord], whole: Sequence[ImageRecord]) -> list[ImageRecord]:
    """Three of `local`, one of `whole`, and so on, each picture once; where one list ends, the rest of the other."""
    places = [(place // LOCAL_TO_WHOLE, 0, place, record) for place, record in enumerate(local)]
    places += [(place, 1, place, record) for place, record in enumerate(whole)]
    first: dict[str, ImageRecord] = {}
    for *_, record in sorted(places, key=lambda entry: entry[:3]):
        first.setdefault(record.image_id, record)
    return list(first.values())
