"""Structural similarity of gray images.

Z. Wang, A. Bovik, H. Sheikh, E. Simoncelli: Image Quality Assessment: From Error Visibility to Structural
Similarity, IEEE Transactions on Image Processing 13(4), 2004. With the defaults of scikit-image: a uniform 7 x 7
window, sample covariance, and the mean over the pixels whose window lies inside the image. Where an image is compared
with many, every second window each way counts: neighbours have 6 of 7 rows or columns in common.
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
STEP: Final = 2
"""Distance in pixels, each way, of the windows that `ssim_and_detail` compares. On 400 pairs of photographs, alike and
not, SSIM differed from that of all windows by at most 0.004, weighted by detail by at most 0.006."""
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
        step: distance of the h x w windows that the other attributes are of, in pixels each way.
        mean: float32 (h, w), of the levels in the window.
        spread: float32 (h, w), half of their variance, and the constant of half of both.
        lightness: float32 (h, w), the mean of the gray levels themselves.
        brightness: float32 (h, w), its square, and the constant.
    """

    levels: Levels
    step: int
    mean: Values
    spread: Values
    lightness: Values
    brightness: Values


class _ScratchArrays(threading.local):
    """Arrays that each thread reuses: releasing and allocating their memory would cost more than the arithmetic."""

    def __init__(self) -> None:
        self._arrays: dict[str, npt.NDArray[Any]] = {}

    def array(self, name: str, shape: tuple[int, ...], dtype: Any = np.float32) -> Any:
        held = self._arrays.get(name)
        if held is None or held.shape != shape:
            held = self._arrays[name] = np.empty(shape, dtype)
        return held


_scratch = _ScratchArrays()


def moments(gray: Pixels, step: int = STEP) -> Moments:
    """Return the moments of a uint8 gray image of at least 7 pixels a side.

    Args:
        step: distance of the windows, in pixels each way.
    """
    levels = np.subtract(gray, MID_GRAY, dtype=np.int16)
    lightness = _window_means("lightness", gray, step).copy()
    mean = lightness - np.float32(MID_GRAY)
    spread = _half_variance(levels, mean, step) + _HALF_C2
    return Moments(levels, step, mean, spread, lightness, lightness * lightness + _C1)


def ssim_map(a: Pixels, b: Pixels) -> Values:
    """Return SSIM at each pixel whose window lies inside the image: float32, (H - 6) x (W - 6), -1 to 1.

    Args:
        a, b: uint8 gray images of one shape, at least 7 pixels a side.
    """
    return _similarity(moments(a, step=1), b)[0].copy()


def ssim(a: Pixels, b: Pixels, mask: npt.NDArray[np.bool_] | None = None) -> float:
    """Return the mean structural similarity of all windows, -1 to 1.

    Args:
        a, b: uint8 gray images of one shape, at least 7 pixels a side.
        mask: pixels to average over, in the images' shape; all pixels by default.
    """
    values = _similarity(moments(a, step=1), b)[0]
    if mask is not None:
        values = values[mask[_PAD:-_PAD, _PAD:-_PAD]]
    return float(values.mean(dtype=np.float64)) if values.size else 0.0


def ssim_and_detail(a: Moments, b: Pixels) -> tuple[float, float]:
    """Return SSIM, and SSIM weighted by detail; both -1 to 1, of the windows that `a` has the moments of.

    Windows are weighted by v / (v + C2), where v is the sum of both images' variances. In windows that are flat in
    both images, SSIM is 1 whatever else they show, which would make any two drawings on white similar; weighted, only
    the drawings count. For two flat images the two values are equal.
    """
    similarity, reciprocal = _similarity(a, b)
    plain = cv2.mean(similarity)[0]
    weights = 1 - _WEIGHTED * cv2.mean(reciprocal)[0]
    reciprocal *= similarity
    return plain, (plain - _WEIGHTED * cv2.mean(reciprocal)[0]) / weights


def _similarity(a: Moments, b: Pixels) -> tuple[Values, Values]:
    """Return SSIM and the reciprocal of the mean spread of both, in arrays that the next call overwrites."""
    levels = np.subtract(b, MID_GRAY, out=_scratch.array("levels", b.shape, np.int16), dtype=np.int16)
    lightness = _window_means("lightness", b, a.step)
    mean = np.subtract(lightness, np.float32(MID_GRAY), out=_scratch.array("mean", lightness.shape))
    spread = _half_variance(levels, mean, a.step)
    spread += a.spread
    np.reciprocal(spread, out=spread)
    products = np.multiply(a.levels, levels, out=_scratch.array("products", b.shape, np.int16))
    similarity = _window_means("similarity", products, a.step)
    similarity -= np.multiply(a.mean, mean, out=mean)
    similarity += _HALF_C2
    similarity *= spread
    # 2 x y / (x x + y y) is 1 - (x - y) (x - y) / (x x + y y), with C1 in both.
    difference = np.subtract(a.lightness, lightness, out=mean)
    difference *= difference
    lightness *= lightness
    lightness += a.brightness
    difference /= lightness
    difference *= similarity
    similarity -= difference
    return similarity, spread


def _half_variance(levels: Levels, mean: Values, step: int) -> Values:
    """Return half of the variance in each window, in an array that the next call overwrites."""
    squares = np.multiply(levels, levels, out=_scratch.array("products", levels.shape, np.int16))
    variance = _window_means("spread", squares, step)
    variance -= np.multiply(mean, mean, out=_scratch.array("squared mean", mean.shape))
    variance *= np.float32(0.5)
    return variance


def _window_means(name: str, values: Levels | Pixels, step: int) -> Values:
    """Return the mean of each window inside the image, in an array that the next call with this name overwrites."""
    means = cv2.boxFilter(values, cv2.CV_32F, (WINDOW, WINDOW), dst=_scratch.array("means", values.shape))
    inside = means[_PAD:-_PAD:step, _PAD:-_PAD:step]
    result: Values = _scratch.array(name, inside.shape)
    np.copyto(result, inside)
    return result
