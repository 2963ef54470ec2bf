"""Checks of what a file's header claims, made before any decoder reads the file."""

import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from shared.domain.errors import PictureRefused
from shared.domain.formats import RAW_FORMATS, sniff, unsupported
from shared.domain.limits import (
    MAX_CHUNKS,
    MAX_JPEG_SCANS,
    MAX_PIXELS,
    MAX_PIXELS_BY_FORMAT,
    MAX_PROGRESSIVE_PIXELS,
    MAX_SIDE,
    MAX_UPLOAD_BYTES,
)
from shared.vision.decode import tiff_tags

_JPEG_MARKER: Final = re.compile(rb"\xff([^\x00\x01\xff\xd0-\xd8])")
"""A marker that begins a segment or ends the image, as opposed to a stuffed byte, a fill byte or a restart marker."""
_JPEG_END: Final = 0xD9
_JPEG_SCAN: Final = 0xDA
_JPEG_FRAMES: Final = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_JPEG_PROGRESSIVE: Final = {0xC2, 0xC6, 0xCA, 0xCE}
_JPEG_ARITHMETIC: Final = {0xC9, 0xCA}
_JPEG_LOSSLESS: Final = {0xC3, 0xC7, 0xCB, 0xCF}
_JPEG_LS: Final = 0xF7
_DEEP_JPEG: Final = 12

_HOLE: Final = 256
"""Number of equal bytes in a scan that may be a hole: what a transfer or a memory card left out, 512 at least."""
_ZEROS, ERASED = bytes(_HOLE), b"\xff" * _HOLE

_GIF_HEADER: Final = 13
_GIF_EXTENSION: Final = 0x21
_GIF_IMAGE: Final = 0x2C
_MAX_GIF_BLOCKS: Final = MAX_UPLOAD_BYTES // 255 + MAX_CHUNKS
"""Maximum number of blocks in a frame. Encoders fill each with 255 bytes; decoders take seconds for 25 MiB of tiny
ones."""

_PNG_SIGNATURE: Final = 8
_JXL_CONTAINER: Final = b"\0\0\0\x0cJXL "
_JXL_RATIOS: Final = {1: (1, 1), 2: (12, 10), 3: (4, 3), 4: (3, 2), 5: (16, 9), 6: (5, 4), 7: (2, 1)}
"""Width to height by their code: ISO/IEC 18181-1, SizeHeader."""
_JXL_BITS: Final = (9, 13, 18, 30)


@dataclass(frozen=True, slots=True)
class Header:
    """What a header claims.

    Attributes:
        width, height: pixels as stored; 0 if the header does not state them.
        end: offset of a JPEG's end marker; None if it has none.
        hole: offset in a JPEG's scan of many zeros, which may have been left out, or of many bytes 0xFF, which are not
            part of any scan and end the image; None without them.
        progressive, arithmetic: how a JPEG is coded.
        depth: bits of a PNG's samples.
        unusual: a name for a JPEG that decoders need not know; empty for others.
        animated: whether a WebP is an animation.
        profile, exif: a WebP's ICC profile and Exif block.
    """

    format: str
    width: int = 0
    height: int = 0
    end: int | None = None
    hole: int | None = None
    progressive: bool = False
    arithmetic: bool = False
    depth: int = 8
    unusual: str = ""
    animated: bool = False
    profile: bytes | None = None
    exif: bytes | None = None

    @property
    def scalable(self) -> bool:
        """Whether reducing the image while decoding it saves memory."""
        return not (self.progressive or self.arithmetic)


def check(data: bytes) -> Header:
    """Read the header, and refuse files that would be expensive or impossible to decode.

    Raises:
        PictureRefused: `empty`, `unsupported_type`, `corrupt`, `too_many_pixels` or `too_complex`.
    """
    kind = sniff(data)
    try:
        header = _READERS[kind](data)
    except (struct.error, IndexError) as error:
        raise PictureRefused("corrupt", f"The {kind.upper()} file ends inside its header.") from error
    check_size(header.format if header.scalable else "progressive jpeg", header.width, header.height)
    return header


def check_size(kind: str, width: int, height: int) -> None:
    """Refuse an image whose pixels need more memory or time than decoding this format may use.

    Raises:
        PictureRefused: `too_many_pixels`.
    """
    most = MAX_PROGRESSIVE_PIXELS if kind == "progressive jpeg" else MAX_PIXELS_BY_FORMAT.get(kind, MAX_PIXELS)
    if width * height > most or max(width, height) > MAX_SIDE:
        name = kind if kind.islower() and " " in kind else kind.upper()
        raise PictureRefused(
            "too_many_pixels",
            f"The image claims {width} x {height} pixels; at most {most:,} pixels and {MAX_SIDE:,} a side are decoded "
            f"from a {name}. Make it smaller"
            + (", or save it as a JPEG, of which more are decoded." if most < MAX_PIXELS_BY_FORMAT["jpeg"] else "."),
        )


