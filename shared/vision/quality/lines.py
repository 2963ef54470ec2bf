"""Sample rows and columns of an image at its full resolution."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

BLOCK: Final = 8
"""Side of a JPEG block; rows and columns are sampled in aligned bands of this many."""
BANDS: Final = 16
"""Bands of rows, and of columns, that are sampled: 128 lines show the spectrum to within 1 dB."""


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of a gray image, uint8, each array n x length; n is a multiple of `BLOCK`.

    Attributes:
        rows: bands of rows, from left to right.
        columns: bands of columns, from top to bottom.
    """

    rows: npt.NDArray[np.uint8]
    columns: npt.NDArray[np.uint8]

    @property
    def both(self) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
        return self.rows, self.columns

    @property
    def longest(self) -> int:
        """The image's longer side in pixels."""
        return max(len(self.rows[0]), len(self.columns[0]))


def sample(gray: npt.NDArray[np.uint8]) -> Lines | None:
    """Return lines of a gray image, height x width; None if a side is shorter than 4 blocks."""
    height, width = gray.shape
    if min(height, width) < 4 * BLOCK:
        return None
    return Lines(gray[_chosen(height)], np.ascontiguousarray(gray[:, _chosen(width)].T))


def line_count(length: int) -> int:
    """Return how many lines are sampled across `length` pixels."""
    return min(BANDS, length // BLOCK - 2) * BLOCK


def _chosen(length: int) -> npt.NDArray[np.intp]:
    """Return the indices of up to `BANDS` aligned bands, spread evenly and without the outermost ones."""
    starts = np.linspace(1, length // BLOCK - 2, line_count(length) // BLOCK).astype(int) * BLOCK
    return (starts[:, None] + np.arange(BLOCK)).ravel()
