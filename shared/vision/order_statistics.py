"""Quantiles of large planes, by comparing most values with two bounds instead of partitioning them all.

R. W. Floyd, R. L. Rivest: Expected Time Bounds for Selection, Communications of the ACM 18(3), 1975.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.floating]

LARGE: Final = 20_000
"""Number of values from which on it is worth while."""
SAMPLED, MARGIN = 1024, 48
"""Size of the sample that gives the bounds, and how many of its values lie between the quantile and either of them:
three times the standard deviation of a median's place."""


def upper_median(values: Values) -> float:
    middle = len(values) // 2
    return float(np.partition(values, middle)[middle] if len(values) <= LARGE else _neighbours(values, middle)[0])


def median(values: Values) -> float:
    """Return what `numpy.median` returns."""
    low, high = _neighbours(values, (len(values) - 1) // 2)
    return float((low + high) / 2) if len(values) % 2 == 0 else float(low)


def quantile(values: Values, share: float) -> float:
    """Return what `numpy.quantile` returns."""
    exact = (len(values) - 1) * share
    place = int(exact)
    low, high = _neighbours(values, place)
    beyond = exact - place
    return float(high - (high - low) * (1 - beyond) if beyond >= 0.5 else low + (high - low) * beyond)  # noqa: PLR2004


def mean_of_lowest(values: Values, count: int) -> float:
    """Return the mean of the `count` lowest values, at least one."""
    highest = _neighbours(values, count - 1)[0]
    whole = float(np.minimum(values, highest).sum(dtype=np.float64))
    return (whole - (len(values) - count) * float(highest)) / count


def _neighbours(values: Values, place: int) -> tuple[np.floating, np.floating]:
    """Return the value at this place of the sorted ones, and the next one; the last one has itself."""
    if len(values) > LARGE:
        sample = np.sort(values[:: len(values) // SAMPLED])
        at = place * len(sample) // len(values)
        low, high = sample[max(0, at - MARGIN)], sample[min(len(sample) - 1, at + MARGIN)]
        below = int(np.count_nonzero(values < low))
        near = values[(values >= low) & (values <= high)]
        if below <= place < below + len(near) - 1:
            values, place = near, place - below
    after = min(place + 1, len(values) - 1)
    ordered = np.partition(values, (place, after))
    return ordered[place], ordered[after]
