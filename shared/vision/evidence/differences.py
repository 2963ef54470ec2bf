"""Find the regions in which two registered images differ."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from shared.vision.evidence.registration import Mask, Plane
from shared.vision.opencv import cv2

WINDOW: Final = 7
"""Pixels: the size of a small digit, or of a closed eye."""
AROUND: Final = 31
BLOCK: Final = 17
TAIL: Final = 2.7
MOST_TAIL: Final = 4.0
"""Ratio of the ninth decile to the median of a window's mean squared difference, for normal noise with a grain of a few
pixels. Blocks of a coarse JPEG have a higher ratio, of which up to `MOST_TAIL` is tolerated."""
MOST_NOISE: Final = 150.0
"""Largest squared difference of flat windows that passes for noise: of a page with a noise of 25 levels it is 75."""
MOST_RELATIVE: Final = 0.16
NOISE_TIMES: Final = 9.0
"""A window differs if its squared difference exceeds the noise by this factor: three standard deviations."""
LEFT_TIMES: Final = 5.0
"""The same factor for the share of a window's variance that compression usually changes."""
LEAST_SHARE: Final = 0.4
"""Least squared difference as a share of the window's variance; unrelated windows have 2 on average."""
LEAST_LEVELS: Final = 8.0
"""Least difference in gray levels that is visible."""


@dataclass(frozen=True)
class Agreement:
    """How two images agree, window by window.

    Attributes:
        a, b: gray levels of both, brought to the same tone and sharpness.
        away: float32, the mean squared difference of each window; the least of nine offsets of up to one pixel.
        variance: float32, the larger variance of both in the window.
        noise: the squared difference of flat windows.
        loss: ninth decile of the share of its variance that a window has lost, as compression and resizing cause it.
        differs: where the images differ.
        drawn: where at least one image has detail.
        valid: where the images overlap.
    """

    a: Plane
    b: Plane
    away: Plane
    variance: Plane
    noise: float
    loss: float
    differs: Mask
    drawn: Mask
    valid: Mask

    @cached_property
    def detail(self) -> tuple[Plane, Plane]:
        """The gray levels of both without slow changes."""
        first, second = (one - cv2.boxFilter(one, cv2.CV_32F, (AROUND, AROUND)) for one in (self.a, self.b))
        return first, second

    @property
    def agreeing(self) -> float:
        """The share of the detail that agrees, 0 to 1."""
        return 1 - float((self.differs & self.drawn).sum()) / max(1, int(self.drawn.sum()))

    def alike(self, covered: Mask) -> float:
        """Return the correlation of the detail of both, -1 to 1, without slow changes and the area `covered`."""
        return self.correlation(self.drawn & ~covered)

    def correlation(self, at: Mask) -> float:
        """Return the correlation of the detail of both in a part, -1 to 1."""
        x, y = (one[at] for one in self.detail)
        scale = float(np.sqrt((x * x).sum(dtype=np.float64) * (y * y).sum(dtype=np.float64)))
        return float((x * y).sum(dtype=np.float64)) / scale if scale else 0.0


def _box(plane: Plane) -> Plane:
    return cv2.boxFilter(plane, cv2.CV_32F, (WINDOW, WINDOW), borderType=cv2.BORDER_REFLECT)  # type: ignore[return-value]


def agreement(a: Plane, b: Plane, valid: Mask, gain: Plane) -> Agreement:
    """Compare two registered images window by window.

    The tolerance is estimated from the images themselves: the noise of flat windows, and the share of a window's
    variance that compression and slight misregistration usually change.

    Args:
        gain: factor by which the tone curve amplifies differences at each pixel, relative to the median; at least 1.
    """
    height, width = a.shape
    around = cv2.copyMakeBorder(a, 1, 1, 1, 1, cv2.BORDER_REFLECT)
    away = _box((a - b) ** 2)
    for down in range(3):
        for across in range(3):
            np.minimum(away, _box((around[down : down + height, across : across + width] - b) ** 2), out=away)
    variance = np.maximum(*(np.maximum(_box(one * one) - _box(one) ** 2, 0) for one in (a, b)))
    # Compression causes ringing around edges, as far as its blocks extend.
    nearby = cv2.boxFilter(variance, cv2.CV_32F, (BLOCK, BLOCK), borderType=cv2.BORDER_REFLECT)
    kept, spread = away[valid], nearby[valid]
    flat = kept[spread <= np.quantile(spread, 0.33)]
    usual, tail = float(np.median(flat)), float(np.quantile(flat, 0.9)) / TAIL
    noise = min(MOST_NOISE, max(usual, min(tail, MOST_TAIL * usual + 5)) + 1)
    busy = spread > max(float(np.median(spread)), 4 * noise)
    share, loss = np.quantile(kept[busy] / spread[busy], (0.5, 0.9)).tolist() if busy.sum() > 50 else (0.05, 0.0)  # noqa: PLR2004
    left = min(max(share, 0.02), MOST_RELATIVE) * np.maximum(variance, nearby)
    differs = (
        valid
        & (away > NOISE_TIMES * noise * gain * gain + LEFT_TIMES * left)
        & (away > LEAST_SHARE * variance)
        & (away > LEAST_LEVELS**2)
    )
    drawn = valid & (variance > np.maximum(4 * noise, 30))
    return Agreement(a, b, away, variance, noise, loss, differs, drawn, valid)


