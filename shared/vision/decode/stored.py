"""An image as its file stores it, and the way from there to upright sRGB of a limited size.

The image is reduced first and converted afterwards: a strip at a time, so that a large one is never held twice.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from shared.vision.decode.colour import Colour, to_srgb
from shared.vision.decode.decoding import LONGEST_SIDE
from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels, composite_rgb
from shared.vision.resizing import longest_side, resize_longest

_STRIP: Final = 256
"""Rows that are reduced at a time, at least."""

_TURNS: Final[dict[int, Callable[[Pixels], npt.NDArray[np.uint8]]]] = {
    2: lambda p: p[:, ::-1],
    3: lambda p: p[::-1, ::-1],
    4: lambda p: p[::-1],
    5: lambda p: p.transpose(1, 0, 2),
    6: lambda p: p[::-1].transpose(1, 0, 2),
    7: lambda p: p[::-1, ::-1].transpose(1, 0, 2),
    8: lambda p: p[:, ::-1].transpose(1, 0, 2),
}
"""The transform that makes stored pixels upright, by Exif's orientation: Exif 2.32, 4.6.4, tag 274."""


@dataclass(frozen=True, slots=True)
class Stored:
    """An image as its file stores it.

    Attributes:
        pixels: a Pillow image of any mode with 8 bits, or uint8, height x width (gray) or height x width x channels.
        mode: of the colours: `L`, `RGB`, `CMYK` or `LAB`. An array with one channel more has alpha as its last one.
        colour: what the file states of its colours.
        orientation: Exif's, 1 to 8; other values change nothing.
        size: width and height of the whole image as stored, in pixels, if `pixels` has been reduced or cropped.
        premultiplied: whether an array's colours are multiplied by its alpha.
        intact: share of the image's rows that `pixels` has; below 1 if the file is cut off.
        damaged: whether the file is cut off, or lacks its end.
        owner: what must live as long as `pixels` does, because they lie in its memory; what is returned is a copy.
    """

    pixels: Image.Image | Pixels
    mode: str
    colour: Colour = field(default_factory=Colour)
    orientation: int = 1
    size: tuple[int, int] | None = None
    premultiplied: bool = False
    intact: float = 1.0
    damaged: bool = False
    owner: object = None

    @property
    def turned(self) -> bool:
        """Whether the upright image has its sides exchanged."""
        return 5 <= self.orientation <= 8  # noqa: PLR2004


def upright_srgb(stored: Stored) -> Pixels:
    """Return uint8 RGB, height x width x 3, contiguous, upright, reduced, on a ground if it is transparent."""
    pixels, premultiplied = _reduced(stored)
    channels = {"L": 1, "CMYK": 4}.get(stored.mode, 3)
    alpha = None
    if pixels.ndim == 3 and pixels.shape[2] > channels:  # noqa: PLR2004
        pixels, alpha = pixels[:, :, :channels], np.ascontiguousarray(pixels[:, :, channels])
        if premultiplied:
            pixels = _straight(pixels, alpha)
    if channels == 1 and pixels.ndim == 3:  # noqa: PLR2004
        pixels = pixels[:, :, 0]
    rgb = to_srgb(np.ascontiguousarray(pixels), stored.mode, stored.colour)
    if alpha is not None:
        rgb = composite_rgb(rgb, alpha)
    turn = _TURNS.get(stored.orientation)
    return np.ascontiguousarray(rgb if turn is None else turn(rgb))


def _reduced(stored: Stored) -> tuple[Pixels, bool]:
    """Return the pixels with a limited longest side, and whether their colours are multiplied by their alpha."""
    source = stored.pixels
    width, height = source.size if isinstance(source, Image.Image) else source.shape[1::-1]
    longest = longest_side(width, height, LONGEST_SIDE)
    if max(width, height) <= longest:
        whole = _array(source)
        return (whole if stored.owner is None else whole.copy()), stored.premultiplied
    step = max(width, height) // longest
    channels = {"L": 1, "CMYK": 4}.get(stored.mode, 3)
    strips, transparent = [], False
    for strip in _strips(source, -(-_STRIP // step) * step):
        transparent = strip.ndim == 3 and strip.shape[2] > channels  # noqa: PLR2004
        part = _multiplied(strip) if transparent and not stored.premultiplied else strip
        size = (-(-width // step), max(1, round(len(part) / step)))
        strips.append(part if step == 1 else cv2.resize(part, size, interpolation=cv2.INTER_AREA))
    return resize_longest(np.concatenate(strips), longest), transparent


def _strips(source: Image.Image | Pixels, rows: int) -> Iterator[Pixels]:
    if isinstance(source, Image.Image):
        width, height = source.size
        for top in range(0, height, rows):
            yield _array(source.crop((0, top, width, min(top + rows, height))))
    else:
        for top in range(0, len(source), rows):
            yield np.ascontiguousarray(source[top : top + rows])


def _array(source: Image.Image | Pixels) -> Pixels:
    """Return the pixels of a part as gray, RGB or CMYK, with alpha as one channel more."""
    if not isinstance(source, Image.Image):
        return source
    if source.mode in ("L", "LA", "RGB", "RGBA", "CMYK") and "transparency" not in source.info:
        return np.asarray(source)
    transparent = source.has_transparency_data
    if source.mode in ("1", "L", "LA", "La"):
        return np.asarray(source.convert("LA" if transparent else "L"))
    return np.asarray(source.convert("RGBA" if transparent else "RGB"))


def _multiplied(straight: Pixels) -> Pixels:
    alpha = straight[:, :, -1:].astype(np.uint16)
    colours = (straight[:, :, :-1] * alpha + 127) // 255
    return np.concatenate([colours.astype(np.uint8), straight[:, :, -1:]], axis=2)


def _straight(colours: Pixels, alpha: Pixels) -> Pixels:
    whole = np.maximum(alpha, 1).astype(np.uint16)[:, :, None]
    straight: Pixels = np.minimum((colours.astype(np.uint16) * 255 + whole // 2) // whole, 255).astype(np.uint8)
    return straight
