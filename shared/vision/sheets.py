"""Sheets: the pages or frames of one file side by side, described and searched like one image.

A page is found as a part of its sheet. `locate` returns which one it is.
"""

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from shared.vision.evidence.fine import decode_fine
from shared.vision.keypoints import MIN_INLIERS, Keypoints, detect, match_keypoints
from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels
from shared.vision.resizing import resize_square

SAME_LAYOUT: Final = 0.8
"""Least correlation of gray levels, at 32 x 32 pixels, of a query without common keypoints and the page that it is."""
_SIDE: Final = 32
_PACKED: Final = struct.Struct("<Hf4f")


@dataclass(frozen=True, slots=True)
class Cell:
    """A page or a frame on a sheet.

    Attributes:
        number: of the page or frame in its file, from 1 on.
        seconds: time of a frame in its animation; None for a page.
        left, top, width, height: in fractions of the sheet's sides.
    """

    number: int
    seconds: float | None = None
    left: float = 0.0
    top: float = 0.0
    width: float = 1.0
    height: float = 1.0

    def crop(self, sheet: Pixels) -> Pixels:
        """Return the cell's pixels on a sheet of any size."""
        height, width = sheet.shape[:2]
        top, left = round(self.top * height), round(self.left * width)
        return sheet[top : top + round(self.height * height), left : left + round(self.width * width)]


def pack_cells(cells: Sequence[Cell]) -> bytes:
    """Return the cells as `unpack_cells` reads them, 22 bytes each."""
    return b"".join(
        _PACKED.pack(
            cell.number,
            math.nan if cell.seconds is None else cell.seconds,
            *(cell.left, cell.top, cell.width, cell.height),
        )
        for cell in cells
    )


def unpack_cells(data: bytes) -> tuple[Cell, ...]:
    """Return cells that `pack_cells` packed.

    Raises:
        ValueError: they are not whole, or not on a sheet.
    """
    if len(data) % _PACKED.size:
        raise ValueError("a part of a cell")
    found = []
    for number, seconds, *box in _PACKED.iter_unpack(data):
        if not all(0 <= side <= 1 for side in box):
            raise ValueError("a cell that is not on its sheet")
        found.append(Cell(number, None if math.isnan(seconds) else seconds, *box))
    return tuple(found)


def locate(gray: Pixels, keypoints: Keypoints, fine: bytes, cells: tuple[Cell, ...], *, mirrored: bool) -> Cell | None:
    """Return the page or frame on a sheet that an image shows; None if none is recognised.

    Args:
        gray: the image as a square, uint8.
        keypoints: of the image.
        fine: the sheet, as `evidence.fine` encodes it.
        cells: of the sheet.
        mirrored: whether the sheet shows the mirror image.
    """
    if len(cells) == 1:
        return cells[0]
    agreeing = [len(match_keypoints(keypoints, found).pairs) for found in _keypoints(fine, cells, mirrored)]
    if max(agreeing, default=0) >= MIN_INLIERS:
        return cells[int(np.argmax(agreeing))]
    small = _standard(gray)
    alike = [float((small * _standard(cell)).mean()) for cell in _crops(fine, cells, mirrored)]
    return cells[int(np.argmax(alike))] if max(alike, default=0.0) >= SAME_LAYOUT else None


@lru_cache(maxsize=32)
def _keypoints(fine: bytes, cells: tuple[Cell, ...], mirrored: bool) -> tuple[Keypoints, ...]:
    return tuple(detect(crop) for crop in _crops(fine, cells, mirrored))


def _crops(fine: bytes, cells: tuple[Cell, ...], mirrored: bool) -> list[Pixels]:
    sheet = cv2.cvtColor(decode_fine(fine), cv2.COLOR_BGR2GRAY)
    crops = [cell.crop(sheet.astype(np.uint8, copy=False)) for cell in cells]
    return [np.ascontiguousarray(crop[:, ::-1] if mirrored else crop) for crop in crops]


def _standard(gray: Pixels) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    values = resize_square(gray, _SIDE).astype(np.float32)
    return (values - values.mean()) / (values.std() + np.float32(1e-6))
