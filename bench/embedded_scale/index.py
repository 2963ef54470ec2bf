"""The vector index alone: how long a search takes, how it opens, and how often it answers as an exact search does."""

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from bench.embedded_scale.folders import opened, stored_vectors
from bench.embedded_scale.made import COLLECTION, Photographs
from bench.embedded_scale.timing import Times, in_turns
from infra.local.data_folder import DataFolder
from shared.domain.features import cosine
from shared.domain.images import IndexedImage
from shared.domain.ports.indexes import Candidates
from shared.embedded.vectors import VectorIndex

LIMIT: Final = 100
LOCAL_SEARCHES: Final = 11
"""A search where nothing near is found has these, beside two of features."""
EQUAL: Final = 1e-6
"""Cosines that differ by less are equal: which of two equally near images is the hundredth is arbitrary."""


@dataclass(frozen=True, slots=True)
class Opening:
    """Seconds in which an index opens: as it was closed, and without its files."""

    closed: float
    rebuilt: float


def opening(folder: DataFolder) -> Opening:
    closed = _seconds_to_open(folder)
    shutil.rmtree(folder.vectors)
    return Opening(closed, _seconds_to_open(folder))


def _seconds_to_open(folder: DataFolder) -> float:
    started = time.perf_counter()
    with opened(folder):
        return time.perf_counter() - started


def searches(indexes: Mapping[int, VectorIndex], photographs: Photographs, rounds: int) -> Mapping[str, Times]:
    """Return the milliseconds of searches for photographs that are not stored, by kind, for each index."""
    images = [photograph.image for photograph in photographs.unknown if photograph.image.local_features is not None]
    with ThreadPoolExecutor(LOCAL_SEARCHES + 2) as threads:
        kinds: Mapping[str, Callable[[VectorIndex, IndexedImage], object]] = {
            "by features": by_features,
            "by local features": by_local_features,
            "13 at once": lambda index, image: [
                search.result()
                for search in [
                    *(threads.submit(by_features, index, image) for _ in range(2)),
                    *(threads.submit(by_local_features, index, image) for _ in range(LOCAL_SEARCHES)),
                ]
            ],
        }
        return {name: in_turns(indexes, kind, images, rounds) for name, kind in kinds.items()}


def by_features(index: VectorIndex, image: IndexedImage) -> Candidates:
    return index.nearest(image.features, collection=COLLECTION, model=image.record.model, label=None, limit=LIMIT)


def by_local_features(index: VectorIndex, image: IndexedImage) -> Candidates:
    if image.local_features is None:
        raise ValueError("the photograph has no keypoints")
    return index.nearest_local(image.local_features, collection=COLLECTION, model=image.record.model, limit=LIMIT)


def equal_answers(folder: DataFolder, index: VectorIndex, images: Sequence[IndexedImage]) -> Mapping[str, float]:
    """Return the share of the exact answers that the index returned, by kind of vector."""
    return {
        "features": _equal(folder, "features", [(image.features, by_features(index, image)) for image in images]),
        "local features": _equal(
            folder,
            "local",
            [
                (image.local_features, by_local_features(index, image))
                for image in images
                if image.local_features is not None
            ],
        ),
    }


def _equal(folder: DataFolder, kind: str, answers: Sequence[tuple[npt.NDArray[np.float32], Candidates]]) -> float:
    ids, stored = stored_vectors(folder, kind)
    places = {image_id: place for place, image_id in enumerate(ids)}
    equal = wanted = 0
    for query, answer in answers:
        exact = stored @ query
        hundredth = np.partition(exact, -LIMIT)[-LIMIT] if len(ids) > LIMIT else exact.min()
        found = [candidate.record.image_id for candidate in answer.found]
        equal += sum(exact[places[image_id]] >= hundredth - EQUAL for image_id in set(found))
        wanted += min(LIMIT, len(ids))
        for candidate in answer.found[:1]:
            if abs(cosine(query, stored[places[candidate.record.image_id]]) - candidate.cosine) > EQUAL:
                raise SystemExit("a cosine is not that of the stored vector")
    return equal / wanted
