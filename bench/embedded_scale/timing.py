"""Timing several sizes in turns, so that other load on the machine affects all of them."""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

System = TypeVar("System")
Query = TypeVar("Query")


@dataclass(frozen=True, slots=True)
class Times:
    """Milliseconds of all calls, by size."""

    by_size: Mapping[int, Sequence[float]]

    def percentile(self, size: int, percent: float) -> float:
        return float(np.percentile(self.by_size[size], percent))


def in_turns(
    systems: Mapping[int, System], call: Callable[[System, Query], object], queries: Sequence[Query], rounds: int
) -> Times:
    """Time a call of every system in each round, in random order, after one call that is not counted."""
    taken: dict[int, list[float]] = {size: [] for size in systems}
    order = random.Random(0)  # noqa: S311 - no secret
    for number in range(-1, rounds):
        for size in order.sample(list(systems), len(systems)):
            started = time.perf_counter()
            call(systems[size], queries[number % len(queries)])
            if number >= 0:
                taken[size].append((time.perf_counter() - started) * 1000)
    return Times(taken)
