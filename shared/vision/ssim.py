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
_C2: Final = np.float32((0.03 * 255) ** 2)
_FLAT: Final = np.float32(0.1)
"""Keeps the weights of two flat images above zero; under any visible detail by a factor of 100."""
_SAMPLE: Final = np.float32(WINDOW**2 / (WINDOW**2 - 1))

Values = npt.NDArray[np.float32]
Levels = npt.NDArray[np.int16]
"""Gray levels less `MID_GRAY`: so centred, products fit 16 bits and sums of them are exact."""


@dataclass(frozen=True, slots=True)
class Moments:
    """What SSIM needs of one image alone, so that one that is compared with many has it made once.

    Attributes:
        levels: (H, W).
        mean, variance: float32 (H, W), of the window around each pixel, of the levels.
    """

    levels: Levels
    mean: Values
    variance: Values


class _Work(threading.local):
    """Arrays that are used again: memory that is given back and asked for anew costs more than the arithmetic."""

    def __init__(self) -> None:
        self._shape: tuple[int, ...] = ()
        self._arrays: dict[str, npt.NDArray[Any]] = {}

    def array(self, name: str, shape: tuple[int, ...], dtype: Any = np.float32) -> Any:
        if shape != self._shape:
            self._shape, self._arrays = shape, {}
        if name not in self._arrays:
            self._arrays[name] = np.empty(shape, dtype)
        return self._arrays[name]


_work = _Work()


def moments(gray: Pixels) -> Moments:
    """The moments of a uint8 gray image, at least 7 pixels a side."""
    shape = gray.shape
    return _moments(gray, np.empty(shape, np.int16), np.empty(shape, np.float32), np.empty(shape, np.float32))


def ssim_map(a: Pixels, b: Pixels) -> Values:
    """SSIM at each pixel whose window lies inside: float32, (H - 6) x (W - 6), -1 to 1.

    Args:
        a, b: uint8 gray images of one shape, at least 7 pixels a side.
    """
    inside: Values = _inside(_similarity(moments(a), b)[0])
    return inside.copy()


def ssim(a: Pixels, b: Pixels, mask: npt.NDArray[np.bool_] | None = None) -> float:
    """Mean structural similarity, -1 to 1; where `mask` (of the images' shape) is given, of its pixels only."""
    values = _inside(_similarity(moments(a), b)[0])
    if mask is not None:
        values = values[_inside(mask)]
    return float(values.mean(dtype=np.float64)) if values.size else 0.0


def ssim_and_detail(a: Moments, b: Pixels) -> tuple[float, float]:
    """SSIM, and its mean weighted by detail: a window counts v / (v + C2), v being both images' variances in it.

    Where both are flat SSIM is 1 whatever they show, so that any two things on white would be alike; weighted,
    only what is drawn counts. On two flat images both are the same.
    """
    similarity, variances = _similarity(a, b)
    weights = np.add(variances, _FLAT, out=_work.array("weights", b.shape))
    variances += _C2
    weights /= variances
    plain = cv2.mean(_inside(similarity))[0]
    similarity *= weights
    return plain, cv2.mean(_inside(similarity))[0] / cv2.mean(_inside(weights))[0]


def _similarity(a: Moments, b: Pixels) -> tuple[Values, Values]:
    """SSIM and the sum of both variances at each pixel, in arrays that the next call uses again."""
    shape = b.shape
    other = _moments(
        b, _work.array("levels", shape, np.int16), _work.array("mean", shape), _work.array("variance", shape)
    )
    products = np.multiply(a.levels, other.levels, out=_work.array("products", shape, np.int16))
    similarity = _means(products, _work.array("similarity", shape))
    scratch = np.multiply(a.mean, other.mean, out=_work.array("scratch", shape))
    similarity -= scratch
    similarity *= 2 * _SAMPLE
    similarity += _C2
    variances = other.variance
    variances += a.variance
    variances *= _SAMPLE
    np.maximum(variances, 0, out=variances)
    similarity /= np.add(variances, _C2, out=scratch)
    lightness = np.add(a.mean, MID_GRAY, out=_work.array("lightness", shape))
    others = np.add(other.mean, MID_GRAY, out=other.mean)
    # 2 x y / (x x + y y) is 1 - (x - y) (x - y) / (x x + y y), with C1 in both.
    np.subtract(lightness, others, out=scratch)
    scratch *= scratch
    lightness *= lightness
    others *= others
    lightness += others
    lightness += _C1
    scratch /= lightness
    np.subtract(1, scratch, out=scratch)
    similarity *= scratch
    return similarity, variances


def _moments(gray: Pixels, levels: Levels, mean: Values, variance: Values) -> Moments:
    np.subtract(gray, MID_GRAY, out=levels, dtype=np.int16)
    _means(levels, mean)
    _means(np.multiply(levels, levels, out=_work.array("products", gray.shape, np.int16)), variance)
    variance -= np.multiply(mean, mean, out=_work.array("scratch", gray.shape))
    return Moments(levels, mean, variance)


def _means(levels: Levels, out: Values) -> Values:
    return cv2.boxFilter(levels, cv2.CV_32F, (WINDOW, WINDOW), dst=out)  # type: ignore[return-value]


def _inside(values: npt.NDArray[Any]) -> Any:
    """Where the window lies inside the image."""
    return values[_PAD:-_PAD, _PAD:-_PAD]
