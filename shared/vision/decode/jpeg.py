"""JPEG, at a reduced scale where possible: its header by Pillow, its pixels by OpenCV, or by Pillow what that refuses.

The two return the same pixels; OpenCV copies them less often, Pillow reads CMYK and files that are cut off.

A JPEG that is cut off, or has a hole, is decoded as far as it goes. libjpeg fills the rest with gray.
"""

import contextlib
from typing import Any, Final

import numpy as np
from PIL import Image, JpegImagePlugin, MpoImagePlugin

from shared.vision.decode.colour import Colour
from shared.vision.decode.decoding import LONGEST_SIDE
from shared.vision.decode.headers import Header
from shared.vision.decode.jpeg_holes import END, MORE, before_hole, is_certain, is_hole
from shared.vision.decode.pillow import open_image, orientation_of
from shared.vision.decode.stored import Stored
from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels
from shared.vision.resizing import longest_side

PLUGINS: Final = (JpegImagePlugin, MpoImagePlugin)

MIN_REDUCED_SIDE: Final = 960
"""A JPEG is decoded at 1/2, 1/4 or 1/8 scale if its longest side then has at least this many pixels: 4,000 become
1,000. Of a long image, which keeps more pixels than `LONGEST_SIDE`, in proportion."""

_SCALES: Final = {
    8: cv2.IMREAD_REDUCED_GRAYSCALE_8,
    4: cv2.IMREAD_REDUCED_GRAYSCALE_4,
    2: cv2.IMREAD_REDUCED_GRAYSCALE_2,
    1: 0,
}
"""OpenCV's flags by the scale. They select the scale alone; `IMREAD_REDUCED_COLOR_8` would select BGR too."""

_GRAYS: Final = (127, 128)
_BLOCK: Final = 8


def decode(data: bytes, header: Header) -> Stored:
    """Decode a JPEG, or what there is of it.

    Raises:
        OSError, SyntaxError, ValueError: it cannot be decoded.
        PictureRefused: the image has too many pixels.
    """
    scale = _scale(header.width, header.height)
    certain = is_certain(data, header)
    end = None if certain else header.end
    whole = before_hole(data, header) if certain else data if end is not None else data + END
    image = open_image(whole, "jpeg")
    size, info = image.size, image.info
    pixels, mode = _load(whole, image, scale)
    if end is not None and is_hole(data, header, pixels, lambda part: _pixels(part, scale)):
        end, whole = None, before_hole(data, header)
        pixels, mode = _load(whole, open_image(whole, "jpeg"), scale)
    rows = len(pixels)
    if _is_filled(pixels, scale) and (end is None or _is_incomplete(data, end, scale, pixels)):
        rows = _intact_rows(pixels, scale)
        if rows == 0:
            raise ValueError("nothing of the image is there")
    damaged = end is None or rows < len(pixels)
    profile = info.get("icc_profile") or None
    return Stored(
        pixels[:rows],
        mode,
        Colour(profile),
        orientation_of(info.get("exif")),
        size,
        intact=rows / len(pixels),
        damaged=damaged,
    )


def _scale(width: int, height: int) -> int:
    least = MIN_REDUCED_SIDE * longest_side(width, height, LONGEST_SIDE) / LONGEST_SIDE
    return next(scale for scale in _SCALES if scale == 1 or max(width, height) // scale >= least)


def _load(data: bytes, image: Image.Image, scale: int) -> tuple[Pixels, str]:
    """Return the pixels as they are stored, not upright, and their mode."""
    width, height = image.size
    if image.mode == "RGB":
        flags = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION | _SCALES[scale]
        with contextlib.suppress(cv2.error):
            found: Any = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
            if found is not None and found.shape[:2] == (-(-height // scale), -(-width // scale)):
                return found, "RGB"
    if scale > 1:
        image.draft(image.mode, (max(1, width // scale), max(1, height // scale)))
    mode = image.mode if image.mode in ("L", "CMYK") else "RGB"
    return np.asarray(image if image.mode == mode else image.convert(mode)), mode


def _is_filled(pixels: Pixels, scale: int) -> bool:
    """Whether the last block, in the lower right corner, is the gray that libjpeg fills in."""
    block = max(1, _BLOCK // scale)
    return bool(np.isin(pixels[-block:, -block:], _GRAYS).all())


def _intact_rows(pixels: Pixels, scale: int) -> int:
    """Return the number of rows above the first one whose right end is gray from there to the bottom."""
    block = max(1, _BLOCK // scale)
    gray = np.isin(pixels[:, -block:].reshape(len(pixels), -1), _GRAYS).all(axis=1)
    shown = np.flatnonzero(~gray)
    return int(shown[-1]) + 1 if len(shown) else 0


def _is_incomplete(data: bytes, end: int, scale: int, pixels: Pixels) -> bool:
    """Whether more entropy-coded bytes before the end marker would become pixels: then some are missing."""
    longer = _pixels(data[:end] + MORE + data[end:], scale)
    return longer is None or not np.array_equal(longer, pixels)


def _pixels(data: bytes, scale: int) -> Pixels | None:
    """Return the pixels as they are stored; None if they cannot be decoded."""
    try:
        return _load(data, open_image(data, "jpeg"), scale)[0]
    except (OSError, SyntaxError, ValueError):
        return None
