"""What sharpening leaves beside edges: overshoot, and values that reach black or white."""

from typing import Final

import numpy as np
import numpy.typing as npt

from shared.vision.order_statistics import quantile
from shared.vision.quality.lines import Lines

STRONGEST: Final = 0.95
"""Quantile of the differences of neighbours from which on an edge counts."""
LEAST_EDGE: Final = 8
"""Gray levels: smaller differences are noise."""
MOST_EDGES: Final = 4000
NEAR: Final = 4
"""Pixels beside an edge in which it may overshoot."""
FAR: Final = 10
"""Pixels beside an edge up to which the level that it settles to is taken."""
_BLACK, _WHITE = 1, 254


def halo_and_clipping(lines: Lines) -> tuple[float, float]:
    """Return the mean overshoot in shares of an edge's height, and the share of edges that reach black or white."""
    overshoots, clipped = [], []
    for sampled in lines.both:
        values = sampled.astype(np.float32)
        row, at, sign = _edges(values)
        if not len(row):
            continue
        after = values[row[:, None], at[:, None] + 1 + np.arange(FAR)]
        before = values[row[:, None], at[:, None] - np.arange(FAR)]
        high, low = after * sign[:, None], -before * sign[:, None]
        height = np.maximum(high.max(axis=1) + low.max(axis=1), 1)
        overshoots += [(side[:, :NEAR].max(axis=1) - side[:, NEAR:].mean(axis=1)) / height for side in (high, low)]
        close = np.concatenate([after[:, :NEAR], before[:, :NEAR]], axis=1)
        clipped.append((close.max(axis=1) >= _WHITE) | (close.min(axis=1) <= _BLACK))
    if not overshoots:
        return 0.0, 0.0
    return float(np.clip(np.concatenate(overshoots), -0.5, 1).mean()), float(np.concatenate(clipped).mean())


def _edges(
    values: npt.NDArray[np.float32],
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.float32]]:
    """Return the line, the place and the direction (1 or -1) of the strongest edges, at most `MOST_EDGES`."""
    difference = np.diff(values, axis=1)
    size = np.abs(difference)
    least = max(LEAST_EDGE, quantile(size.ravel(), STRONGEST))
    inner, left, right = size[:, FAR:-FAR], size[:, FAR - 1 : -FAR - 1], size[:, FAR + 1 : size.shape[1] - FAR + 1]
    peak = (inner >= least) & (inner >= left) & (inner > right)
    row, at = np.nonzero(peak)
    if len(row) > MOST_EDGES:
        chosen = np.linspace(0, len(row) - 1, MOST_EDGES).astype(int)
        row, at = row[chosen], at[chosen]
    at = at + FAR
    return row, at, np.sign(difference[row, at])
