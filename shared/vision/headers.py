"""What a picture's first bytes claim, read before any decoder sees them."""

import struct
from dataclasses import dataclass
from typing import Final

from shared.domain.errors import PictureRefused
from shared.domain.limits import MAX_JPEG_SCANS, MAX_PIXELS, MAX_SIDE

_AVIF_BRANDS: Final = {b"avif", b"avis"}
_JPEG_WITHOUT_LENGTH: Final = {0x01, *range(0xD0, 0xD9)}
_JPEG_FRAMES: Final = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_TIFF_TYPE_SIZES: Final = {3: "H", 4: "I", 16: "Q"}
_MAX_TIFF_TAGS: Final = 4096


@dataclass(frozen=True, slots=True)
class Header:
    """What a header claims. Width and height are in pixels as stored; 0 where the header does not say."""

    format: str
    width: int
    height: int


def sniff(data: bytes) -> str:
    """The format that the magic bytes name, one of `shared.domain.formats.MEDIA_TYPES`.

    Raises:
        PictureRefused: `empty` or `unsupported_type`.
    """
    if not data:
        raise PictureRefused("empty", "The file is empty.")
    if data.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return "gif"
    if data[:2] == b"BM":
        return "bmp"
    if data[:4] in (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"):
        return "tiff"
    if data[4:8] == b"ftyp" and _AVIF_BRANDS & set(_brands(data)):
        return "avif"
    raise PictureRefused(
        "unsupported_type", "The file is none of JPEG, PNG, WebP, GIF, BMP, TIFF and AVIF, whatever its name says."
    )


def _brands(data: bytes) -> list[bytes]:
    size = min(int.from_bytes(data[:4], "big"), len(data), 256)
    return [data[8:12], *(data[at : at + 4] for at in range(16, size - 3, 4))]


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
        "gif": _gif,
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
            f"The picture claims {width} x {height} pixels; at most {MAX_PIXELS:,} pixels "
            f"and {MAX_SIDE:,} a side are decoded.",
        )
    return Header(kind, width, height)


def _jpeg(data: bytes) -> tuple[int, int]:
    """The largest frame that any SOF marker claims; counts the scans on the way."""
    width = height = scans = 0
    at = 2
    while True:
        at = data.find(b"\xff", at)
        if at < 0 or at + 1 >= len(data):
            break
        marker = data[at + 1]
        at += 2
        if marker in (0x00, 0xFF) or marker in _JPEG_WITHOUT_LENGTH:
            at -= marker == 0xFF  # noqa: PLR2004 - a fill byte: the next one may be the marker
            continue
        if marker == 0xD9:  # noqa: PLR2004 - end of image
            break
        if at + 2 > len(data):
            break
        length = int.from_bytes(data[at : at + 2], "big")
        if marker in _JPEG_FRAMES and at + 7 <= len(data):
            frame_height, frame_width = struct.unpack_from(">HH", data, at + 3)
            width, height = max(width, frame_width), max(height, frame_height)
        elif marker == 0xDA:  # noqa: PLR2004 - start of scan
            scans += 1
            if scans > MAX_JPEG_SCANS:
                raise PictureRefused("too_complex", f"The JPEG has more than {MAX_JPEG_SCANS} scans.")
        at += max(length, 2)
    return width, height


def _png(data: bytes) -> tuple[int, int]:
    """IHDR's size; every chunk must end inside the file, or decoders allocate what its length claims."""
    if data[12:16] != b"IHDR":
        raise PictureRefused("corrupt", "The PNG does not begin with its header chunk.")
    width, height = struct.unpack_from(">II", data, 16)
    at = 8
    while at + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        if length > len(data) - at - 8:
            raise PictureRefused("corrupt", f"A PNG chunk claims {length:,} bytes, more than the file has left.")
        if name == b"IEND":
            break
        at += 12 + length
    return width, height


def _webp(data: bytes) -> tuple[int, int]:
    """Canvas of VP8X, or of the single VP8 or VP8L frame; the larger where a frame claims more than the canvas."""
    width = height = 0
    at = 12
    while at + 8 <= len(data):
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


def _gif(data: bytes) -> tuple[int, int]:
    width, height = struct.unpack_from("<HH", data, 6)
    return width, height


def _bmp(data: bytes) -> tuple[int, int]:
    header_size = struct.unpack_from("<I", data, 14)[0]
    if header_size == 12:  # noqa: PLR2004 - BITMAPCOREHEADER
        width, height = struct.unpack_from("<HH", data, 18)
    else:
        width, height = struct.unpack_from("<ii", data, 18)
    return abs(width), abs(height)


def _tiff(data: bytes) -> tuple[int, int]:
    """Width and height of the first directory, tags 256 and 257, of a TIFF or a BigTIFF."""
    order = "<" if data[:2] == b"II" else ">"
    big = b"+" in data[2:4]
    at = struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)[0]
    count = struct.unpack_from(order + ("Q" if big else "H"), data, at)[0]
    first, size, value = (8, 20, 12) if big else (2, 12, 8)
    sides = {256: 0, 257: 0}
    for index in range(min(count, _MAX_TIFF_TAGS)):
        entry = at + first + size * index
        tag, kind = struct.unpack_from(order + "HH", data, entry)
        if tag in sides and kind in _TIFF_TYPE_SIZES:
            sides[tag] = struct.unpack_from(order + _TIFF_TYPE_SIZES[kind], data, entry + value)[0]
    return sides[256], sides[257]


def _avif(data: bytes) -> tuple[int, int]:
    """The largest `ispe` property: image spatial extents, ISO/IEC 23008-12, 6.5.3."""
    width = height = 0
    at = data.find(b"ispe")
    while at >= 0:
        w, h = struct.unpack_from(">II", data, at + 8)
        width, height = max(width, w), max(height, h)
        at = data.find(b"ispe", at + 4)
    return width, height
