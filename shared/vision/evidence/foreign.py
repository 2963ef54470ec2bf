"""Find what was laid over a page and has a ground of its own: bars across it, patches, and marks in a corner.

A page's own parts stand beside each other, within its margins. What a program lays over it does not: it cuts what is
there, goes from edge to edge, or reaches into a corner with a ground that ends in straight lines, however faint.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from shared.vision.evidence.crossings import CUTS, cuts, extent, ground_of, spans
from shared.vision.evidence.differences import Agreement, Region
from shared.vision.evidence.masks import dilated, filled
from shared.vision.evidence.registration import Mask, Plane
from shared.vision.evidence.sides import CHANGED, NO_SEAM, OverlaidImage, Side, known_share
from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels

LEAST_BOX: Final = 0.005
"""Least share of the overlap of the box of what is looked at."""
LEAST_KEPT: Final = 0.7
"""Least share of the detail of the page underneath that still shows, outside a bar from edge to edge."""
FULL, FULL_BAR = 0.9, 0.8
"""Least share of its box that a mark in a corner fills with its ground, and that a bar fills."""
BAR_FLAT: Final = 0.8
"""Least `Side.flat` of a bar, and of a patch."""
OUTLINED: Final = 0.5
"""Least difference of `Side.seam` of a bar."""
FOREIGN_BAR, UNDER_BAR = 0.3, 0.7
"""Largest `Side.fits` of a bar that cuts nothing, and least of what is under it."""
LEAST_PATCH, COMPACT = 0.01, 0.7
"""Least share of the overlap that the box of a patch covers, and least share of it that the patch fills."""
OWN_COLOURS: Final = 0.35
"""Largest share of a patch's colours that the rest of the page has."""
CONTINUES: Final = 0.9
"""Least `Side.fits` of what is under a patch."""
STRANGE, SEAM = 0.25, 0.8
"""Largest `Side.fits` of a patch, or least `Side.seam`."""
FAINT_INK, LEAST_CROSSED = 12.0, 0.01
"""Gray levels by which letters and lines differ from their ground, and least share of a patch's outline that
they cross."""
FAINT: Final = 2.5
"""Least difference in levels of a channel of a mark's ground: translucent white on white paper has none."""
MOST_CORNER: Final = 0.12
"""Largest share of the overlap of a mark in a corner."""
INNER: Final = 3
"""Pixels at the overlap's edge in which a mark's ground may be blurred."""
BESIDE, MOST_BESIDE = 8, 0.6
"""Pixels beside a mark's ground, and the largest share of a line there that may differ as well."""
SAMPLED: Final = 7
"""Of the blank pixels, every seventh tells how both pages' ground differs elsewhere."""
BLANK: Final = 25.0
"""Variance of a window below which it is blank."""
MORE_FOREIGN: Final = 0.42
UNDER_MARK: Final = 0.8
"""Least difference of `Side.foreign` of a mark in a corner, and least `Side.fits` of what is under it."""


def laid_over_page(
    found: Agreement, part: Region, sides: Callable[[], tuple[Side, Side]], colours: tuple[Pixels, Pixels]
) -> OverlaidImage:
    """Return the page over which a region is laid as a bar, a patch or a mark in a corner.

    Args:
        sides: returns how both pages show the region.
    """
    if part.box[2] * part.box[3] < LEAST_BOX * np.count_nonzero(found.valid):
        return OverlaidImage.NEITHER
    shown = sides()
    for place in (OverlaidImage.FIRST, OverlaidImage.SECOND):
        over, under = shown[place], shown[1 - place]
        if under.fits <= over.fits:
            continue
        if _is_bar(found, part, over, under, place) or _is_patch(found, part, over, under, place, colours):
            return place
        if over.foreign - under.foreign > MORE_FOREIGN and under.fits >= UNDER_MARK and _is_mark(found, part, colours):
            return place
    return OverlaidImage.NEITHER


def _planes(found: Agreement, place: OverlaidImage) -> tuple[Plane, Plane]:
    return (found.a, found.b) if place is OverlaidImage.FIRST else (found.b, found.a)


