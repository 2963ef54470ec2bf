"""Find what lies across the letters and lines of a page: it cuts them, and they go on behind it.

What belongs to a page is placed beside its other parts, and where it was changed, its old parts are gone.
"""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from shared.vision.evidence.differences import Agreement, Region
from shared.vision.evidence.layers import flat_share
from shared.vision.evidence.masks import dilated
from shared.vision.evidence.registration import Mask, Plane
from shared.vision.evidence.sides import CHANGED, OverlaidImage, Side, known_share
from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels

AROUND: Final = 41
"""Pixels: side of the window whose median is a page's ground; letters and lines are less than half of it."""
INK: Final = 25.0
"""Least difference in gray levels of letters and lines from their ground."""
BAND: Final = 7
"""Pixels: width of the band around a region in which a cut line goes on."""
LEAST_CUT: Final = 3
"""Pixels of a line or letter on either side of an outline that cuts it."""
CUTS, MANY_CUTS = 3, 6
"""Least number of lines and letters that are cut; and where a layer has a page's own colours. A stone on a board cuts
one crossing of lines."""
BAR: Final = 0.97
"""Least share of an edge that a bar along it covers."""
MOST_GONE: Final = 0.12
"""Maximum share of what changed in which a letter or a line is gone: replaced ones have at least 0.2."""
MOST_GONE_OF_ONE: Final = 0.25
"""The same of each region, which may be small."""
LARGE_PART: Final = 0.12
"""Size, relative to the largest region, from which on a region counts: each must cut something."""
LEAST_KEPT: Final = 0.75
"""Least share of the covered page's detail that agrees: of different logos and charts of one kind, up to 0.67 of both
pages' detail does."""
LEAST_AGREEING: Final = 0.75
"""Least share of the detail of both pages that agrees where a layer has the page's own colours: other words on a card
of one template cut as many lines."""
LEAST_LAYERED: Final = 0.6
"""Least share of each region that flat layers explain: other words have up to 0.6, outlined letters at least 0.62."""
LEAST_LAYERED_OF_MANY, FEW_OWN_COLOURS = 0.45, 0.4
"""The same where `MANY_CUTS` are cut by a layer that has at most this share of the page's own colours."""
ALL_OWN: Final = 0.9
"""The same above which nothing is laid across a page, however much it cuts: other bars of a chart have all."""
OWN_COLOURS: Final = 0.5
"""Share of a layer's colours that the rest of the page has, above which they are the page's own."""


def lie_across(
    found: Agreement,
    parts: Sequence[Region],
    shown: Callable[[int], tuple[Side, Side]],
    place: OverlaidImage,
    colours: tuple[Pixels, Pixels],
) -> bool:
    """Return whether everything that one of two pages shows in these regions is laid across the other's content.

    Args:
        shown: returns how both pages show the region with this index.
    """
    if found.kept[1 - place] < LEAST_KEPT:
        return False
    bar = all(is_bar(part, found.valid) for part in parts)
    if not bar and any(shown(index)[place].seam < shown(index)[1 - place].seam for index in range(len(parts))):
        # The other page has the outline.
        return False
    on, under = (found.a, found.b) if place is OverlaidImage.FIRST else (found.b, found.a)
    mask = np.logical_or.reduce([part.mask for part in parts])
    changed = mask & (np.abs(on - under) > CHANGED)
    ground = ground_of(under)
    ink = found.valid & (np.abs(under - ground) > INK)
    gone = changed & ink & (np.abs(on - ground) < CHANGED)
    if gone.sum() > MOST_GONE * changed.sum():
        return False
    layered = 1.0
    for part in parts:
        here = changed & part.mask
        layered = min(layered, flat_share(on[here], under[here]))
        if gone[part.mask].sum() > MOST_GONE_OF_ONE * here.sum() or layered < LEAST_LAYERED_OF_MANY:
            return False
    cut = cuts(changed, ink)
    if bar and cut >= CUTS:
        return True
    elsewhere = found.valid & ~dilated(mask, BAND)
    own = known_share(colours[place], changed, elsewhere)
    largest = max(part.area for part in parts)
    # Lit keys and tiles each stand in a place of their own.
    enough = bar or cut >= sum(part.area > LARGE_PART * largest for part in parts)
    return enough and _is_foreign(cut, own, layered, found.agreeing)


def _is_foreign(cut: int, own: float, layered: float, agreeing: float) -> bool:
    """Return whether what cuts letters and lines does not belong to a page, by its colours and its flat layers.

    Args:
        agreeing: share of the detail of both pages that agrees.
    """
    if layered < LEAST_LAYERED:
        return cut >= MANY_CUTS and own < FEW_OWN_COLOURS
    return (cut >= CUTS and own < OWN_COLOURS) or (cut >= MANY_CUTS and own < ALL_OWN and agreeing >= LEAST_AGREEING)


def spans(part: Region, valid: Mask) -> tuple[bool, bool]:
    """Return whether a region reaches from one side of the overlap to the other, and from its top to its bottom."""
    (top, bottom), (left, right) = extent(valid)
    return part.box[2] >= BAR * (right - left), part.box[3] >= BAR * (bottom - top)


def is_bar(part: Region, valid: Mask) -> bool:
    """Return whether a region lies along a whole edge."""
    (top, bottom), (left, right) = extent(valid)
    x, y, width, height = part.box
    across, down = spans(part, valid)
    at_end = y <= top + 1 or y + height >= bottom - 1, x <= left + 1 or x + width >= right - 1
    return (across and at_end[0]) or (down and at_end[1])


def extent(valid: Mask) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the first row and the one after the last, and the same of the columns."""
    rows, columns = np.flatnonzero(valid.any(axis=1)), np.flatnonzero(valid.any(axis=0))
    return (int(rows[0]), int(rows[-1]) + 1), (int(columns[0]), int(columns[-1]) + 1)


def ground_of(page: Plane) -> Plane:
    """Return the level of the ground at each pixel of a page."""
    small = cv2.resize(np.clip(page, 0, 255).astype(np.uint8), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    soft = cv2.medianBlur(small, AROUND // 4 * 2 + 1)
    ground: Plane = cv2.resize(soft, page.shape[::-1], interpolation=cv2.INTER_LINEAR).astype(np.float32)
    return ground


def cuts(changed: Mask, ink: Mask) -> int:
    """Return the number of letters and lines that a region covers in part."""
    wide = dilated(changed, 2 * BAND + 1)
    close = dilated(changed, 3)
    _, labels = cv2.connectedComponents((ink & wide).astype(np.uint8))
    count = int(labels.max()) + 1
    within, beyond = (np.bincount(labels[at], minlength=count)[1:] for at in (changed, ~close))
    return int(((within >= LEAST_CUT) & (beyond >= LEAST_CUT)).sum())
