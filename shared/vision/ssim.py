"""Structural similarity of gray images.

Z. Wang, A. Bovik, H. Sheikh, E. Simoncelli: Image Quality Assessment: From Error Visibility to Structural
Similarity, IEEE Transactions on Image Processing 13(4), 2004. With the defaults of scikit-image: a uniform 7 x 7
window, sample covariance, and the mean over the pixels whose window lies inside the image.
"""

import threading
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels

WINDOW: Final = 7
MID_GRAY: Final = 128
_PAD: Final = WINDOW // 2
_C1: Final = np.float32((0.01 * 255) ** 2)
_C2: Final = (0.03 * 255) ** 2
_FLAT: Final = 0.1
"""Keeps the weights of two flat images above zero; 100 times smaller than any visible detail."""
_SAMPLE: Final = WINDOW**2 / (WINDOW**2 - 1)
_HALF_C2: Final = np.float32(_C2 / (2 * _SAMPLE))
"""C2 divided by the factor that numerator and denominator have in common: 2 covariances and 2 mean variances."""
_WEIGHTED: Final = (_C2 - _FLAT) / (2 * _SAMPLE)
"""What the reciprocal of the spread is multiplied by in the weight of a window, which is 1 less the product."""

Values = npt.NDArray[np.float32]
Levels = npt.NDArray[np.int16]
"""Gray levels minus `MID_GRAY`: centred like this, their products fit in 16 bits and sums of them are exact."""


@dataclass(frozen=True, slots=True)
class Moments:
    """The part of SSIM that depends on one image alone, computed once for an image that is compared with many.

    Attributes:
        levels: int16 (H, W).
        mean: float32 (H, W), of the levels in the window around each pixel.
        spread: float32 (H, W), half of their variance, and the constant of half of both.
        lightness: float32 (H, W), the mean of the gray levels themselves.
        brightness: float32 (H, W), its square, and the constant.
    """

    levels: Levels
    mean: Values
    spread: Values
    lightness: Values
    brightness: Values


class _ScratchArrays(threading.local):
    """Arrays that each thread reuses: releasing and allocating their memory would cost more than the arithmetic."""

    def __init__(self) -> None:
        self._shape: tuple[int, ...] = ()
        self._arrays: dict[str, npt.NDArray[Any]] = {}

    def array(self, name: str, shape: tuple[int, ...], dtype: Any = np.float32) -> Any:
        if shape != self._shape:
            self._shape, self._arrays = shape, {}
        if name not in self._arrays:
            self._arrays[name] = np.empty(shape, dtype)
        return self._arrays[name]


_scratch = _ScratchArrays()


def moments(gray: Pixels) -> Moments:
    """Return the moments of a uint8 gray image of at least 7 pixels a side."""
    levels = np.subtract(gray, MID_GRAY, dtype=np.int16)
    mean = _window_means(levels)
    spread = _half_variance(levels, mean) + _HALF_C2
    lightness = mean + np.float32(MID_GRAY)
    return Moments(levels, mean, spread, lightness, lightness * lightness + _C1)


def ssim_map(a: Pixels, b: Pixels) -> Values:
    """Return SSIM at each pixel whose window lies inside the image: float32, (H - 6) x (W - 6), -1 to 1.

    Args:
        a, b: uint8 gray images of one shape, at least 7 pixels a side.
    """
    inside: Values = _valid_region(_similarity(moments(a), b)[0])
    return inside.copy()


def ssim(a: Pixels, b: Pixels, mask: npt.NDArray[np.bool_] | None = None) -> float:
    """Return the mean structural similarity, -1 to 1.

    Args:
        a, b: uint8 gray images of one shape, at least 7 pixels a side.
        mask: pixels to average over, in the images' shape; all pixels by default.
    """
    values = _valid_region(_similarity(moments(a), b)[0])
    if mask is not None:
        values = values[_valid_region(mask)]
    return float(values.mean(dtype=np.float64)) if values.size else 0.0


def ssim_and_detail(a: Moments, b: Pixels) -> tuple[float, float]:
    """Return SSIM, and SSIM weighted by detail; both -1 to 1.

    Windows are weighted by v / (v + C2), where v is the sum of both images' variances. In windows that are flat in
    both images, SSIM is 1 whatever else they show, which would make any two drawings on white similar; weighted, only
    the drawings count. For two flat images the two values are equal.
    """
    similarity, reciprocal = _similarity(a, b)
    plain = cv2.mean(_valid_region(similarity))[0]
    weights = 1 - _WEIGHTED * cv2.mean(_valid_region(reciprocal))[0]
    reciprocal *= similarity
    return plain, (plain - _WEIGHTED * cv2.mean(_valid_region(reciprocal))[0]) / weights


def _similarity(a: Moments, b: Pixels) -> tuple[Values, Values]:
    """Return SSIM and the reciprocal of the mean spread of both, in arrays that the next call overwrites."""
    shape = b.shape
    levels = np.subtract(b, MID_GRAY, out=_scratch.array("levels", shape, np.int16), dtype=np.int16)
    mean = _window_means(levels, _scratch.array("mean", shape))
    spread = _half_variance(levels, mean)
    spread += a.spread
    np.reciprocal(spread, out=spread)
    products = np.multiply(a.levels, levels, out=_scratch.array("products", shape, np.int16))
    similarity = _window_means(products, _scratch.array("similarity", shape))
    scratch = np.multiply(a.mean, mean, out=_scratch.array("scratch", shape))
    similarity -= scratch
    similarity += _HALF_C2
    similarity *= spread
    # 2 x y / (x x + y y) is 1 - (x - y) (x - y) / (x x + y y), with C1 in both.
    mean += MID_GRAY
    np.subtract(a.lightness, mean, out=scratch)
    scratch *= scratch
    mean *= mean
    mean += a.brightness
    scratch /= mean
    scratch *= similarity
    similarity -= scratch
    return similarity, spread


def _half_variance(levels: Levels, mean: Values) -> Values:
    """Return half of the variance in each window, in an array that the next call overwrites."""
    shape = levels.shape
    squares = np.multiply(levels, levels, out=_scratch.array("products", shape, np.int16))
    variance = _window_means(squares, _scratch.array("spread", shape))
    variance -= np.multiply(mean, mean, out=_scratch.array("scratch", shape))
    variance *= np.float32(0.5)
    return variance


def _window_means(levels: Levels, out: Values | None = None) -> Values:
    return cv2.boxFilter(levels, cv2.CV_32F, (WINDOW, WINDOW), dst=out)  # type: ignore[return-value]


def _valid_region(values: npt.NDArray[Any]) -> Any:
    """Return the part of the array where the window lies inside the image."""
    return values[_PAD:-_PAD, _PAD:-_PAD]
