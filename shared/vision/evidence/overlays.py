"""Which of two images something was laid over.

A caption, a logo or a sticker covers what the other image still shows: there the one goes on as around the part, and
the other does not. Where both do (something moved), or neither does (two captions, two numbers), the images differ.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
import numpy.typing as npt

from shared.vision.evidence.differences import Agreement, Region
from shared.vision.evidence.registration import Mask, Plane
from shared.vision.opencv import cv2

BINS: Final = 16
CHANGED: Final = 18.0
"""Gray levels by which a pixel has changed, so that it tells of what was laid there."""
RING: Final = 0.35
"""Width of what lies around a part, in shares of its smaller side; at least `LEAST_RING` pixels."""
LEAST_RING: Final = 12
FEW_LEVELS: Final = 0.8
"""Share of the pixels that three gray levels have: 0.84 and more on pages, charts, codes and screens of
`bench.negatives`, 0.68 at most on 45 photographs."""
FOREIGN: Final = 0.42
"""What one side's outline, levels and plainness must add up to beyond the other's; measured in `bench.negatives`."""
GOES_ON: Final = 0.8
"""How much of a part that goes on as around it has levels that are around it."""
NO_SEAM: Final = 0.3
SMALL: Final = 0.12
"""Of the largest part laid over, parts that are as small as this belong to it."""
FLAT: Final = 6.0
"""Gray levels: the standard deviation of a border."""


class Laid(IntEnum):
    """On which image a part was laid, if on one."""

    NEITHER = -1
    FIRST = 0
    SECOND = 1


@dataclass(frozen=True, slots=True)
class Side:
    """How one image shows a part.

    Attributes:
        fits: how much of it has levels that are around it too, 0 to 1.
        plain: how much of it is of two levels, as letters and boxes are, 0 to 1.
        seam: how much sharper its outline is than what is around it, as a logarithm.
    """

    fits: float
    plain: float
    seam: float

    @property
    def foreign(self) -> float:
        return self.seam + 0.8 * self.plain - 1.5 * self.fits

    @property
    def goes_on(self) -> bool:
        return self.fits >= GOES_ON and self.seam <= NO_SEAM


def is_page(found: Agreement) -> bool:
    """Whether what is compared is a page, a chart, a code or a screen: what stands on it belongs to it."""
    return min(_few_levels(found.a[found.valid]), _few_levels(found.b[found.valid])) > FEW_LEVELS


def _few_levels(values: npt.NDArray[np.float32]) -> float:
    """The share of the three commonest of 32 levels, neighbours apart."""
    counts = np.histogram(values, 2 * BINS, (0, 256))[0] / len(values)
    total = 0.0
    for _ in range(3):
        first = int(counts.argmax())
        near = slice(max(0, first - 1), first + 2)
        total += float(counts[near].sum())
        counts[near] = 0
    return total


def laid_over(found: Agreement, parts: Sequence[Region]) -> tuple[Laid, list[bool]]:
    """On which image things were laid, and which of the parts that differ are such things.

    `NEITHER`, and no part, where things were laid on both, for then both show something of their own.
    """
    nobody = Laid.NEITHER, [False] * len(parts)
    if not parts or is_page(found):
        return nobody
    shown = [_sides(found, part) for part in parts]
    margins = [_border(found, part) for part in parts]
    on = [_laid(*each) if margin is Laid.NEITHER else margin for each, margin in zip(shown, margins, strict=True)]
    places = {place for place in on if place is not Laid.NEITHER}
    if len(places) != 1:
        return nobody
    place = places.pop()
    largest = max(part.area for part, here in zip(parts, on, strict=True) if here is place)
    belongs = [
        here is place or (part.area <= SMALL * largest and each[1 - place].fits >= GOES_ON)
        for part, here, each in zip(parts, on, shown, strict=True)
    ]
    return place, belongs


def _laid(first: Side, second: Side) -> Laid:
    if second.goes_on and first.foreign - second.foreign > FOREIGN:
        return Laid.FIRST
    if first.goes_on and second.foreign - first.foreign > FOREIGN:
        return Laid.SECOND
    return Laid.NEITHER


def _border(found: Agreement, part: Region) -> Laid:
    """On which image a part is a flat border that ends where the images' overlap does."""
    rim = found.valid & ~(cv2.erode(found.valid.astype(np.uint8), np.ones((7, 7), np.uint8), borderValue=0) > 0)
    if not (rim & part.mask).any():
        return Laid.NEITHER
    seen = part.mask & found.differs
    first, second = float(found.a[seen].std()), float(found.b[seen].std())
    if min(first, second) > FLAT or max(first, second) < 2 * FLAT:
        return Laid.NEITHER
    return Laid.FIRST if first < second else Laid.SECOND


def _sides(found: Agreement, region: Region) -> tuple[Side, Side]:
    left, top, width, height = region.box
    margin = max(LEAST_RING, round(RING * min(width, height)))
    rows = slice(max(0, top - 2 * margin), top + height + 2 * margin)
    columns = slice(max(0, left - 2 * margin), left + width + 2 * margin)
    mask, valid = region.mask[rows, columns], found.valid[rows, columns]
    a, b = found.a[rows, columns], found.b[rows, columns]
    changed = mask & (np.abs(a - b) > CHANGED)
    size = 2 * margin + 1
    wide = cv2.dilate(mask.astype(np.uint8), np.ones((size, size), np.uint8)) > 0
    close = cv2.dilate(mask.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    ring = wide & ~close & valid & ~found.differs[rows, columns]
    if ring.sum() < 50 or changed.sum() < 10:  # noqa: PLR2004 - too little to judge by
        nothing = Side(0.0, 0.0, 0.0)
        return nothing, nothing
    outline = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((9, 9), np.uint8)) > 0
    outline &= valid
    return _side(a, changed, ring, outline), _side(b, changed, ring, outline)


def _side(plane: Plane, changed: Mask, ring: Mask, outline: Mask) -> Side:
    inside, around = _levels(plane[changed]), _levels(plane[ring])
    # A level that is around at all is around: how much of it there is differs from place to place.
    usual = np.minimum(1.0, around / 0.02)
    fits = float((inside * usual).sum())
    spread = np.convolve(inside, np.ones(3), "same")
    first = int(spread.argmax())
    rest = inside.copy()
    rest[max(0, first - 1) : first + 2] = 0
    plain = float(spread[first] + np.convolve(rest, np.ones(3), "same").max())
    slope = np.hypot(cv2.Sobel(plane, cv2.CV_32F, 1, 0), cv2.Sobel(plane, cv2.CV_32F, 0, 1))
    seam = float(np.log((slope[outline].mean() + 10) / (slope[ring].mean() + 10)))
    return Side(fits, min(1.0, plain), seam)


def _levels(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    counts = np.histogram(values, BINS, (0, 256))[0] / len(values)
    return np.convolve(counts, (0.25, 0.5, 0.25), "same")
