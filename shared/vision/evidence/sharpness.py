"""Bring two images to the same sharpness and lighting."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np

from shared.vision.evidence.fitting import robust_fit
from shared.vision.evidence.registration import Mask, Plane
from shared.vision.opencv import cv2
from shared.vision.order_statistics import mean_of_lowest, median

SIGMAS: Final = (0.5, 0.8, 1.2, 1.8, 2.6, 4.0)
GRAINY: Final = ((15.0, 1.8), (6.0, 1.2))
"""Noise in gray levels, and the sigma of the blur that both images get above it."""
LIGHT: Final = 40.0
"""Maximum difference in lighting across two scans of one page, in gray levels."""
MATCHING: Final = 0.6
"""Share of the detail that must agree best."""


@dataclass(frozen=True)
class Blurred:
    """A plane, and its blurred versions, each made once: it is compared with the other image in several tones."""

    plane: Plane
    _made: dict[float, Plane] = field(default_factory=dict)

    def by(self, sigma: float) -> Plane:
        if sigma not in self._made:
            self._made[sigma] = _blurred(self.plane, sigma)
        return self._made[sigma]

    @cached_property
    def detail(self) -> Plane:
        return _detail(self.plane)


def match_sharpness(a: Plane, blurred: Blurred, valid: Mask) -> tuple[Plane, Plane]:
    """Blur the sharper image until the best-matching part of the images agrees best; return both."""
    b = blurred.plane
    grain = max(_grain(a, valid), _grain(b, valid))
    for levels, sigma in GRAINY:
        if grain > levels:
            a, blurred = _blurred(a, sigma), Blurred(blurred.by(sigma))
            b = blurred.plane
            break
    step = max(1, round(max(a.shape) / 640))
    apart, around = np.empty_like(a), np.empty_like(a)
    drawn = (valid & (np.maximum(_detail(a), blurred.detail) > 3))[::step, ::step]  # noqa: PLR2004 - gray levels; flat areas do not show sharpness
    if drawn.sum() < 100:  # noqa: PLR2004
        return a, b

    def left(x: Plane, y: Plane) -> float:
        np.subtract(x, y, out=apart)
        np.multiply(apart, apart, out=apart)
        cv2.boxFilter(apart, cv2.CV_32F, (5, 5), around)
        away = around[::step, ::step][drawn]
        return mean_of_lowest(away, int(MATCHING * len(away)))

    best, found = left(a, b), (a, b)
    for sigma in SIGMAS:
        tried = [(_blurred(a, sigma), b), (a, blurred.by(sigma))]
        costs = [left(*pair) for pair in tried]
        if min(costs) > 1.5 * best:
            break
        if min(costs) < 0.95 * best:
            best, found = min(costs), tried[int(np.argmin(costs))]
    return found


def _blurred(plane: Plane, sigma: float) -> Plane:
    return cv2.GaussianBlur(plane, (0, 0), sigma)  # type: ignore[return-value]


def _detail(plane: Plane) -> Plane:
    return np.abs(cv2.Laplacian(_blurred(plane, 1), cv2.CV_32F)).astype(np.float32, copy=False)


def _grain(plane: Plane, valid: Mask) -> float:
    """Return the standard deviation of the noise, in gray levels (median of Immerkaer's filter, CVIU 64(2), 1996)."""
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    return median(np.abs(cv2.filter2D(plane, cv2.CV_32F, kernel))[valid]) / (6 * 0.6745)


def match_lighting(a: Plane, b: Plane, valid: Mask) -> Plane:
    """Return `a` with the gradual lighting of `b` across the image."""
    height, width = a.shape
    rows, columns = np.mgrid[0:height:16, 0:width:16]
    kept = valid[rows, columns]
    if kept.sum() < 20:  # noqa: PLR2004
        return a
    away = cv2.GaussianBlur(b - a, (0, 0), 4)[rows, columns][kept].astype(np.float64)
    x, y = columns[kept] / width - 0.5, rows[kept] / height - 0.5
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=1)
    c = np.clip(robust_fit(terms, away, np.ones_like(x), 0.5), -LIGHT, LIGHT).astype(np.float32)
    u = (np.arange(width, dtype=np.float32) / width - 0.5)[np.newaxis]
    v = (np.arange(height, dtype=np.float32) / height - 0.5)[:, np.newaxis]
    lit: Plane = a + c[0] + c[1] * u + c[2] * v + c[3] * u * u + c[4] * u * v + c[5] * v * v
    return lit
