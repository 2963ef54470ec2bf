"""Structural similarity of gray pictures.

Z. Wang, A. Bovik, H. Sheikh, E. Simoncelli: Image Quality Assessment: From Error Visibility to Structural
Similarity, IEEE Transactions on Image Processing 13(4), 2004. With the defaults of scikit-image: a uniform 7 x 7
window, sample covariance, and the mean over the pixels whose window lies inside the picture.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from shared.vision.channels import Pixels
from shared.vision.opencv import cv2

WINDOW: Final = 7
_C1: Final = np.float32((0.01 * 255) ** 2)
_C2: Final = np.float32((0.03 * 255) ** 2)
_FLAT: Final = np.float32(0.1)
"""Keeps the weights of two flat pictures above zero; under any visible detail by a factor of 100."""

Values = npt.NDArray[np.float32]


def ssim_map(a: Pixels, b: Pixels) -> Values:
    """SSIM at each pixel whose window lies inside: float32, (H - 6) x (W - 6), -1 to 1.

    Args:
        a, b: uint8 gray pictures of one shape, at least 7 pixels a side.
    """
    return _maps(a, b)[0]


def ssim(a: Pixels, b: Pixels, mask: npt.NDArray[np.bool_] | None = None) -> float:
    """Mean structural similarity, -1 to 1; where `mask` (of the pictures' shape) is given, of its pixels only."""
    values = ssim_map(a, b)
    if mask is not None:
        pad = WINDOW // 2
        values = values[mask[pad:-pad, pad:-pad]]
    return float(values.mean(dtype=np.float64)) if values.size else 0.0


def ssim_and_detail(a: Pixels, b: Pixels) -> tuple[float, float]:
    """SSIM, and its mean weighted by detail: a window counts v / (v + C2), v being both pictures' variances in it.

    Where both are flat SSIM is 1 whatever they show, so that any two things on white would be alike; weighted,
    only what is drawn counts. On two flat pictures both are the same.
    """
    values, variances = _maps(a, b)
    weights = (np.maximum(variances, 0) + _FLAT) / (variances + _C2)
    detail = float((values * weights).sum(dtype=np.float64) / weights.sum(dtype=np.float64))
    return float(values.mean(dtype=np.float64)), detail


def _maps(a: Pixels, b: Pixels) -> tuple[Values, Values]:
    """SSIM and the sum of both variances at each pixel whose window lies inside."""
    # Centred on mid-gray, float32 keeps the result exact to 1e-5 (measured: 7e-6).
    x, y = a.astype(np.float32) - 128, b.astype(np.float32) - 128
    sample = np.float32(WINDOW**2 / (WINDOW**2 - 1))
    mean_x, mean_y = _mean(x), _mean(y)
    variances: Values = sample * (_mean(x * x) + _mean(y * y) - mean_x * mean_x - mean_y * mean_y)
    covariance = sample * (_mean(x * y) - mean_x * mean_y)
    mean_x, mean_y = mean_x + np.float32(128), mean_y + np.float32(128)
    luminance = (2 * mean_x * mean_y + _C1) / (mean_x * mean_x + mean_y * mean_y + _C1)
    similarity: Values = luminance * (2 * covariance + _C2) / (variances + _C2)
    return similarity, variances


def _mean(values: Values) -> Values:
    """Means over the windows that lie inside."""
    pad = WINDOW // 2
    return cv2.boxFilter(values, cv2.CV_32F, (WINDOW, WINDOW))[pad:-pad, pad:-pad].astype(np.float32, copy=False)
