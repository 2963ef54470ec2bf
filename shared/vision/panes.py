"""Find the images that a collage was put together from: cut it along its straight seams.

A cut goes all the way through what is left, across or down, as in the recursive X-Y cut of G. Nagy and S. Seth
(Hierarchical Representation of Optically Scanned Documents, ICPR 1984), but where colours change at once along the
whole line and not where there is white.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels
from shared.vision.resizing import shrink_to_fit

LONGEST_SIDE: Final = 512
"""Pixels: seams are looked for in an image that is reduced to it."""
LEAST: Final = 0.18
"""Least side of a pane, as a fraction of the image's: five are the most in a row."""
CUTS: Final = 4
"""Maximum number of cuts after each other: four make sixteen panes."""
MOST_PANES: Final = 9
AROUND, BESIDE = 12, 2
"""Pixels on either side of a line in which other lines are that it must stand out from, and in which they belong to it:
compression and resizing spread a seam."""
STANDS_OUT: Final = 1.2
"""How many times larger the change of colours along a seam is than along any of those lines: the dots of a print are
rows of equal ones."""
ALONG: Final = 0.6
"""Least share of a seam's length where the change is larger than beside it. Of 40 cells of collages of 3 x 3
photographs, 36 are panes, and 3 of the 40 photographs themselves are cut."""
LARGER: Final = 1.3
"""How many times larger it is there, at least."""
TRIED: Final = 3
"""Lines that may be the seam, those of the largest change."""
_NOISE: Final = 2.0
"""Levels that a line on a flat ground must stand out by."""
_MOST_CHANGE: Final = 64
"""Levels at which the change at one pixel is clipped, so that no short part of a line decides."""

Changes = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Pane:
    """A part of an image; all values are fractions of its sides."""

    left: float
    top: float
    width: float
    height: float


def panes(rgb: Pixels) -> list[Pane]:
    """Return the parts of an image between its seams, the largest first, at most `MOST_PANES`; none without seams.

    Args:
        rgb: uint8, height x width x 3.
    """
    small = np.ascontiguousarray(shrink_to_fit(rgb, LONGEST_SIDE))
    height, width = small.shape[:2]
    if min(height, width) < 2 * AROUND:
        return []
    across, down = (_changes(small, axis) for axis in (1, 0))
    least = max(2 * AROUND, round(LEAST * width)), max(2 * AROUND, round(LEAST * height))
    found: list[Pane] = []

    def cut(left: int, top: int, right: int, bottom: int, cuts: int) -> None:
        by_column = _seam(across[top:bottom, left : right - 1], least[0])
        by_row = _seam(down[top : bottom - 1, left:right].T, least[1])
        if cuts == 0 or max(by_column, by_row)[0] < STANDS_OUT:
            found.append(Pane(left / width, top / height, (right - left) / width, (bottom - top) / height))
        elif by_column > by_row:
            cut(left, top, left + by_column[1], bottom, cuts - 1)
            cut(left + by_column[1], top, right, bottom, cuts - 1)
        else:
            cut(left, top, right, top + by_row[1], cuts - 1)
            cut(left, top + by_row[1], right, bottom, cuts - 1)

    cut(0, 0, width, height, CUTS)
    largest_first = sorted(found, key=lambda pane: -pane.width * pane.height)
    return largest_first[:MOST_PANES] if len(found) > 1 else []


def _changes(pixels: Pixels, axis: int) -> Changes:
    """Return the change from each pixel to the next one along an axis, the largest of the channels."""
    before, after = (pixels[:, :-1], pixels[:, 1:]) if axis == 1 else (pixels[:-1], pixels[1:])
    red, green, blue = cv2.split(cv2.absdiff(before, after))
    change: Changes = np.minimum(cv2.max(cv2.max(red, green), blue), _MOST_CHANGE).astype(np.float32)
    return change


def _seam(change: Changes, least: int) -> tuple[float, int]:
    """Return how far the column of the largest change stands out from those around it, and the place after it.

    Args:
        change: from each column to the next one.
        least: columns that must be left on either side.
    """
    if change.shape[1] < 2 * least:
        return 0.0, 0
    over_two = change[:, :-1] + change[:, 1:]
    mean = over_two.mean(axis=0)
    near = sliding_window_view(np.pad(mean, AROUND, mode="reflect"), 2 * AROUND + 1)
    others = np.maximum(near[:, : AROUND - BESIDE].max(axis=1), near[:, AROUND + BESIDE + 1 :].max(axis=1))
    stands_out = (mean / (others + _NOISE))[least : len(mean) - least]
    for place in np.argsort(-stands_out)[:TRIED]:
        line = int(place) + least
        beside = over_two[:, line - AROUND : line + AROUND + 1].mean(axis=1)
        if (over_two[:, line] > LARGER * beside + _NOISE).mean() >= ALONG:
            return float(stands_out[place]), line + 1
    return 0.0, 0
