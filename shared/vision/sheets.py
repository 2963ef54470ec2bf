"""The pages or frames of one file: each an image of its own, and all of them side by side on one sheet."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from shared.vision.pixels import Pixels
from shared.vision.resizing import resize_longest

SHEET_SIDE: Final = 1024
"""Longest side of a row, and of a column, of pages on a sheet: what an image is reduced to when it is decoded."""


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """A page, or a frame of an animation.

    Attributes:
        rgb: uint8, height x width x 3, upright sRGB.
        number: of the page or frame in its file, from 1 on.
        seconds: when the frame is shown, from the animation's start; None for a page.
    """

    rgb: Pixels
    number: int
    seconds: float | None = None


def sheet(pages: Sequence[Page]) -> Pixels:
    """Return the pages side by side on white; a single one as it is.

    Each page fills its cell, so that copies of any size have the same sheet.
    """
    if len(pages) == 1:
        return pages[0].rgb
    across = math.ceil(math.sqrt(len(pages)))
    cells = [resize_longest(page.rgb, SHEET_SIDE // across) for page in pages]
    width, height = max(cell.shape[1] for cell in cells), max(cell.shape[0] for cell in cells)
    whole = np.full((-(-len(cells) // across) * height, across * width, 3), 255, np.uint8)
    for place, cell in enumerate(cells):
        top, left = place // across * height, place % across * width
        whole[top : top + cell.shape[0], left : left + cell.shape[1]] = cell
    return whole


def stack(pages: Sequence[Page]) -> tuple[Pixels, list[tuple[int, float | None, int, int]]]:
    """Return the pages one below the other in one array, and number, seconds, height and width of each."""
    listed = [(page.number, page.seconds, *page.rgb.shape[:2]) for page in pages]
    width = max(page.rgb.shape[1] for page in pages)
    stacked = np.zeros((sum(len(page.rgb) for page in pages), width, 3), np.uint8)
    top = 0
    for page in pages:
        stacked[top : top + len(page.rgb), : page.rgb.shape[1]] = page.rgb
        top += len(page.rgb)
    return stacked, listed


def unstack(stacked: Pixels, listed: Sequence[Sequence[int | float | None]]) -> tuple[Page, ...]:
    """Return the pages that `stack` has put into one array."""
    pages, top = [], 0
    for number, seconds, height, width in listed:
        assert isinstance(number, int) and isinstance(height, int) and isinstance(width, int)  # noqa: S101, PT018
        pages.append(Page(np.ascontiguousarray(stacked[top : top + height, :width]), number, seconds))
        top += height
    return tuple(pages)
