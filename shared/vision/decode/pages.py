"""Files with more than one image: the pages and frames that show something new, side by side on one sheet.

A sheet is described and searched like any image, so that a page or a frame is found as a part of it, and two files that
share only their first page differ.
"""

import contextlib
import io
import itertools
import math
import struct
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pi_heif
from PIL import Image
from tifffile import TiffFile, TiffPage

from shared.domain.errors import PictureRefused
from shared.domain.limits import MAX_CHUNKS
from shared.vision.decode import pillow, tiff
from shared.vision.decode.headers import Header, check_size
from shared.vision.decode.stored import LONGEST_SIDE, Stored
from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels
from shared.vision.resizing import resize_longest, resize_square

MAX_SHOWN: Final = 9
"""Maximum number of pages on a sheet: each is then at least a third as wide as the sheet, and found as a part of it."""
MAX_FRAMES_SHOWN: Final = 4

_MAX_PAGES: Final = 1000
_SAMPLED: Final = 16
"""Frames of an animation that are looked at, evenly spread."""
_FRAME_PIXELS: Final = 30_000_000
"""Pixels of all frames that are decoded at most; each frame of an animation needs those before it."""
_FLAT: Final = 4.0
"""Standard deviation of gray levels below which a frame shows nothing, such as the black one at the start of a fade."""
_NEW: Final = 0.6
"""Correlation with each chosen frame below which a frame shows something new."""
_FADED: Final = 0.9
"""Share of the largest deviation below which a frame may be fading in."""
_SIDE: Final = 32
_GIF_FRAME: Final = b"\0\x2c"
"""The end of what precedes a frame, and its first byte."""
_ANIMATIONS: Final = ("gif", "webp", "png", "avif")
_STOPS: Final = (
    *(OSError, SyntaxError, ValueError, TypeError, LookupError, RuntimeError, ArithmeticError, AttributeError),
    *(EOFError, MemoryError, struct.error, cv2.error, PictureRefused),
)
"""What ends the search for further pages: the first one is shown whatever the others are."""


def count(data: bytes, header: Header) -> int:
    """Return the number of pages, frames or images in the file, `MAX_CHUNKS` at most; 1 if it cannot be told."""
    if header.format == "gif" and data.count(_GIF_FRAME) > MAX_CHUNKS:
        return 1  # counting alone would take seconds
    with contextlib.suppress(*_STOPS):
        if header.format in _ANIMATIONS and (header.format != "webp" or header.animated):
            return min(MAX_CHUNKS, getattr(pillow.open_image(data, header.format), "n_frames", 1))
        if header.format == "tiff":
            with TiffFile(io.BytesIO(data)) as file:
                return max(1, sum(1 for _ in _tiff_pages(file)))
        if header.format == "heic":
            return len(pi_heif.open_heif(io.BytesIO(data)))
    return 1


def further(data: bytes, header: Header, pages: int) -> Iterator[Stored]:
    """Yield pages after the first one, or frames spread over the animation, up to the first that is damaged."""
    with contextlib.suppress(*_STOPS):
        if header.format == "tiff":
            with TiffFile(io.BytesIO(data)) as file:
                for page in itertools.islice(_tiff_pages(file), 1, MAX_SHOWN):
                    yield tiff.decode_page(page, data)
        elif header.format == "heic":
            yield from pillow.further_heics(data, MAX_FRAMES_SHOWN)
        else:
            yield from _frames(pillow.open_image(data, header.format), pages)


def _tiff_pages(file: TiffFile) -> Iterator[TiffPage]:
    pages = (page.aspage() for page in itertools.islice(file.pages, _MAX_PAGES))
    return (page for page in pages if not page.is_reduced)


def _frames(image: Image.Image, pages: int) -> Iterator[Stored]:
    width, height = image.size
    last = min(pages, max(1, _FRAME_PIXELS // (width * height)))
    sampled = {*np.linspace(0, last - 1, min(_SAMPLED, last)).astype(int).tolist()}
    for number in range(1, last):
        image.seek(number)
        check_size(str(image.format).lower(), *image.size)
        if number in sampled:
            yield pillow.frame(image)


def telling(found: Sequence[Pixels], most: int) -> list[Pixels]:
    """Return the images that show something new, in their order; the first of all if none shows anything."""
    small = [_small(rgb) for rgb in found]
    detail = [float(gray.std()) for gray in small]
    shown = [number for number, amount in enumerate(detail) if amount >= _FLAT]
    if not shown:
        return [found[0]]
    # A frame that is fading in is like the one that it becomes, which shows more.
    shown.sort(key=lambda number: (detail[number] < _FADED * max(detail), number))
    chosen: list[int] = []
    for number in shown:
        if len(chosen) < most and all(_correlation(small[number], small[other]) < _NEW for other in chosen):
            chosen.append(number)
    return [found[number] for number in sorted(chosen)]


def _small(rgb: Pixels) -> npt.NDArray[np.float32]:
    return resize_square(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.uint8), _SIDE).astype(np.float32)


def _correlation(a: npt.NDArray[np.float32], b: npt.NDArray[np.float32]) -> float:
    return float(((a - a.mean()) * (b - b.mean())).mean() / (a.std() * b.std()))


def sheet(pages: Sequence[Pixels]) -> tuple[Pixels, tuple[int, int]]:
    """Return the pages side by side on white, and the width and height of the first one on it.

    Each page fills its cell, so that copies of any size have the same sheet.
    """
    if len(pages) == 1:
        return pages[0], (pages[0].shape[1], pages[0].shape[0])
    across = math.ceil(math.sqrt(len(pages)))
    side = LONGEST_SIDE // across
    cells = [resize_longest(page, side) for page in pages]
    width, height = max(cell.shape[1] for cell in cells), max(cell.shape[0] for cell in cells)
    down = -(-len(cells) // across)
    whole = np.full((down * height, across * width, 3), 255, np.uint8)
    for number, cell in enumerate(cells):
        top, left = number // across * height, number % across * width
        whole[top : top + cell.shape[0], left : left + cell.shape[1]] = cell
    return whole, (cells[0].shape[1], cells[0].shape[0])
