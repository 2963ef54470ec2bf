"""The noise of an image, and lines that were repeated to enlarge it."""

from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from shared.vision.quality.lines import Lines

RUN: Final = 16
"""Pixels of a line of which the noise is measured together."""
SMOOTHEST: Final = 0.1
"""Share of the runs that are measured: those that vary least."""
LEAST_RUNS: Final = 20
_BLACK, _WHITE = 4, 251
REPEATED: Final = 0.35
"""A line repeats its neighbour if they differ by less than this share of the largest difference close to it."""
CLOSE: Final = 3
"""Lines on either side that are close; a line that is enlarged more often is found by the spectrum too."""


def noise(lines: Lines) -> float:
    """Return the standard deviation of the noise in the smoothest runs, in gray levels.

    The second difference cancels slopes; of white noise with variance v it has the variance 6 v.
    """
    found = []
    for sampled in lines.both:
        runs = sampled[:, : sampled.shape[1] // RUN * RUN].astype(np.float32).reshape(-1, RUN)
        runs = runs[(runs.min(axis=1) > _BLACK) & (runs.max(axis=1) < _WHITE)]
        if len(runs) < LEAST_RUNS:
            continue
        smoothest = runs[np.argsort(runs.std(axis=1))[: max(LEAST_RUNS, int(len(runs) * SMOOTHEST))]]
        found.append(float((np.diff(smoothest, 2, axis=1) ** 2).mean()) / 6)
    return float(np.sqrt(np.mean(found))) if found else 0.0


def replicated(lines: Lines) -> float:
    """Return the share of columns and rows that repeat their neighbour, of the direction with fewer."""
    shares = []
    for sampled in lines.both:
        profile = np.abs(np.diff(sampled.astype(np.float32), axis=1)).mean(axis=0)
        largest = sliding_window_view(np.pad(profile, CLOSE), 2 * CLOSE + 1).max(axis=1)
        shares.append(float((profile < REPEATED * largest).mean()))
    return min(shares)
