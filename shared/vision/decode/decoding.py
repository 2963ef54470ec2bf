"""Bytes to upright RGB pixels."""

import struct
from dataclasses import dataclass
from typing import Final

import numpy as np

from shared.domain.errors import PictureRefused
from shared.vision.decode import avif, bmp, gif, headers, orientation, png, tiff
from shared.vision.decode.headers import Header
from shared.vision.decode.sandbox import Sandbox
from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels, Stored, eight_bits, rgb_over_white, with_key
from shared.vision.resizing import shrink_to_fit

LONGEST_SIDE: Final = 1024
"""Of the pixels that are given, whatever size the image has: nothing that is computed needs finer ones, and a query's
small parts are looked for at this size (docs/explanation/ranking.md)."""

LEAST_REDUCED: Final = 960
"""A JPEG is decoded at 1/2, 1/4 or 1/8 of its size where that leaves this longest side: 4,000 pixels become 1,000."""

_REDUCED: Final = (
    (8, cv2.IMREAD_REDUCED_GRAYSCALE_8),
    (4, cv2.IMREAD_REDUCED_GRAYSCALE_4),
    (2, cv2.IMREAD_REDUCED_GRAYSCALE_2),
)
"""These flags say the scale alone; `IMREAD_REDUCED_COLOR_8` would ask for BGR too."""


@dataclass(frozen=True, slots=True)
class Image:
    """A decoded image.

    Attributes:
        rgb: uint8, rows x columns x 3, contiguous, upright, transparency over white; reduced to `LONGEST_SIDE` where
            the image is larger.
        format: as the magic bytes name it.
        width, height: of the upright image itself, in pixels.
    """

    rgb: Pixels
    format: str
    width: int
    height: int


def decode(data: bytes) -> Image:
    """Decode the first frame of a JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF, in a process that may die of it.

    Raises:
        PictureRefused: the bytes are no such image, or one beyond the limits.
    """
    headers.check(data)
    done = SANDBOX.decode(data)
    return Image(done.rgb, done.format, done.width, done.height)


def decode_here(data: bytes) -> Image:
    """The same in this process, which a hostile image may end.

    Raises:
        PictureRefused: the bytes are no such image, or one beyond the limits.
        MemoryError: there is not enough.
    """
    header = headers.check(data)
    kind = header.format
    try:
        if kind == "jpeg":
            rgb, (height, width) = _jpeg(data, header)
        else:
            rgb = _DECODERS[kind](data)
            height, width = rgb.shape[:2]
    except cv2.error as error:
        if error.code == cv2.Error.StsNoMem:
            raise MemoryError from error
        raise _corrupt(kind) from error
    except (struct.error, IndexError, _Undecodable) as error:
        raise _corrupt(kind) from error
    return Image(np.ascontiguousarray(shrink_to_fit(rgb, LONGEST_SIDE)), kind, width, height)


SANDBOX = Sandbox("shared.vision.decode.decoding:decode_here")


def _corrupt(kind: str) -> PictureRefused:
    return PictureRefused("corrupt", f"The {kind.upper()} file cannot be decoded.")


class _Undecodable(Exception):  # noqa: N818
    """OpenCV gave nothing, or a layout that no image has."""


def _imdecode(data: bytes, flags: int) -> Stored:
    stored: Stored | None = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), flags)
    if stored is None or stored.size == 0:
        raise _Undecodable
    if stored.ndim == 3 and stored.shape[2] == 1:  # noqa: PLR2004
        stored = stored[:, :, 0]
    if stored.dtype == np.int16:
        stored = np.maximum(stored, 0).astype(np.uint16)
    if stored.dtype not in (np.uint8, np.uint16) or (stored.ndim, *stored.shape[2:]) not in ((2,), (3, 3), (3, 4)):
        raise _Undecodable
    return stored


def _jpeg(data: bytes, header: Header) -> tuple[Pixels, tuple[int, int]]:
    """Pixels, perhaps reduced, and the height and width of the whole upright image."""
    for scale, reduced in _REDUCED:
        if max(header.width, header.height) // scale < LEAST_REDUCED:
            continue
        rgb = _imdecode(data, cv2.IMREAD_COLOR_RGB | reduced)
        for whole in ((header.height, header.width), (header.width, header.height)):
            if rgb.shape[:2] == tuple(-(-side // scale) for side in whole):
                return rgb, whole
        break  # another of its frames was decoded than the largest
    rgb = _imdecode(data, cv2.IMREAD_COLOR_RGB)
    return rgb, (rgb.shape[0], rgb.shape[1])


def _with_alpha(data: bytes) -> Pixels:
    return rgb_over_white(eight_bits(_imdecode(data, cv2.IMREAD_UNCHANGED)))


def _png(data: bytes) -> Pixels:
    stored = _imdecode(png.still(data), cv2.IMREAD_UNCHANGED)
    key = png.transparent_gray(data)
    if key is not None and stored.ndim == 2:  # noqa: PLR2004 - OpenCV has not seen the key
        stored = with_key(stored, key)
    return orientation.upright(rgb_over_white(eight_bits(stored)), orientation.of_png(data))


def _bmp(data: bytes) -> Pixels:
    fields = bmp.bit_fields(data)
    return _imdecode(data, cv2.IMREAD_COLOR_RGB) if fields is None else rgb_over_white(fields)


def _gif(data: bytes) -> Pixels:
    return _with_alpha(gif.first_frame(data))


def _webp(data: bytes) -> Pixels:
    return orientation.upright(_with_alpha(data), orientation.of_webp(data))


def _avif(data: bytes) -> Pixels:
    properties = avif.properties(data)
    stored = _imdecode(data, cv2.IMREAD_UNCHANGED)
    # The depth of a file that does not say: 10 bits are by far the most common beyond 8.
    depth = max(properties.depth, 10)
    return properties.upright(rgb_over_white(eight_bits(stored, depth)))


def _tiff(data: bytes) -> Pixels:
    """OpenCV turns TIFFs upright itself.

    Planar ones are only ever decoded to 8-bit colour: deeper, OpenCV gives uninitialised memory for them.
    """
    tags = tiff.first_values(data)
    chunky = tags.get(tiff.PLANAR_CONFIGURATION, tiff.CHUNKY) == tiff.CHUNKY
    bits = tags.get(tiff.BITS_PER_SAMPLE)
    extra = tags.get(tiff.EXTRA_SAMPLES)
    transparent = tags.get(tiff.PHOTOMETRIC) == tiff.RGB and tags.get(tiff.SAMPLES_PER_PIXEL) == 4  # noqa: PLR2004
    if chunky and transparent and extra in (tiff.ASSOCIATED_ALPHA, tiff.UNASSOCIATED_ALPHA) and bits in (8, 16):
        stored = _imdecode(data, cv2.IMREAD_UNCHANGED)
        # libtiff multiplies 8-bit colours with their alpha; 16-bit ones come as they are stored.
        premultiplied = bits == 8 or extra == tiff.ASSOCIATED_ALPHA  # noqa: PLR2004
        return rgb_over_white(eight_bits(stored), premultiplied=premultiplied)
    if chunky and bits == 16:  # noqa: PLR2004 - 8-bit colour of values up to 255 would be black
        return rgb_over_white(eight_bits(_imdecode(data, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)))
    return _imdecode(data, cv2.IMREAD_COLOR_RGB)


_DECODERS = {
    "png": _png,
    "webp": _webp,
    "gif": _gif,
    "bmp": _bmp,
    "tiff": _tiff,
    "avif": _avif,
}
