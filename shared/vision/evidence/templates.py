"""Find an image inside another one by its gray levels, upright and at any scale, as screenshots show flat drawings.

J. P. Lewis: Fast Normalized Cross-Correlation, Vision Interface 1995.
"""

from typing import Final

import numpy as np

from shared.vision.evidence.registration import Plane
from shared.vision.keypoints import Transform
from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels

COARSE, FINE = 144, 576
"""Pixels: longest side of the larger image in the first search and in the second one, near its result."""
LEAST_PART: Final = 0.25
"""Least share of the larger image's longer side that the smaller one takes."""
STEP: Final = 1.04
"""Ratio of one scale to the next; the second search tries steps a quarter as large."""
COARSER: Final = 3
LIKELY: Final = 6
LEAST_LIKELY: Final = 0.6
"""The first search tries the `LIKELY` scales at which a search in images `COARSER` times smaller has found the largest
correlations, of at least `LEAST_LIKELY`."""
LEAST_SIDE: Final = 20
"""Pixels: least side of the smaller image in the first search."""
LEAST_LIKE: Final = 0.8
"""Least correlation of what is found. Other pages of one layout have more, so details must decide."""
FLAT: Final = 4.0
"""Standard deviation in gray levels below which correlations are of noise."""


def contained(part: Pixels, whole: Pixels) -> Transform | None:
    """Return the transform with which `part` lies in `whole`; None if it does not."""
    gray_part, gray_whole = (cv2.cvtColor(one, cv2.COLOR_BGR2GRAY).astype(np.uint8) for one in (part, whole))
    host, shrunk = _within(gray_whole, COARSE)
    small_part, shrunk_part = _within(gray_part, 2 * COARSE)
    scales = _likely(_scales(part, host), small_part, shrunk_part, host)
    tried = [(*_best(_scaled(small_part, scale / shrunk_part), host), scale) for scale in scales]
    if not tried:
        return None
    like, place, scale = max(tried, key=lambda one: one[0])
    if like < LEAST_LIKE:
        return None
    host, finer = _within(gray_whole, FINE)
    ratio = finer / shrunk
    margin = 2 * ratio
    tried = []
    for step in range(-4, 5):
        own = scale * ratio * STEP ** (step / 4)
        small = _scaled(gray_part, own)
        left, top = (max(0, int(value * ratio - margin)) for value in place)
        right, bottom = (int(value * ratio + margin) + 1 for value in place)
        window = host[top : bottom + small.shape[0], left : right + small.shape[1]]
        if window.shape[0] < small.shape[0] or window.shape[1] < small.shape[1]:
            continue
        found, (x, y) = _best(small, window)
        tried.append((found, (x + left, y + top), own))
    if not tried:
        return None
    like, (x, y), scale = max(tried, key=lambda one: one[0])
    if like < LEAST_LIKE:
        return None
    own = scale / finer
    # Pixel centres lie at whole numbers.
    across, down = (value / finer + (own - 1) / 2 for value in (x, y))
    return np.array([[own, 0, across], [0, own, down], [0, 0, 1]], np.float64)


def _scales(part: Pixels, host: Plane) -> list[float]:
    """Return the scales at which a part may lie in a host of at most `COARSE` pixels a side."""
    scale = min(host.shape[0] / part.shape[0], host.shape[1] / part.shape[1])
    least = LEAST_PART * COARSE / max(part.shape)
    found = []
    while scale >= least and scale * min(part.shape[:2]) >= LEAST_SIDE:
        found.append(scale)
        scale /= STEP
    return found


def _likely(scales: list[float], part: Plane, shrunk: float, host: Plane) -> list[float]:
    """Return the scales at which the part, itself scaled by `shrunk`, lies in the host where both are smaller."""
    tiny_host, tiny_part = _scaled(host, 1 / COARSER), _scaled(part, 1 / COARSER)
    alike = [_best(_scaled(tiny_part, scale / shrunk), tiny_host)[0] for scale in scales]
    order = np.argsort([-value for value in alike], kind="stable")[:LIKELY]
    return [scales[place] for place in order if alike[place] >= LEAST_LIKELY]


def _within(gray: Pixels, longest: int) -> tuple[Plane, float]:
    scale = min(1.0, longest / max(gray.shape))
    return _scaled(gray, scale), scale


def _scaled(gray: Pixels | Plane, scale: float) -> Plane:
    size = (max(1, round(gray.shape[1] * scale)), max(1, round(gray.shape[0] * scale)))
    found: Plane = cv2.resize(gray, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR).astype(
        np.float32
    )
    return found


def _best(part: Plane, whole: Plane) -> tuple[float, tuple[int, int]]:
    """Return the largest correlation, and where the top left pixel of `part` then is."""
    if part.shape[0] > whole.shape[0] or part.shape[1] > whole.shape[1] or part.std() < FLAT:
        return 0.0, (0, 0)
    alike = cv2.matchTemplate(whole, part, cv2.TM_CCOEFF_NORMED)
    alike[~np.isfinite(alike) | (np.abs(alike) > 1)] = 0
    _, value, _, place = cv2.minMaxLoc(alike)
    return float(value), (int(place[0]), int(place[1]))