def _count_up_to_limit(parts: str) -> Iterator[int]:
    """Yield a number for each part of the file; refuse the file after `MAX_CHUNKS` of them."""
    yield from range(MAX_CHUNKS + 1)
    raise PictureRefused("too_complex", f"The file has more than {MAX_CHUNKS:,} {parts}.")


def check_jpeg_at(data: bytes, start: int) -> Header:
    """Check a JPEG inside another file as `check` does; `end` counts from its start. Nothing is copied."""
    header = _jpeg(data, start)
    check_size("jpeg" if header.scalable else "progressive jpeg", header.width, header.height)
    end, hole = (None if at is None else at - start for at in (header.end, header.hole))
    return replace(header, end=end, hole=hole)


def _jpeg(data: bytes, start: int = 0) -> Header:
    """Return the size of the largest frame that any SOF marker claims; refuse a JPEG with too many scans."""
    header = Header("jpeg")
    scans, at = 0, start + 2
    scan, refines = None, False
    for _ in _count_up_to_limit("JPEG segments"):
        found = _JPEG_MARKER.search(data, at)
        if scan is not None and header.hole is None:
            header = replace(header, hole=_hole(data, scan, found.end() if found else len(data), refines=refines))
        if not found or (header.hole is not None and data.startswith(ERASED, header.hole)):
            break
        marker, at = found[1][0], found.end()
        scan = None
        if marker == _JPEG_END:
            return replace(header, end=found.start())
        if at + 2 > len(data):
            break
        if marker == _JPEG_LS:
            raise unsupported("a JPEG-LS image")
        if marker in _JPEG_FRAMES and at + 7 <= len(data):
            height, width = struct.unpack_from(">HH", data, at + 3)
            header = replace(
                header,
                width=max(header.width, width),
                height=max(header.height, height),
                progressive=header.progressive or marker in _JPEG_PROGRESSIVE,
                arithmetic=header.arithmetic or marker in _JPEG_ARITHMETIC,
                unusual=header.unusual or _unusual(marker, data[at + 2]),
            )
        elif marker == _JPEG_SCAN:
            scans += 1
            if scans > MAX_JPEG_SCANS:
                raise PictureRefused("too_complex", f"The JPEG has more than {MAX_JPEG_SCANS} scans.")
            scan = at + max(int.from_bytes(data[at : at + 2], "big"), 2)
            refines = data[min(scan, len(data)) - 1] >> 4 > 0
        at += max(int.from_bytes(data[at : at + 2], "big"), 2)
    return header


def _hole(data: bytes, start: int, end: int, *, refines: bool) -> int | None:
    """Return the offset of the first hole that may be in a scan.

    Args:
        refines: whether the scan's bits refine those of earlier scans, and may all be zero.
    """
    found = [data.find(run, start, end) for run in ((ERASED,) if refines else (ERASED, _ZEROS))]
    return min((at for at in found if at >= 0), default=None)


def _unusual(marker: int, depth: int) -> str:
    if marker in _JPEG_LOSSLESS:
        return f"a lossless JPEG of {depth} bits a colour"
    return f"a JPEG of {depth} bits a colour" if depth == _DEEP_JPEG else ""


def _png(data: bytes) -> Header:
    """Return IHDR's size; refuse chunks that exceed the file, because decoders allocate what their length claims."""
    if data[12:16] != b"IHDR":
        raise PictureRefused("corrupt", "The PNG does not begin with its header chunk.")
    at = _PNG_SIGNATURE
    for _ in _count_up_to_limit("PNG chunks"):
        if at + 8 > len(data):
            break
        length, name = struct.unpack_from(">I4s", data, at)
        if length > len(data) - at - 8:
            raise PictureRefused("corrupt", f"A PNG chunk claims {length:,} bytes, more than the file has left.")
        if name == b"IEND":
            break
        at += 12 + length
    width, height = struct.unpack_from(">II", data, 16)
    return Header("png", width, height, depth=data[24])


def _webp(data: bytes) -> Header:
    """Return the size of VP8X's canvas, or of the VP8 or VP8L frame; the larger if a frame exceeds the canvas."""
    if data[12:16] not in {b"VP8X", b"VP8L", b"VP8 "}:
        # libwebp would read what follows as a bare frame, of any size.
        raise PictureRefused("corrupt", "The WebP file does not begin with a VP8X, VP8L or VP8 chunk.")
    width = height = 0
    animated = False
    metadata: dict[bytes, bytes] = {}
    at = 12
    for _ in _count_up_to_limit("WebP chunks"):
        if at + 8 > len(data):
            break
        name, size = struct.unpack_from("<4sI", data, at)
        body = at + 8
        if name == b"VP8X":
            w, h = _webp_size(data, body + 4)
        elif name == b"VP8L":
            bits = struct.unpack_from("<I", data, body + 1)[0]
            w, h = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        elif name == b"VP8 ":
            w, h = (side & 0x3FFF for side in struct.unpack_from("<HH", data, body + 6))
        elif name == b"ANMF":
            w, h = _webp_size(data, body + 6)
            animated = True
        else:
            w = h = 0
            if name in (b"ICCP", b"EXIF"):
                metadata.setdefault(name, data[body : body + size])
        width, height = max(width, w), max(height, h)
        at = body + size + (size & 1)
    return Header("webp", width, height, animated=animated, profile=metadata.get(b"ICCP"), exif=metadata.get(b"EXIF"))


