"""What an image's first bytes claim, read before any decoder sees them."""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from shared.domain.errors import PictureRefused
from shared.domain.formats import sniff
from shared.domain.limits import MAX_CHUNKS, MAX_JPEG_SCANS, MAX_PIXELS, MAX_SIDE
from shared.vision.decode import gif, png, tiff

_JPEG_MARKER: Final = re.compile(rb"\xff([^\x00\x01\xff\xd0-\xd8])")
"""A marker that heads a segment, or the end of the image: not a stuffed byte, a fill byte or a restart."""
_JPEG_END: Final = 0xD9
_JPEG_SCAN: Final = 0xDA
_JPEG_FRAMES: Final = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}


@dataclass(frozen=True, slots=True)
class Header:
    """What a header claims. Width and height are in pixels as stored; 0 where the header does not say."""

    format: str
    width: int
    height: int


def check(data: bytes) -> Header:
    """Read the header and refuse what would be costly or impossible to decode.

    Raises:
        PictureRefused: `empty`, `unsupported_type`, `corrupt`, `too_many_pixels` or `too_complex`.
    """
    kind = sniff(data)
    reader = {
        "jpeg": _jpeg,
        "png": _png,
        "webp": _webp,
        "gif": gif.size,
        "bmp": _bmp,
        "tiff": _tiff,
        "avif": _avif,
    }[kind]
    try:
        width, height = reader(data)
    except (struct.error, IndexError) as error:
        raise PictureRefused("corrupt", f"The {kind.upper()} file ends inside its header.") from error
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise PictureRefused(
            "too_many_pixels",
            f"The image claims {width} x {height} pixels; at most {MAX_PIXELS:,} pixels "
            f"and {MAX_SIDE:,} a side are decoded.",
        )
    return Header(kind, width, height)


def _counted(what: str) -> Iterator[int]:
    """Numbers to walk by; refuses a file with more than `MAX_CHUNKS` of its parts."""
    yield from range(MAX_CHUNKS + 1)
    raise PictureRefused("too_complex", f"The file has more than {MAX_CHUNKS:,} {what}.")


def _jpeg(data: bytes) -> tuple[int, int]:
    """The largest frame that any SOF marker claims; counts the scans on the way."""
    width = height = scans = 0
    at = 2
    for _ in _counted("JPEG segments"):
        found = _JPEG_MARKER.search(data, at)
        if not found:
            break
        marker, at = found[1][0], found.end()
        if marker == _JPEG_END or at + 2 > len(data):
            break
        if marker in _JPEG_FRAMES and at + 7 <= len(data):
            frame_height, frame_width = struct.unpack_from(">HH", data, at + 3)
            width, height = max(width, frame_width), max(height, frame_height)
        elif marker == _JPEG_SCAN:
            scans += 1
            if scans > MAX_JPEG_SCANS:
                raise PictureRefused("too_complex", f"The JPEG has more than {MAX_JPEG_SCANS} scans.")
        at += max(int.from_bytes(data[at : at + 2], "big"), 2)
    return width, height


def _png(data: bytes) -> tuple[int, int]:
    """IHDR's size; every chunk must end inside the file, or decoders allocate what its length claims."""
    if data[12:16] != b"IHDR":
        raise PictureRefused("corrupt", "The PNG does not begin with its header chunk.")
    for (_, at, length), _ in zip(png.chunks(data), _counted("PNG chunks"), strict=False):
        if length > len(data) - at:
            raise PictureRefused("corrupt", f"A PNG chunk claims {length:,} bytes, more than the file has left.")
    width, height = struct.unpack_from(">II", data, 16)
    return width, height


def _webp(data: bytes) -> tuple[int, int]:
    """Canvas of VP8X, or of the single VP8 or VP8L frame; the larger where a frame claims more than the canvas."""
    if data[12:16] not in {b"VP8X", b"VP8L", b"VP8 "}:
        # libwebp would take what follows for a bare frame, of any size.
        raise PictureRefused("corrupt", "The WebP file begins with none of its own chunks.")
    width = height = 0
    at = 12
    for _ in _counted("WebP chunks"):
        if at + 8 > len(data):
            break
        name, size = struct.unpack_from("<4sI", data, at)
        body = at + 8
        if name == b"VP8X":
            w, h = (
                1 + int.from_bytes(data[body + 4 : body + 7], "little"),
                1 + int.from_bytes(data[body + 7 : body + 10], "little"),
            )
        elif name == b"VP8L":
            bits = struct.unpack_from("<I", data, body + 1)[0]
            w, h = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        elif name == b"VP8 ":
            w, h = (side & 0x3FFF for side in struct.unpack_from("<HH", data, body + 6))
        elif name == b"ANMF":
            w, h = (
                1 + int.from_bytes(data[body + 6 : body + 9], "little"),
                1 + int.from_bytes(data[body + 9 : body + 12], "little"),
            )
        else:
            w = h = 0
        width, height = max(width, w), max(height, h)
        at = body + size + (size & 1)
    return width, height


def _bmp(data: bytes) -> tuple[int, int]:
    header_size = struct.unpack_from("<I", data, 14)[0]
    if header_size == 12:  # noqa: PLR2004 - BITMAPCOREHEADER
        width, height = struct.unpack_from("<HH", data, 18)
    else:
        width, height = struct.unpack_from("<ii", data, 18)
    return abs(width), abs(height)


def _tiff(data: bytes) -> tuple[int, int]:
    tags = tiff.first_values(data)
    if tags.get(tiff.SAMPLE_FORMAT) == tiff.FLOATING or tags.get(tiff.BITS_PER_SAMPLE) in (24, 32, 64):
        raise PictureRefused("corrupt", "The TIFF has floating-point samples, or such of more than 16 bits.")
    return tags.get(tiff.WIDTH, 0), tags.get(tiff.HEIGHT, 0)


def _avif(data: bytes) -> tuple[int, int]:
    """The largest `ispe` property: image spatial extents, ISO/IEC 23008-12, 6.5.3."""
    width = height = 0
    at = data.find(b"ispe")
    for _ in _counted("AVIF size properties"):
        if at < 0:
            break
        w, h = struct.unpack_from(">II", data, at + 8)
        width, height = max(width, w), max(height, h)
        at = data.find(b"ispe", at + 4)
    return width, height