PixelBox = tuple[int, int, int, int]
"""Left, top, width and height in pixels of the grid."""


@dataclass(frozen=True, slots=True)
class Region:
    """A connected region in which two images differ.

    Attributes:
        mask: bool, in the shape of the grid.
        area: pixels.
        share: mean squared difference divided by variance, 0 to slightly above 2.
    """

    mask: Mask
    box: PixelBox
    area: int
    share: float


LEAST_AREA: Final = 60
"""Least number of pixels of a region: a single differing point already fills a window of 49."""
STRIKING, STRIKING_AREA, LITTLE_LOSS = 40.0, 40, 0.15
"""Least difference in gray levels of a digit in small print, number of pixels of most of one window, and the largest
`Agreement.loss` at which so few count: a JPEG of quality 10 has 0.31, and specks of its own."""
SMALL_AREA: Final = 500
STRONG: Final = 20.0
"""Least difference in gray levels of a region smaller than `SMALL_AREA`."""
PER_LOSS, MOST_STRONG = 140.0, 34.0
"""By how much `STRONG` grows with `Agreement.loss`, and its maximum: a digit of small print has at least 38."""
BLURRED: Final = 0.6
"""Correlation of the detail of a region above which it may have lost detail only."""
MOST_LOST: Final = 1.3
"""Largest `Region.share` of a region that has lost detail only."""
MOST_REGIONS: Final = 40
JOINED: Final = 9
"""Pixels: regions closer to each other than this are merged."""


def regions(found: Agreement) -> list[Region]:
    """Return the regions that differ, largest first."""
    joined = cv2.morphologyEx(found.differs.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((JOINED, JOINED), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(joined)
    order = np.argsort(-stats[1:, cv2.CC_STAT_AREA])[:MOST_REGIONS] + 1
    parts = []
    for place in order.tolist():
        mask: npt.NDArray[np.bool_] = labels == place
        seen = mask & found.differs
        area = int(seen.sum())
        strongest = float(found.away[seen].max()) ** 0.5 if area else 0.0
        least = STRIKING_AREA if strongest >= STRIKING and found.loss <= LITTLE_LOSS else LEAST_AREA
        if area < least or (area < SMALL_AREA and strongest < STRONG):
            continue
        if (strongest < STRONG and _is_thin(seen)) or _lost_detail(found, seen):
            continue
        left, top, width, height = (int(value) for value in stats[place, :4])
        share = float(found.away[seen].sum() / max(1.0, float(found.variance[seen].sum())))
        parts.append(Region(mask, (left, top, width, height), area, share))
    return parts


def merged(boxes: Sequence[PixelBox]) -> list[PixelBox]:
    """Return boxes of which none overlaps another, largest first: those that do are replaced by the box around them."""
    left: list[PixelBox] = []
    for box in boxes:
        one = box
        while near := [other for other in left if _overlap(one, other)]:
            left = [other for other in left if other not in near]
            one = _around([one, *near])
        left.append(one)
    return sorted(left, key=lambda box: -box[2] * box[3])


def _overlap(box: PixelBox, other: PixelBox) -> bool:
    return all(box[axis] < other[axis] + other[axis + 2] and other[axis] < box[axis] + box[axis + 2] for axis in (0, 1))


def _around(boxes: Sequence[PixelBox]) -> PixelBox:
    left, top = (min(box[axis] for box in boxes) for axis in (0, 1))
    right, bottom = (max(box[axis] + box[axis + 2] for box in boxes) for axis in (0, 1))
    return left, top, right - left, bottom - top


def _is_thin(seen: Mask) -> bool:
    """Return whether a region is narrower than a window, as what compression leaves beside an edge is."""
    return not cv2.erode(seen.astype(np.uint8), np.ones((WINDOW, WINDOW), np.uint8), borderValue=0).any()


def _lost_detail(found: Agreement, seen: Mask) -> bool:
    """Return whether a region shows the same in both images, but for detail that the others' parts have lost too."""
    strong = min(MOST_STRONG, STRONG + PER_LOSS * found.loss)
    if float(found.away[seen].max()) >= strong**2:
        return False
    share = float(found.away[seen].sum() / max(1.0, float(found.variance[seen].sum())))
    wide = cv2.dilate(seen.astype(np.uint8), np.ones((WINDOW, WINDOW), np.uint8)) > 0
    return share < MOST_LOST and found.correlation(wide) > BLURRED
