"""PDQ: a perceptual hash of 256 bits that platforms exchange (ThreatExchange, HMA).

The PDQ Hashing Algorithm: https://github.com/facebook/ThreatExchange/blob/main/hashing/hashing.pdf. The package
`pdqhash` 0.2.8 is the reference, and a dependency of the tests only: it has no wheels for Linux, neither for x86_64 nor
for arm64, and the image of the functions has no compiler. Both agree on all bits of 260 of 260 photographs. They
may differ where two frequencies are equal but for the rounding of sums, as in drawings with symmetries.
"""

from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from shared.domain.perceptual_hashes import Pdq
from shared.vision.pixels import Pixels

SIDE: Final = 64
"""Rows and columns of the image that is transformed."""
LOW: Final = 16
"""Frequencies that are kept in each direction, without the mean."""
MIN_SIDE: Final = 5
"""Smallest width and height of an image that can be told from others."""
_LUMA: Final = np.array([0.299, 0.587, 0.114], np.float32)
_QUALITY_STEPS: Final = 90
_STRIP: Final = 256
"""Rows that are converted to floats at a time."""

Floats = npt.NDArray[np.float32]


def pdq_hash(rgb: Pixels) -> Pdq:
    """Return the hash of upright RGB pixels (uint8, height x width x 3): zeros for less than 5 pixels a side."""
    height, width = rgb.shape[:2]
    if min(height, width) < MIN_SIDE:
        return Pdq("0" * (LOW * LOW // 4), 0)
    rows, columns = _tent(height), _tent(width)
    small = np.zeros((SIDE, SIDE), np.float32)
    for top in range(0, height, _STRIP):
        luma = rgb[top : top + _STRIP].astype(np.float32) @ _LUMA
        small += rows[:, top : top + _STRIP] @ (luma @ columns.T)
    cosines = _cosines()
    low = (cosines @ small @ cosines.T).reshape(-1)
    median = np.sort(low)[low.size // 2 - 1]  # the lower one of the two in the middle
    return Pdq(np.packbits((low > median)[::-1]).tobytes().hex(), _quality(small))


def _quality(small: Floats) -> int:
    """Return the sum of the gradients, scaled so that most photographs reach 100."""
    steps = (np.trunc(np.diff(small, axis=axis) * (100 / 255)) for axis in (0, 1))
    return min(100, int(sum(float(np.abs(step).sum()) for step in steps)) // _QUALITY_STEPS)


@cache
def _cosines() -> Floats:
    """Return the rows 1 to 16 of the DCT-II of 64 values."""
    frequency, place = np.arange(1, LOW + 1)[:, None], np.arange(SIDE)[None]
    cosines = np.cos(np.pi / 2 / SIDE * frequency * (2 * place + 1))
    return np.asarray(np.sqrt(2 / SIDE) * cosines, np.float32)


def _tent(length: int) -> Floats:
    """Return the weights (64 x `length`) that make a side of `length` pixels one of 64.

    They are what two moving averages (Jarosz filters), whose window is cut off at the ends, leave of each pixel at the
    centres of 64 equal parts.
    """
    window = (length + 2 * SIDE - 1) // (2 * SIDE)
    ahead = window // 2
    places = np.arange(length)
    first, end = np.maximum(places - (window - 1 - ahead), 0), np.minimum(places + ahead + 1, length)
    share = 1 / (end - first)
    weights: Any = np.zeros((SIDE, length + 1))
    for row, centre in enumerate(((np.arange(SIDE) + 0.5) * length / SIDE).astype(int)):
        inner = np.arange(first[centre], end[centre])
        np.add.at(weights[row], first[inner], share[centre] * share[inner])
        np.subtract.at(weights[row], end[inner], share[centre] * share[inner])
    return np.asarray(np.cumsum(weights, axis=1)[:, :length], np.float32)
