"""Colour histograms."""

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels

BINS: Final = 8
Histogram = npt.NDArray[np.float32]
"""Shape (512,), float32: the fraction of pixels in each of 8 x 8 x 8 RGB bins."""


def histogram(rgb: Pixels) -> Histogram:
    """Return the colour histogram of RGB pixels, uint8, height x width x 3."""
    counts = cv2.calcHist([rgb], [0, 1, 2], None, [BINS] * 3, [0, 256] * 3).reshape(-1)
    return np.asarray(counts / counts.sum(), dtype=np.float32)


def correlation(a: Histogram, b: Histogram) -> float:
    """Return Pearson's correlation, -1 to 1 (OpenCV's HISTCMP_CORREL); 0 if only one of the two has variance."""
    x, y = a.astype(np.float64), b.astype(np.float64)
    x -= x.mean()
    y -= y.mean()
    scale = math.sqrt(float(x @ x) * float(y @ y))
    if scale == 0:
        return 1.0 if np.array_equal(a, b) else 0.0
    return min(1.0, max(-1.0, float(x @ y) / scale))
