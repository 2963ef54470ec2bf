"""Least squares without the outliers, and the terms of a quadratic function."""

from typing import Final

import numpy as np
import numpy.typing as npt

from shared.vision.order_statistics import upper_median

SETTLED: Final = 1e-3
"""A robust fit has settled once no residual changes by more than this share of the residuals' scale."""


def robust_fit(
    terms: npt.NDArray[np.float64], values: npt.NDArray[np.float64], weight: npt.NDArray[np.float64], least: float
) -> npt.NDArray[np.float64]:
    """Solve least squares with Cauchy weights, so that outliers do not count."""
    columns = np.ascontiguousarray(terms.T)
    trust, before = np.ones_like(values), np.zeros_like(values)
    steady = 1e-3 * np.eye(len(columns))
    for _ in range(10):
        weighted = columns * (weight * trust)
        solution = np.asarray(np.linalg.solve(weighted @ terms + steady, weighted @ values), np.float64)
        away = np.abs(values - solution @ columns)
        scale = 1.5 * upper_median(away) + least
        if np.abs(away - before).max() < SETTLED * scale:
            break
        trust, before = 1 / (1 + (away / scale) ** 2), away
    return solution


def quadratic(colours: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the ten terms of a quadratic function of three channels, (N, 3) to (N, 10)."""
    b, g, r = colours.T
    return np.stack([np.ones_like(b), b, g, r, b * b, g * g, r * r, b * g, b * r, g * r], axis=1)
