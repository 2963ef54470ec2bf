"""Decoding of image files to upright sRGB pixels."""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from PIL import Image as PillowImage

from shared.domain.capture import NOTHING, Capture
from shared.domain.errors import PictureRefused
from shared.domain.formats import RAW_FORMATS, unsupported
from shared.domain.limits import DECODE_WAIT_SECONDS
from shared.vision.decode import bmp, headers, jpeg, jpeg_xl, pages, pillow, raw, tiff
from shared.vision.decode.capture import read_capture
from shared.vision.decode.headers import Header
from shared.vision.decode.sandbox import DecodedImage, Sandbox
from shared.vision.decode.stored import LONGEST_SIDE, Stored, upright_srgb
from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels
from shared.vision.sheets import Page, sheet, stack, unstack

__all__ = ["LONGEST_SIDE", "SANDBOX", "Image", "decode", "decode_in_process"]

HEAVY_PIXELS: Final = 8_000_000
"""Pixels above which an image is heavy: 25 million with 16 bits and alpha take 1.4 s of processor time as a PNG."""


@dataclass(frozen=True, slots=True)
class Image:
    """A decoded image.

    Attributes:
        rgb: uint8, height x width x 3, contiguous, upright sRGB, composited on white, or on black if it is white
            itself; reduced if the image is larger than `LONGEST_SIDE` (`resizing.longest_side`). Of a file with several
            images, the sheet of `shown`.
        format: the format that the bytes identify.
        width, height: size of the upright image before any reduction, in pixels; of a camera RAW file, the sensor's.
        damaged: whether the file is cut off, or lacks its end.
        intact: share of the image that is there, from its first row on; `rgb` has only these rows.
        pages: number of pages, frames or images in the file.
        shown: those of a file's several pages or frames that show something new.
        capture: when, by what and where it was taken.
    """

    rgb: Pixels
    format: str
    width: int
    height: int
    damaged: bool = False
    intact: float = 1.0
    pages: int = 1
    shown: tuple[Page, ...] = ()
    capture: Capture = NOTHING

    @property
    def cover(self) -> Pixels:
        """The first of the pages, or the whole image: what thumbnails show."""
        return self.shown[0].rgb if self.shown else self.rgb


def decode(data: bytes, *, patience: float | None = DECODE_WAIT_SECONDS) -> Image:
    """Decode the first image of a file in a supported format, in a sandboxed process.

    Args:
        patience: seconds to wait while other images are decoded; None to wait for as long as it takes.

    Raises:
        PictureRefused: the bytes are not such an image, or the image exceeds a limit.
        DecoderUnavailable: it cannot be decoded now.
    """
    header = headers.check(data)
    return _image(SANDBOX.decode(data, heavy=_is_heavy(header), patience=patience))


def _image(decoded: DecodedImage) -> Image:
    shown = unstack(decoded.rgb, decoded.stacked) if decoded.stacked else ()
    return Image(
        sheet(shown) if shown else decoded.rgb,
        decoded.format,
        decoded.width,
        decoded.height,
        decoded.damaged,
        decoded.intact,
        decoded.pages,
        shown,
        Capture(*decoded.capture),
    )


def _is_heavy(header: Header) -> bool:
    """Return whether decoding takes a large part of a second; large JPEGs are decoded at a reduced scale."""
    pixels = header.width * header.height
    return pixels > (3 * HEAVY_PIXELS if header.format == "jpeg" else HEAVY_PIXELS)


def decode_in_process(data: bytes) -> Image:
    """Decode in this process, which a hostile file may crash. Raises as `decode_stacked` does."""
    return _image(decode_stacked(data))


def decode_stacked(data: bytes) -> DecodedImage:
    """Decode an image, or the pages of a file that show something new into one array.

    Raises:
        PictureRefused: the bytes are not an image that `decode` supports, or the image exceeds a limit.
        MemoryError: decoding needs more memory than there is.
    """
    header = headers.check(data)
    try:
        stored = _DECODERS[header.format](data, header)
        rgb = upright_srgb(stored)
    except cv2.error as error:
        if error.code == cv2.Error.StsNoMem:
            raise MemoryError from error
        raise _undecodable(header) from error
    except _UNDECODABLE as error:
        raise _undecodable(header) from error
    width, height = _size(stored)
    if stored.turned:
        width, height = height, width
    found = pages.count(data, header)
    stacked: list[tuple[int, float | None, int, int]] = []
    if found > 1:
        rgb, stacked = stack(pages.shown_pages(rgb, data, header, found))
    capture = read_capture(data, header)
    return DecodedImage(header.format, rgb, width, height, stored.damaged, stored.intact, found, stacked, capture)


SANDBOX = Sandbox("shared.vision.decode.decoding:decode_stacked")

_UNDECODABLE: Final = (
    *(OSError, SyntaxError, ValueError, TypeError, LookupError, RuntimeError, ArithmeticError),
    *(struct.error, EOFError, ImportError, AttributeError),
)
"""What the decoders raise for files that they do not understand."""


def _undecodable(header: Header) -> PictureRefused:
    if header.unusual:
        return unsupported(header.unusual)
    kind = header.format.upper()
    return PictureRefused("corrupt", f"The {kind} file cannot be decoded: it is damaged or incomplete.")


def _size(stored: Stored) -> tuple[int, int]:
    if stored.size is not None:
        return stored.size
    if isinstance(stored.pixels, PillowImage.Image):
        return stored.pixels.size
    return stored.pixels.shape[1], stored.pixels.shape[0]


def _bmp(data: bytes, header: Header) -> Stored:
    """Decode with OpenCV, or with Pillow what it refuses, such as run-length encoded rows that are too long."""
    pixels: Any = bmp.decode_bit_fields(data)
    if pixels is None:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    return pillow.decode(data, header) if pixels is None else Stored(pixels, "RGB")


_DECODERS: Final[dict[str, Callable[[bytes, Header], Stored]]] = {
    "jpeg": jpeg.decode,
    "png": pillow.decode,
    "webp": pillow.decode_webp,
    "gif": pillow.decode,
    "bmp": _bmp,
    "tiff": tiff.decode,
    "avif": pillow.decode,
    "heic": pillow.decode_heic,
    "jxl": jpeg_xl.decode,
    **dict.fromkeys(RAW_FORMATS, raw.decode),
}
