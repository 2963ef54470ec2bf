"""Decoding of image files to upright RGB pixels."""

import struct
from dataclasses import dataclass
from typing import Final

import numpy as np

from shared.domain.errors import PictureRefused
from shared.domain.limits import DECODE_WAIT_SECONDS
from shared.vision.decode import avif, bmp, gif, headers, orientation, png, tiff
from shared.vision.decode.headers import Header
from shared.vision.decode.sandbox import Sandbox
from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels, RawPixels, add_key_alpha, composite, to_uint8
from shared.vision.resizing import shrink_to_fit

LONGEST_SIDE: Final = 1024
"""Longest side of the decoded pixels; larger images are reduced to it. Nothing computed from them needs finer detail,
and small parts of a query are searched for at this size (docs/explanation/ranking.md)."""

MIN_REDUCED_SIDE: Final = 960
"""A JPEG is decoded at 1/2, 1/4 or 1/8 scale if its longest side then has at least this many pixels: 4,000 become
1,000."""

HEAVY_PIXELS: Final = 8_000_000
"""Pixels above which an image is heavy: 25 million with 16 bits and alpha take 1.4 s of processor time as a PNG."""

_REDUCED: Final = (
    (8, cv2.IMREAD_REDUCED_GRAYSCALE_8),
    (4, cv2.IMREAD_REDUCED_GRAYSCALE_4),
    (2, cv2.IMREAD_REDUCED_GRAYSCALE_2),
)
"""These flags select the scale alone; `IMREAD_REDUCED_COLOR_8` would select BGR too."""


@dataclass(frozen=True, slots=True)
class Image:
    """A decoded image.

    Attributes:
        rgb: uint8, height x width x 3, contiguous, upright, composited on white, or on black if it is white itself;
            reduced to `LONGEST_SIDE` if the image is larger.
        format: the format that the magic bytes identify.
        width, height: size of the upright image before any reduction, in pixels.
    """

    rgb: Pixels
    format: str
    width: int
    height: int


def decode(data: bytes, *, patience: float | None = DECODE_WAIT_SECONDS) -> Image:
    """Decode the first frame of a JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF, in a sandboxed process.

    Args:
        patience: seconds to wait while other images are decoded; None to wait for as long as it takes.

    Raises:
        PictureRefused: the bytes are not such an image, or the image exceeds a limit.
        DecoderUnavailable: it cannot be decoded now.
    """
    header = headers.check(data)
    decoded = SANDBOX.decode(data, heavy=_is_heavy(header), patience=patience)
    return Image(decoded.rgb, decoded.format, decoded.width, decoded.height)


def _is_heavy(header: Header) -> bool:
    """Return whether decoding takes a large part of a second; large JPEGs are decoded at a reduced scale."""
    pixels = header.width * header.height
    return pixels > (3 * HEAVY_PIXELS if header.format == "jpeg" else HEAVY_PIXELS)


def decode_in_process(data: bytes) -> Image:
    """Decode the first frame in this process, which a hostile image may crash.

    Raises:
        PictureRefused: the bytes are not an image that `decode` supports, or the image exceeds a limit.
        MemoryError: decoding needs more memory than there is.
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


SANDBOX = Sandbox("shared.vision.decode.decoding:decode_in_process")


def _corrupt(kind: str) -> PictureRefused:
    return PictureRefused("corrupt", f"The {kind.upper()} file cannot be decoded.")


class _Undecodable(Exception):  # noqa: N818
    """OpenCV returned nothing, or pixels in an unexpected layout."""


def _imdecode(data: bytes, flags: int) -> RawPixels:
    stored: RawPixels | None = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), flags)
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
    """Return the pixels, at a reduced scale if possible, and the full height and width of the upright image."""
    for scale, reduced in _REDUCED:
        if max(header.width, header.height) // scale < MIN_REDUCED_SIDE:
            continue
        rgb = _imdecode(data, cv2.IMREAD_COLOR_RGB | reduced)
        for whole in ((header.height, header.width), (header.width, header.height)):
            if rgb.shape[:2] == tuple(-(-side // scale) for side in whole):
                return rgb, whole
        break  # the decoded frame is not the largest one
    rgb = _imdecode(data, cv2.IMREAD_COLOR_RGB)
    return rgb, (rgb.shape[0], rgb.shape[1])


def _with_alpha(data: bytes) -> Pixels:
    return composite(to_uint8(_imdecode(data, cv2.IMREAD_UNCHANGED)))


def _png(data: bytes) -> Pixels:
    stored = _imdecode(png.without_animation(data), cv2.IMREAD_UNCHANGED)
    key = png.transparent_gray(data)
    if key is not None and stored.ndim == 2:  # noqa: PLR2004 - OpenCV did not apply the key
        stored = add_key_alpha(stored, key)
    return orientation.upright(composite(to_uint8(stored)), orientation.from_png(data))


def _bmp(data: bytes) -> Pixels:
    pixels = bmp.decode_bit_fields(data)
    return _imdecode(data, cv2.IMREAD_COLOR_RGB) if pixels is None else composite(pixels)


def _gif(data: bytes) -> Pixels:
    return _with_alpha(gif.first_frame(data))


def _webp(data: bytes) -> Pixels:
    return orientation.upright(_with_alpha(data), orientation.from_webp(data))


def _avif(data: bytes) -> Pixels:
    properties = avif.read_properties(data)
    stored = _imdecode(data, cv2.IMREAD_UNCHANGED)
    # A file that does not state its depth: 10 bits is by far the most common depth above 8.
    depth = max(properties.depth, 10)
    return properties.upright(composite(to_uint8(stored, depth)))


def _tiff(data: bytes) -> Pixels:
    """Decode a TIFF, which OpenCV already returns upright.

    Planar TIFFs are decoded to 8-bit colour only: at 16 bits, OpenCV returns uninitialised memory for them.
    """
    tags = tiff.read_tags(data)
    chunky = tags.get(tiff.PLANAR_CONFIGURATION, tiff.CHUNKY) == tiff.CHUNKY
    bits = tags.get(tiff.BITS_PER_SAMPLE)
    extra = tags.get(tiff.EXTRA_SAMPLES)
    transparent = tags.get(tiff.PHOTOMETRIC) == tiff.RGB and tags.get(tiff.SAMPLES_PER_PIXEL) == 4  # noqa: PLR2004
    if chunky and transparent and extra in (tiff.ASSOCIATED_ALPHA, tiff.UNASSOCIATED_ALPHA) and bits in (8, 16):
        stored = _imdecode(data, cv2.IMREAD_UNCHANGED)
        # libtiff premultiplies 8-bit colours by their alpha but returns 16-bit colours as they are stored.
        premultiplied = bits == 8 or extra == tiff.ASSOCIATED_ALPHA  # noqa: PLR2004
        return composite(to_uint8(stored), premultiplied=premultiplied)
    if chunky and bits == 16:  # noqa: PLR2004 - if no value exceeds 255, decoding to 8 bits would yield black
        return composite(to_uint8(_imdecode(data, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)))
    return _imdecode(data, cv2.IMREAD_COLOR_RGB)


_DECODERS = {
    "png": _png,
    "webp": _webp,
    "gif": _gif,
    "bmp": _bmp,
    "tiff": _tiff,
    "avif": _avif,
}