def _is_bar(found: Agreement, part: Region, over: Side, under: Side, place: OverlaidImage) -> bool:
    """Return whether a region is a flat bar from edge to edge."""
    _, _, width, height = part.box
    if not any(spans(part, found.valid)) or part.area < FULL_BAR * width * height:
        return False
    if over.seam - max(0.0, under.seam) < OUTLINED or under.seam > NO_SEAM or over.flat < BAR_FLAT:
        return False
    if over.fits <= FOREIGN_BAR and under.fits >= UNDER_BAR:
        return True
    on, below = _planes(found, place)
    changed = part.mask & (np.abs(on - below) > CHANGED)
    return cuts(changed, found.valid & (np.abs(below - ground_of(below)) > FAINT_INK)) >= CUTS


def _is_patch(
    found: Agreement, part: Region, over: Side, under: Side, place: OverlaidImage, colours: tuple[Pixels, Pixels]
) -> bool:
    """Return whether a region is compact, of colours that the page does not have, and cuts what the page shows."""
    _, _, width, height = part.box
    if width * height < LEAST_PATCH * np.count_nonzero(found.valid) or part.area < COMPACT * width * height:
        return False
    if not (over.fits <= STRANGE or over.seam >= SEAM) or under.fits < CONTINUES or under.seam > NO_SEAM:
        return False
    if over.flat < BAR_FLAT or found.kept[1 - place] < LEAST_KEPT:
        return False
    on, below = _planes(found, place)
    changed = part.mask & (np.abs(on - below) > CHANGED)
    whole = filled(changed)
    elsewhere = found.valid & ~dilated(part.mask, 7)
    if known_share(colours[place], changed, elsewhere) > OWN_COLOURS:
        return False
    outline = whole & ~(cv2.erode(whole.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)
    ink = np.abs(below - ground_of(below)) > FAINT_INK
    return bool(np.count_nonzero(outline & ink) > LEAST_CROSSED * np.count_nonzero(outline))


def _is_mark(found: Agreement, part: Region, colours: tuple[Pixels, Pixels]) -> bool:
    """Return whether a region lies in a corner, on a ground of its own that ends in straight lines."""
    (top, bottom), (left, right) = extent(found.valid)
    x, y, width, height = part.box
    middle = (top + bottom) // 2, (left + right) // 2
    below, beyond = y + height / 2 > middle[0], x + width / 2 > middle[1]
    quarter = (
        slice(middle[0], bottom) if below else slice(top, middle[0]),
        slice(middle[1], right) if beyond else slice(left, middle[1]),
    )
    inside = part.mask[quarter]
    if np.count_nonzero(inside) < np.count_nonzero(part.mask):
        return False
    blank = found.valid & (found.variance < BLANK) & ~part.mask
    if not blank.any():
        return False
    apart = colours[0].astype(np.int16) - colours[1]
    usual = np.median(apart[blank][::SAMPLED], axis=0)
    away = cv2.blur(np.abs(apart[quarter] - usual).max(axis=2).astype(np.float32), (3, 3))
    # With the corner of the page at the bottom right.
    turned = slice(None, None, 1 if below else -1), slice(None, None, 1 if beyond else -1)
    own, seen = inside[turned], ((away >= FAINT) | inside)[turned]
    first = int(np.flatnonzero(own.any(axis=1))[0]), int(np.flatnonzero(own.any(axis=0))[0])
    seen = seen[:-INNER, :-INNER]
    if first[0] >= seen.shape[0] or first[1] >= seen.shape[1]:
        return False
    column = _end_of_run(seen[first[0] :].mean(axis=0) >= FULL, first[1])
    row = _end_of_run(seen[:, column:].mean(axis=1) >= FULL, first[0])
    if min(row, column) < BESIDE or (seen.shape[0] - row) * (seen.shape[1] - column) > MOST_CORNER * found.valid.sum():
        return False
    beside = max(
        seen[row - BESIDE : row - 1, column:].mean(axis=1).min(),
        seen[row:, column - BESIDE : column - 1].mean(axis=0).min(),
    )
    return float(seen[row:, column:].mean()) >= FULL and float(beside) <= MOST_BESIDE


def _end_of_run(filled: Mask, start: int) -> int:
    """Return where a run of filled lines begins that ends at or before `start`; `start` if that is not filled."""
    while start > 0 and filled[start - 1]:
        start -= 1
    return start
