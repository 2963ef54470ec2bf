"""Find the regions in which two registered images differ."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from shared.vision.evidence.histograms import Counts, counted
from shared.vision.evidence.registration import Mask, Plane
from shared.vision.opencv import cv2
from shared.vision.order_statistics import median, quantile

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
MOST_FLAT: Final = 30.0
"""Largest squared difference of flat windows beyond their own grain that passes for noise, as a tone's curve leaves it.
Tiles and keys of another shade have more."""
MOST_RELATIVE: Final = 0.16
NOISE_TIMES: Final = 9.0
"""A window differs if its squared difference exceeds the noise by this factor: three standard deviations."""
LEFT_TIMES: Final = 5.0
"""The same factor for the share of a window's variance that compression usually changes."""
LEAST_SHARE: Final = 0.4
"""Least squared difference as a share of the window's variance; unrelated windows have 2 on average."""
LEAST_LEVELS: Final = 8.0
"""Least difference in gray levels that is visible."""
LEVELS: Final = 128
EVERYWHERE: Final = slice(None), slice(None)


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
        return _detail(self.a), _detail(self.b)

    @property
    def agreeing(self) -> float:
        """The share of the detail that agrees, 0 to 1."""
        return 1 - share_within(self.differs, self.drawn)

    @cached_property
    def kept(self) -> tuple[float, float]:
        """The share of the detail that is in the first image, and of that in the second one, that agrees, 0 to 1."""
        least = np.maximum(4 * self.noise, 30)
        own = [self.valid & (window_variance(one) > least) for one in (self.a, self.b)]
        first, second = (1 - share_within(self.differs, drawn) for drawn in own)
        return first, second

    @cached_property
    def levels(self) -> list[Counts]:
        """How many pixels of the overlap have each level, 0 to 256 in `LEVELS` steps, in either image."""
        return [counted(one[self.valid], LEVELS) for one in (self.a, self.b)]

    def correlation(self, at: Mask, box: tuple[slice, slice] = EVERYWHERE) -> float:
        """Return the correlation of the detail of both, without slow changes, in a part of a box, -1 to 1."""
        first, second = self.detail
        return _correlation(first[box][at], second[box][at])


def correlation(a: Plane, b: Plane, valid: Mask) -> float:
    """Return the correlation of the detail of two planes, without slow changes, -1 to 1."""
    return _correlation(_detail(a)[valid], _detail(b)[valid])


def _detail(plane: Plane) -> Plane:
    return plane - cv2.boxFilter(plane, cv2.CV_32F, (AROUND, AROUND))


def _correlation(x: Plane, y: Plane) -> float:
    scale = float(np.sqrt((x * x).sum(dtype=np.float64) * (y * y).sum(dtype=np.float64)))
    return float((x * y).sum(dtype=np.float64)) / scale if scale else 0.0


def share_within(part: Mask, whole: Mask) -> float:
    """Return the share of the pixels of `whole` that `part` has, too; 0 if there are none."""
    return int(np.count_nonzero(part & whole)) / max(1, int(np.count_nonzero(whole)))


def _box(plane: Plane, side: int = WINDOW) -> Plane:
    return cv2.boxFilter(plane, cv2.CV_32F, (side, side), borderType=cv2.BORDER_REFLECT)  # type: ignore[return-value]


def window_variance(plane: Plane) -> Plane:
    """Return the variance of the window around each pixel."""
    mean = _box(plane)
    variance = _box(plane * plane)
    variance -= mean * mean
    return np.maximum(variance, 0, out=variance)


