"""The decoders: which of them decodes a format, and the way from their result to upright sRGB pixels."""

import io
import struct
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from PIL import Image as PillowImage

from shared.domain.errors import PictureRefused
from shared.domain.formats import RAW_FORMATS, unsupported
from shared.vision.decode import bmp, headers, jpeg, jpeg_xl, pages, pillow, raw, tiff
from shared.vision.decode.capture import read_capture
from shared.vision.decode.decoding import Image, to_image
from shared.vision.decode.headers import Header
from shared.vision.decode.sandbox import DecodedImage
from shared.vision.decode.stored import Stored, upright_srgb
from shared.vision.opencv import cv2
from shared.vision.sheets import stack

_UNDECODABLE: Final = (
    *(OSError, SyntaxError, ValueError, TypeError, LookupError, RuntimeError, ArithmeticError),
    *(struct.error, EOFError, ImportError, AttributeError),
)
"""What the decoders raise for files that they do not understand."""


def decode_in_process(data: bytes) -> Image:
    """Decode in this process, which a hostile file may crash. Raises as `decode_stacked` does."""
    return to_image(decode_stacked(data))


def warm_up() -> None:
    """Decode a tiny JPEG, so that what a decoder does only once is done before processes are forked for images."""
    sample = io.BytesIO()
    PillowImage.new("RGB", (16, 16)).save(sample, "JPEG")
    decode_stacked(sample.getvalue())


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
