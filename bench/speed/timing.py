"""Timing side by side: the alternatives take turns, so that other load on the machine affects all of them.

Their order is random in each round, because each runs while the threads of the one before may still be spinning and
its data are in the caches.
"""

import random
import time
from collections.abc import Callable, Mapping
from statistics import median
from typing import Any

Way = Callable[[Any], object]


def side_by_side(ways: Mapping[str, Way], inputs: list[Any], *, rounds: int, in_a_row: int = 1) -> dict[str, float]:
    """Return the median milliseconds of each way for one input.

    Args:
        rounds: number of rounds; each uses another input, the same for all ways.
        in_a_row: consecutive calls of a way in each round. If there are several, the first is not counted, so that
            each counted call finds caches and threads as the way itself left them.
    """
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for way in ways.values():
        way(inputs[0])
    order = random.Random(0)  # noqa: S311 - no secret
    for turn in range(rounds):
        shown = inputs[turn % len(inputs)]
        for name in order.sample(list(ways), len(ways)):
            for call in range(in_a_row):
                started = time.perf_counter()
                ways[name](shown)
                if call or in_a_row == 1:
                    taken[name].append(time.perf_counter() - started)
    return {name: median(seconds) * 1000 for name, seconds in taken.items()}
