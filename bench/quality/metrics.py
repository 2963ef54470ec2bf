"""Metrics of ranked answers: recall, average precision, recall at a precision."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

DEPTH = 50
"""Number of matches of an answer that are evaluated."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One method's answer to one altered copy.

    Attributes:
        places: ranks of the correct images, from 0; missing images have none.
        right: number of correct images.
        scored: (score, whether it is correct) of each match that the answer shows.
    """

    method: str
    alteration: str
    places: tuple[int, ...]
    right: int
    scored: tuple[tuple[float, bool], ...]

    @classmethod
    def of(
        cls, method: str, alteration: str, ranked: Sequence[str], scores: Sequence[float], right: Collection[str]
    ) -> "Answer":
        """Evaluate image IDs, best first, with their scores."""
        shown = ranked[:DEPTH]
        places = tuple(place for place, one in enumerate(shown) if one in right)
        scored = tuple((float(score), one in right) for one, score in zip(shown[:10], scores, strict=False))
        return cls(method, alteration, places, len(right), scored)

    def recall_at(self, depth: int) -> float:
        """Return 1 if a correct image is among the first `depth`, otherwise 0."""
        return float(bool(self.places) and self.places[0] < depth)

    @property
    def average_precision(self) -> float:
        hits = [(found + 1) / (place + 1) for found, place in enumerate(self.places)]
        return sum(hits) / self.right


def recall_at_precision(answers: Iterable[Answer], precision: float) -> tuple[float, float]:
    """Return the recall at the lowest score that reaches the precision, and that score; 0 and infinity if none does.

    Pairs with equal scores are accepted or rejected together.
    """
    known = list(answers)
    pairs = np.array([pair for answer in known for pair in answer.scored], np.float64).reshape(-1, 2)
    if not len(pairs):
        return 0.0, float("inf")
    pairs = pairs[np.argsort(-pairs[:, 0], kind="stable")]
    last = np.append(np.diff(pairs[:, 0]) != 0, True)
    right = np.cumsum(pairs[:, 1])
    good = np.flatnonzero(last & (right / np.arange(1, len(pairs) + 1) >= precision))
    if not len(good):
        return 0.0, float("inf")
    return float(right[good[-1]] / sum(answer.right for answer in known)), float(pairs[good[-1], 0])
