"""Checks of what a file's header claims, made before any decoder reads the file."""

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
"""A marker that begins a segment or ends the image, as opposed to a stuffed byte, a fill byte or a restart marker."""
_JPEG_END: Final = 0xD9
_JPEG_SCAN: Final = 0xDA
_JPEG_FRAMES: Final = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}


@dataclass(frozen=True, slots=True)
class Header:
    """What a header claims. Width and height are in pixels as stored; 0 if the header does not state them."""

    format: str
    width: int
    height: int


def check(data: bytes) -> Header:
    """Read the header, and refuse files that would be expensive or impossible to decode.

    Raises:
        PictureRefused: `empty`, `unsupported_type`, `corrupt`, `too_many_pixels` or `too_complex`.
    """
    kind = sniff(data)
    reader = {
        "jpeg": _jpeg,
        "png": _png,
        "webp": _webp,
        "gif": gif.canvas_size,
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


def _count_up_to_limit(parts: str) -> Iterator[int]:
    """Yield a number for each part of the file; refuse the file after `MAX_CHUNKS` of them."""
    yield from range(MAX_CHUNKS + 1)
    raise PictureRefused("too_complex", f"The file has more than {MAX_CHUNKS:,} {parts}.")


def _jpeg(data: bytes) -> tuple[int, int]:
    """Return the size of the largest frame that any SOF marker claims; refuse a JPEG with too many scans."""
    width = height = scans = 0
    at = 2
    for _ in _count_up_to_limit("JPEG segments"):
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
    """Return IHDR's size; refuse chunks that exceed the file, because decoders allocate what their length claims."""
    if data[12:16] != b"IHDR":
        raise PictureRefused("corrupt", "The PNG does not begin with its header chunk.")
    for (_, at, length), _ in zip(png.chunks(data), _count_up_to_limit("PNG chunks"), strict=False):
        if length > len(data) - at:
            raise PictureRefused("corrupt", f"A PNG chunk claims {length:,} bytes, more than the file has left.")
    width, height = struct.unpack_from(">II", data, 16)
    return width, height


def _webp(data: bytes) -> tuple[int, int]:
    """Return the size of VP8X's canvas, or of the VP8 or VP8L frame; the larger if a frame exceeds the canvas."""
    if data[12:16] not in {b"VP8X", b"VP8L", b"VP8 "}:
        # libwebp would read what follows as a bare frame, of any size.
        raise PictureRefused("corrupt", "The WebP file does not begin with a VP8X, VP8L or VP8 chunk.")
    width = height = 0
    at = 12
    for _ in _count_up_to_limit("WebP chunks"):
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
    tags = tiff.read_tags(data)
    if tags.get(tiff.SAMPLE_FORMAT) == tiff.FLOATING or tags.get(tiff.BITS_PER_SAMPLE) in (24, 32, 64):
        raise PictureRefused("corrupt", "The TIFF has floating-point samples, or samples of more than 16 bits.")
    return tags.get(tiff.WIDTH, 0), tags.get(tiff.HEIGHT, 0)


def _avif(data: bytes) -> tuple[int, int]:
    """Return the size in the largest `ispe` property (image spatial extents, ISO/IEC 23008-12, 6.5.3)."""
    width = height = 0
    at = data.find(b"ispe")
    for _ in _count_up_to_limit("AVIF size properties"):
        if at < 0:
            break
        w, h = struct.unpack_from(">II", data, at + 8)
        width, height = max(width, w), max(height, h)
        at = data.find(b"ispe", at + 4)
    return width, height
