"""What a ranked answer is worth."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

DEPTH = 50
"""An answer is looked at so far."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One method's answer to one altered copy.

    Attributes:
        places: where the right images stand, from 0; those that are missing have none.
        right: how many right images there are.
        scored: (score, whether it is right) of what the answer shows.
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
        """From image ids, best first, with their scores."""
        shown = ranked[:DEPTH]
        places = tuple(place for place, one in enumerate(shown) if one in right)
        scored = tuple((float(score), one in right) for one, score in zip(shown[:10], scores, strict=False))
        return cls(method, alteration, places, len(right), scored)

    def recall_at(self, depth: int) -> float:
        """Whether a right image is among the first `depth`."""
        return float(bool(self.places) and self.places[0] < depth)

    @property
    def average_precision(self) -> float:
        hits = [(found + 1) / (place + 1) for found, place in enumerate(self.places)]
        return sum(hits) / self.right


def recall_at_precision(answers: Iterable[Answer], precision: float) -> tuple[float, float]:
    """(share of right images at or above the least score with that precision, the score); 0 and infinity if none.

    Pairs of equal score stand or fall together.
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
