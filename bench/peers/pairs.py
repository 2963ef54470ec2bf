"""How complete and how right the pairs of near-duplicates are that a tool found."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Quality:
    """Precision and recall of pairs, in 0 to 1, at a threshold of the tool's own distance."""

    precision: float
    recall: float
    threshold: float | None


def measured(found: Mapping[Pair, float], groups: Mapping[str, int], threshold: float | None) -> Quality:
    """Count the pairs at a threshold and below; None takes all of them.

    Args:
        found: the distance of each pair that the tool found. A pair counts once, in either order.
        groups: the group of each file, by its name. Files of one group are near-duplicates.
    """
    pairs = {frozenset(pair) for pair, distance in found.items() if threshold is None or distance <= threshold}
    right = sum(len({groups[name] for name in pair}) == 1 for pair in pairs)
    return Quality(right / len(pairs) if pairs else 1.0, right / _all_pairs(groups.values()), threshold)


def best(found: Mapping[Pair, float], groups: Mapping[str, int], precision: float) -> Quality:
    """Return the quality at the threshold with the highest recall at so much precision, or with none found at all."""
    choices = [measured(found, groups, threshold) for threshold in sorted(set(found.values()))]
    good = [choice for choice in choices if choice.precision >= precision]
    return max(good, key=lambda choice: choice.recall, default=Quality(1.0, 0.0, None))


def _all_pairs(groups: Iterable[int]) -> int:
    return sum(size * (size - 1) // 2 for size in Counter(groups).values())