def _webp_size(data: bytes, at: int) -> tuple[int, int]:
    return 1 + int.from_bytes(data[at : at + 3], "little"), 1 + int.from_bytes(data[at + 3 : at + 6], "little")


def _gif(data: bytes) -> Header:
    """Return the size of the canvas, extended to contain the first frame; refuse too many blocks up to its end."""
    width, height = struct.unpack_from("<HH", data, 6)
    at = _GIF_HEADER + _colour_table_size(data[10])
    left = MAX_CHUNKS
    try:
        while data[at] == _GIF_EXTENSION:
            at, left = _skip_blocks(data, at + 2, left)
        if data[at] != _GIF_IMAGE:
            return Header("gif", width, height)
        x, y, w, h = struct.unpack_from("<4H", data, at + 1)
        width, height = max(width, x + w), max(height, y + h)
        _skip_blocks(data, at + 11 + _colour_table_size(data[at + 9]), _MAX_GIF_BLOCKS)
    except (IndexError, struct.error):
        pass  # decoding will fail, at a cost that the size bounds
    return Header("gif", width, height)


def _colour_table_size(flags: int) -> int:
    """Return the size in bytes of the colour table that a flag byte announces."""
    return 3 * (2 << (flags & 7)) if flags & 0x80 else 0


def _skip_blocks(data: bytes, at: int, most: int) -> tuple[int, int]:
    """Return the offset after a chain of blocks, which an empty block ends, and how many more blocks are allowed."""
    for left in range(most, 0, -1):
        if not data[at]:
            return at + 1, left - 1
        at += 1 + data[at]
    raise PictureRefused(
        "too_complex",
        f"The GIF has more than {MAX_CHUNKS:,} blocks before its first frame or more than {_MAX_GIF_BLOCKS:,} in it.",
    )


def _bmp(data: bytes) -> Header:
    header_size = struct.unpack_from("<I", data, 14)[0]
    if header_size == 12:  # noqa: PLR2004 - BITMAPCOREHEADER
        width, height = struct.unpack_from("<HH", data, 18)
    else:
        width, height = struct.unpack_from("<ii", data, 18)
    return Header("bmp", abs(width), abs(height))


def _tiff(data: bytes) -> Header:
    tags = tiff_tags.read_tags(data)
    return Header(tiff_tags.kind_of(data), tags.get(tiff_tags.WIDTH, 0), tags.get(tiff_tags.HEIGHT, 0))


def _heif(kind: str) -> Callable[[bytes], Header]:
    def read(data: bytes) -> Header:
        """Return the size in the largest `ispe` property (image spatial extents, ISO/IEC 23008-12, 6.5.3)."""
        width = height = 0
        at = data.find(b"ispe")
        for _ in _count_up_to_limit("size properties"):
            if at < 0:
                break
            w, h = struct.unpack_from(">II", data, at + 8)
            width, height = max(width, w), max(height, h)
            at = data.find(b"ispe", at + 4)
        return Header(kind, width, height)

    return read


def _jxl(data: bytes) -> Header:
    """Read the size header of a JPEG XL codestream, which a container may hold in a `jxlc` or `jxlp` box."""
    at = 0
    if data.startswith(_JXL_CONTAINER):
        at = data.find(b"\xff\x0a", len(_JXL_CONTAINER))
        if at < 0:
            raise IndexError("no codestream")
    bits = int.from_bytes(data[at + 2 : at + 16].ljust(14, b"\0"), "little")

    def take(count: int) -> int:
        nonlocal bits
        value = bits & ((1 << count) - 1)
        bits >>= count
        return value

    small = take(1)
    height = 8 * (take(5) + 1) if small else 1 + take(_JXL_BITS[take(2)])
    ratio = take(3)
    if ratio:
        across, down = _JXL_RATIOS[ratio]
        return Header("jxl", height * across // down, height)
    return Header("jxl", 8 * (take(5) + 1) if small else 1 + take(_JXL_BITS[take(2)]), height)


def _raw(kind: str) -> Callable[[bytes], Header]:
    return lambda _: Header(kind)


_READERS: Final[dict[str, Callable[[bytes], Header]]] = {
    "jpeg": _jpeg,
    "png": _png,
    "webp": _webp,
    "gif": _gif,
    "bmp": _bmp,
    "tiff": _tiff,
    "avif": _heif("avif"),
    "heic": _heif("heic"),
    "jxl": _jxl,
    **{kind: _raw(kind) for kind in RAW_FORMATS},
}
