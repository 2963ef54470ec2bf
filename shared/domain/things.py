"""Everyday words for what a network sees: each stands for a set of the 1,000 ImageNet classes."""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

CLASSES: Final = 1000
"""Number of classes that the words are about, in the order in which every network trained on ImageNet returns them."""
MIN_PROBABILITY: Final = 0.5
"""Least sum of the probabilities of a word's classes from which on the word is told."""

_FILE: Final = Path(__file__).with_suffix(".json")


@cache
def words() -> Mapping[str, tuple[int, ...]]:
    """Return the classes of each word, as indexes."""
    written: dict[str, str] = json.loads(_FILE.read_text(encoding="utf-8"))
    return {word: tuple(_indexes(ranges)) for word, ranges in written.items()}


def things(probabilities: npt.NDArray[np.float32]) -> tuple[str, ...]:
    """Return the words for what an image shows, most probable first.

    The sums tell what single classes do not: of 118 kinds of dogs none may be probable, and yet it is a dog.

    Args:
        probabilities: of the `CLASSES`; of a network with other classes, nothing is told.
    """
    if probabilities.shape != (CLASSES,):
        return ()
    names, classes, starts = _members()
    sums = np.add.reduceat(probabilities[classes], starts)
    told = np.flatnonzero(sums >= MIN_PROBABILITY)
    return tuple(names[place] for place in told[np.argsort(-sums[told], kind="stable")])


@cache
def _members() -> tuple[Sequence[str], npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return the words, the classes of one after the other, and where those of each begin."""
    counts = [len(classes) for classes in words().values()]
    starts = np.cumsum([0, *counts[:-1]])
    return list(words()), np.concatenate([np.array(classes) for classes in words().values()]), starts


def _indexes(ranges: str) -> Iterator[int]:
    """Yield the indexes in text such as `7-24 80`, whose ranges include both ends."""
    for part in ranges.split():
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)
