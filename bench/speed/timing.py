"""Times taken side by side: the ways take turns, so that what else the machine does falls on all of them.

The order is drawn for each round: what runs after another finds its threads still spinning and its data in the caches.
"""

import random
import time
from collections.abc import Callable, Mapping
from statistics import median
from typing import Any

Way = Callable[[Any], object]


def side_by_side(ways: Mapping[str, Way], inputs: list[Any], *, rounds: int, in_a_row: int = 1) -> dict[str, float]:
    """Median milliseconds of each way for one input.

    Args:
        rounds: timed calls of each way; each round has another input, the same for all of them.
        in_a_row: calls of a way before the next one's turn, the first not counted if there are more: each finds the
            caches and the threads as it left them itself.
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