def agreement(a: Plane, b: Plane, variance: Plane, valid: Mask, gain: Plane) -> Agreement:
    """Compare two registered images window by window.

    The tolerance is estimated from the images themselves: the noise of flat windows, and the share of a window's
    variance that compression and slight misregistration usually change.

    Args:
        variance: of the windows of `b`.
        gain: factor by which the tone curve amplifies differences at each pixel, relative to the median; at least 1.
    """
    height, width = a.shape
    around = cv2.copyMakeBorder(a, 1, 1, 1, 1, cv2.BORDER_REFLECT)
    away, apart, other = np.full_like(b, np.inf), np.empty_like(b), np.empty_like(b)
    for down in range(3):
        for across in range(3):
            np.subtract(around[down : down + height, across : across + width], b, out=apart)
            np.multiply(apart, apart, out=apart)
            cv2.boxFilter(apart, cv2.CV_32F, (WINDOW, WINDOW), other, borderType=cv2.BORDER_REFLECT)
            np.minimum(away, other, out=away)
    variance = np.maximum(window_variance(a), variance)
    # Compression causes ringing around edges, as far as its blocks extend.
    nearby = _box(variance, BLOCK)
    kept, spread = away[valid], nearby[valid]
    limit = quantile(spread, 0.33)
    flat = kept[spread <= limit]
    usual, tail = median(flat), quantile(flat, 0.9) / TAIL
    grain = 2 * median(variance[valid][spread <= limit])
    noise = min(MOST_NOISE, grain + MOST_FLAT, max(usual, min(tail, MOST_TAIL * usual + 5)) + 1)
    busy = spread > max(median(spread), 4 * noise)
    share, loss = 0.05, 0.0
    if np.count_nonzero(busy) > 50:  # noqa: PLR2004
        lost = kept[busy] / spread[busy]
        share, loss = median(lost), quantile(lost, 0.9)
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
STRIKING, STRIKING_AREA, LITTLE_LOSS = 37.0, 40, 0.15
"""Least difference in gray levels of a digit in small print, number of pixels of most of one window, and the largest
`Agreement.loss` at which so few count: a JPEG of quality 10 has 0.31, and specks of its own."""
SMALL_AREA: Final = 500
STRONG: Final = 20.0
"""Least difference in gray levels of a region smaller than `SMALL_AREA`."""
PER_LOSS, MOST_STRONG = 110.0, 34.0
"""By how much `STRONG` grows with `Agreement.loss`, and its maximum: a digit of small print has at least 38."""
BLURRED: Final = 0.6
"""Correlation of the detail of a region above which it may have lost detail only."""
MOST_LOST: Final = 1.3
"""Largest `Region.share` of a region that has lost detail only."""
MOST_DISPLACED: Final = 0.8
"""Largest `Region.share` of a small region that may be the same, displaced by a fraction of a pixel."""
LEFT_DISPLACED: Final = 0.12
"""Share of the variance of such a region that differs once it is moved: of the same letters up to 0.05, of a digit of
small print that became another one at least 0.33."""
SHIFTS: Final = (-1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5)
"""Pixels by which such a region is moved in either direction."""
SOFT: Final = 0.7
"""Pixels: sigma of the blur of a region that may be sharper than the rest."""
MOST_REGIONS: Final = 40
MARGIN: Final = WINDOW // 2
"""Pixels around the box of a region that are looked at."""
JOINED: Final = 9
"""Pixels: regions closer to each other than this are merged."""


def regions(found: Agreement) -> Iterator[Region]:
    """Yield the regions that differ, largest first."""
    if not found.differs.any():
        return
    joined = cv2.morphologyEx(found.differs.view(np.uint8), cv2.MORPH_CLOSE, np.ones((JOINED, JOINED), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(joined)
    order = np.argsort(-stats[1:, cv2.CC_STAT_AREA])[:MOST_REGIONS] + 1
    for place in order.tolist():
        left, top, width, height = (int(value) for value in stats[place, :4])
        rows = slice(max(0, top - MARGIN), top + height + MARGIN)
        columns = slice(max(0, left - MARGIN), left + width + MARGIN)
        own = labels[rows, columns] == place
        seen = own & found.differs[rows, columns]
        away = found.away[rows, columns][seen]
        area, most = len(away), float(away.max(initial=0))
        strongest = most**0.5
        least = STRIKING_AREA if strongest >= STRIKING and found.loss <= LITTLE_LOSS else LEAST_AREA
        if area < least or (area < SMALL_AREA and strongest < STRONG):
            continue
        share = float(away.sum() / max(1.0, float(found.variance[rows, columns][seen].sum())))
        faint = most < min(MOST_STRONG, STRONG + PER_LOSS * found.loss) ** 2
        if (strongest < STRONG and _is_thin(seen)) or (faint and _lost_detail(found, seen, (rows, columns), share)):
            continue
        if area < SMALL_AREA and share < MOST_DISPLACED and _is_displaced(found, seen, (rows, columns)):
            continue
        mask = np.zeros(labels.shape, bool)
        mask[rows, columns] = own
        yield Region(mask, (left, top, width, height), area, share)


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
    return not cv2.erode(seen.view(np.uint8), np.ones((WINDOW, WINDOW), np.uint8), borderValue=0).any()


def _lost_detail(found: Agreement, seen: Mask, box: tuple[slice, slice], share: float) -> bool:
    """Return whether a faint region shows the same in both images, but for detail that others have lost too.

    Args:
        seen: the pixels of the region inside `box`, a margin of `MARGIN` included.
        share: see `Region`.
    """
    if share >= MOST_LOST:
        return False
    wide = cv2.dilate(seen.view(np.uint8), np.ones((WINDOW, WINDOW), np.uint8)) > 0
    return found.correlation(wide, box) > BLURRED


def _is_displaced(found: Agreement, seen: Mask, box: tuple[slice, slice]) -> bool:
    """Return whether hardly any of a region's difference is left once all of it is moved by half pixels.

    Two scans of one page are bent in ways that no transform of the whole follows, and one of them may be sharper there.
    """
    a, b = found.a[box], found.b[box]
    height, width = a.shape
    most = LEFT_DISPLACED * float(found.variance[box][seen].sum())
    for x, y in ((a, b), (cv2.GaussianBlur(a, (0, 0), SOFT), b), (a, cv2.GaussianBlur(b, (0, 0), SOFT))):
        wide = cv2.copyMakeBorder(x, 2, 2, 2, 2, cv2.BORDER_REFLECT)
        for down in SHIFTS:
            for across in SHIFTS:
                centre = (width + 3) / 2 + across, (height + 3) / 2 + down
                apart = cv2.getRectSubPix(wide, (width, height), centre) - y
                if float(_box(apart * apart)[seen].sum()) < most:
                    return True
    return False
