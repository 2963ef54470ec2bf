"""Fit the shading of a photograph together with its tone: filters and lenses darken the edges."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from shared.vision.evidence.fitting import robust_fit
from shared.vision.evidence.hues import GRAY
from shared.vision.evidence.registration import Mask, Plane
from shared.vision.evidence.tone import Toned, by_tables, channel_tables, gray
from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels

ROUNDS: Final = 3
SAMPLES: Final = 4000
"""Number of places at which shading is measured, at most."""
GRID: Final = 64
"""Number of places each way at which the polynomial is evaluated."""
SOFT: Final = 4.0
"""Pixels: sigma of the blur before that."""
LEAST_PLACES: Final = 100
DARKEST, BRIGHTEST = 12.0, 248.0
"""Gray levels beyond which the ratio of two images says little about shading."""
NOISE: Final = 0.05
"""Deviation of the ratio's logarithm that compression leaves."""
MOST, LEAST = 1.4, 0.1
"""Largest logarithm of the shading, a factor of four, and least range of it that is worth a comparison."""
TERMS: Final = tuple((i, j) for i in range(7) for j in range(7 - i) if i + j <= 3 or (i % 2 == 0 and j % 2 == 0))  # noqa: PLR2004
"""Powers of the place across and down: all up to the third, and the even ones up to the sixth."""


def shaded(moved: Pixels, fixed: Pixels, valid: Mask) -> Iterator[Toned]:
    """Yield both images in one tone and one shading, either of them being the other one shaded, if any shading shows.

    One image is the other one under a curve of each channel, times a polynomial of the place, which changes too slowly
    to follow a thing in the scene.
    """
    there = _shaded(moved, fixed, valid)
    if there is None:
        return
    yield there
    if back := _shaded(fixed, moved, valid):
        yield Toned(back.b, back.a, back.gain)


def _shaded(moved: Pixels, fixed: Pixels, valid: Mask) -> Toned | None:
    others = gray(fixed)
    tables = channel_tables(moved, fixed, valid)
    shading: Plane | float = 1.0
    for _ in range(ROUNDS):
        found = _shading(_through(tables, moved), others, valid)
        if found is None:
            return None
        shading = found
        # The curves are those of an image without shading.
        even = cv2.divide(fixed, cv2.merge([found] * 3), dtype=cv2.CV_8U).astype(np.uint8, copy=False)
        tables = channel_tables(moved, even, valid)
    return by_tables(moved, others, valid, tables, shading)


def _through(tables: Sequence[Plane], image: Pixels) -> Plane:
    """Return the gray levels of an image under a curve of each channel."""
    channels = zip(GRAY, tables, cv2.split(image), strict=True)
    return np.asarray(sum(share * cv2.LUT(levels, table) for share, table, levels in channels), np.float32)


def _shading(levels: Plane, fixed: Plane, valid: Mask) -> Plane | None:
    """Return the factor, 1 in the middle, that takes `levels` to `fixed`; None if it hardly changes."""
    height, width = fixed.shape
    step = max(2, round((height * width / SAMPLES) ** 0.5))
    x, y = (cv2.GaussianBlur(one, (0, 0), SOFT)[::step, ::step] for one in (levels, fixed))
    kept = valid[::step, ::step] & (np.minimum(x, y) > DARKEST) & (np.maximum(x, y) < BRIGHTEST)
    if np.count_nonzero(kept) < LEAST_PLACES:
        return None
    rows, columns = np.nonzero(kept)
    terms = _terms(step * columns / width - 0.5, step * rows / height - 0.5)
    ratio = np.log(y[kept] / x[kept]).astype(np.float64)
    fit = robust_fit(terms, ratio, np.ones_like(ratio), NOISE)
    down, across = np.mgrid[-0.5 : 0.5 : GRID * 1j, -0.5 : 0.5 : GRID * 1j]
    # The first term is the tone's.
    whole = np.clip(_terms(across.ravel(), down.ravel())[:, 1:] @ fit[1:], -MOST, MOST).astype(np.float32)
    if np.ptp(whole) < LEAST:
        return None
    return np.exp(cv2.resize(whole.reshape(GRID, GRID), (width, height), interpolation=cv2.INTER_LINEAR))


def _terms(across: npt.NDArray[np.float64], down: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.stack([across**i * down**j for i, j in TERMS], axis=1)
