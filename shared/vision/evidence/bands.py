"""Find a band of one colour that is laid across a photograph, and may be as dark as that in places."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from shared.vision.evidence.crossings import extent
from shared.vision.evidence.differences import Agreement, Region
from shared.vision.evidence.histograms import counted
from shared.vision.evidence.registration import Plane
from shared.vision.evidence.sides import BINS, OverlaidImage

GROUND: Final = 8.0
"""Maximum deviation of a band's ground, in gray levels."""
LEAST_ROW, LEAST_GROUND = 0.35, 0.65
"""Least share of each row, and of all of them, that has the ground's level: letters cover up to two thirds of a row."""
LEAST_HEIGHT, MOST_HEIGHT = 0.05, 0.45
"""Least and maximum height, relative to the overlap."""
BEYOND: Final = slice(3, 9)
"""Rows beyond a band's ends."""
LEAST_STEP: Final = 0.3
"""By how much less of the ground's level there is in these rows."""
WITHIN: Final = 0.9
"""Least share of a region's rows that a band has if the region belongs to it."""


def joined_in_bands(found: Agreement, parts: Sequence[Region]) -> tuple[Sequence[Region], list[OverlaidImage]]:
    """Replace regions within a band by one that is the whole band.

    Args:
        parts: at least one region.

    Returns:
        The regions, and for each the image that has it as a band.
    """
    nowhere = [OverlaidImage.NEITHER] * len(parts)
    for place, on, under in (
        (OverlaidImage.FIRST, found.a, found.b),
        (OverlaidImage.SECOND, found.b, found.a),
    ):
        rows = _rows_of_band(found, parts[0], on)
        if rows is None or _rows_of_band(found, parts[0], under) is not None:
            continue
        inside = [_is_within(part, rows) for part in parts]
        mask = np.zeros_like(found.valid)
        mask[rows] = found.valid[rows]
        _, (left, right) = extent(found.valid)
        share = float(found.away[mask].sum() / max(1.0, float(found.variance[mask].sum())))
        box = (left, rows.start, right - left, rows.stop - rows.start)
        whole = Region(mask, box, int(np.count_nonzero(mask)), share)
        others = [part for part, here in zip(parts, inside, strict=True) if not here]
        return [whole, *others], [place, *[OverlaidImage.NEITHER] * len(others)]
    return parts, nowhere


def _is_within(part: Region, rows: slice) -> bool:
    _, top, _, height = part.box
    return bool(min(top + height, rows.stop) - max(top, rows.start) >= WITHIN * height)


def _rows_of_band(found: Agreement, part: Region, plane: Plane) -> slice | None:
    """Return the rows of a band of which a region is a part, in one of the images."""
    level = float(counted(plane[part.mask], 2 * BINS).argmax()) * 8 + 4
    count = np.maximum(1, np.count_nonzero(found.valid, axis=1))
    filled: npt.NDArray[np.float64] = np.count_nonzero(found.valid & (np.abs(plane - level) < GROUND), axis=1) / count
    (top, bottom), _ = extent(found.valid)
    _, first, _, height = part.box
    last = first + height
    ground = filled >= LEAST_ROW
    start = first + height // 2
    if not ground[start]:
        start = first + int(filled[first:last].argmax())
        if not ground[start]:
            return None
    end = start
    while start > top and ground[start - 1]:
        start -= 1
    while end < bottom - 1 and ground[end + 1]:
        end += 1
    rows = slice(start, end + 1)
    own = end + 1 - start
    if not LEAST_HEIGHT * (bottom - top) <= own <= MOST_HEIGHT * (bottom - top) or not _is_within(part, rows):
        return None
    mean = float(filled[rows].mean())
    before, after = filled[max(top, start - BEYOND.stop) : max(top, start - BEYOND.start)], filled[end + 1 :][BEYOND]
    after = after[: max(0, bottom - end - 1 - BEYOND.start)]
    if mean < LEAST_GROUND or (not before.size and not after.size):
        return None
    ends = all(mean - float(beyond.mean()) >= LEAST_STEP for beyond in (before, after) if beyond.size)
    return rows if ends else None
