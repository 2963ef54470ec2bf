"""Exif and XMP in image files: where they are, and the few tags of Exif that are used.

Only the tags that are asked for are read, each up to a limited length, and no directory is followed twice: the time and
memory do not depend on what a file claims.

Exif 3.0, 4.5 to 4.6; Adobe: TIFF Revision 6.0, section 2; BigTIFF as libtiff defines it; XMP Specification part 3.
"""

import struct
import zlib
from collections.abc import Collection, Iterator, Mapping
from typing import Final

MAKE, MODEL, SOFTWARE = 0x010F, 0x0110, 0x0131
WIDTH, HEIGHT = 0xA002, 0xA003
ORIGINAL, DIGITIZED = 0x9003, 0x9004
ORIGINAL_OFFSET, DIGITIZED_OFFSET = 0x9011, 0x9012
ORIGINAL_FRACTION, DIGITIZED_FRACTION = 0x9291, 0x9292
LATITUDE_REF, LATITUDE, LONGITUDE_REF, LONGITUDE = 1, 2, 3, 4
XMP: Final = 700
_DETAILS, _GPS = 0x8769, 0x8825
_IMAGE_TAGS: Final = (MAKE, MODEL, SOFTWARE)
_DETAIL_TAGS: Final = (
    *(WIDTH, HEIGHT, ORIGINAL, DIGITIZED, ORIGINAL_OFFSET, DIGITIZED_OFFSET, ORIGINAL_FRACTION, DIGITIZED_FRACTION),
)
_GPS_TAGS: Final = (LATITUDE_REF, LATITUDE, LONGITUDE_REF, LONGITUDE)

Value = str | tuple[float, ...]
Tags = Mapping[int, Value]

MAX_ENTRIES: Final = 500
"""Maximum number of entries that are read of a directory."""
MAX_VALUES: Final = 500
"""Maximum number of characters or numbers of a value."""
MAX_XMP: Final = 1 << 20
_MAX_PROFILE: Final = 1 << 20
_SCAN, _FILL, _APP1 = 0xDA, 0xFF, 0xE1
_EXIF_ID: Final = b"Exif\0"
_XMP_ID: Final = b"http://ns.adobe.com/xap/1.0/\0"
_PNG_XMP: Final = b"XML:com.adobe.xmp\0"
_PNG_PROFILES: Final = (b"Raw profile type exif\0", b"Raw profile type APP1\0")
"""What ImageMagick wrote before PNG had `eXIf`."""
_TEXTS: Final = (2, 7, 129)
"""ASCII, undefined, UTF-8."""
_NUMBERS: Final = {1: "B", 3: "H", 4: "I", 9: "i", 13: "I", 16: "Q", 18: "Q"}
_RATIONALS: Final = {5: "II", 10: "ii"}


def blocks(data: bytes) -> tuple[bytes, bytes]:
    """Return the Exif block, which begins with its byte order, and the XMP packet of a file; empty if it has none.

    JPEG, PNG, WebP, JPEG XL, and everything that begins as a TIFF does, such as most camera RAW files.
    """
    if data.startswith(b"\xff\xd8"):
        return _first(_of_jpeg(data))
    if data.startswith(b"\x89PNG"):
        return _first(_of_png(data))
    if data[8:12] == b"WEBP":
        parts = dict(chunks(data, 12, "<4sI", 8))
        return block_of(parts.get(b"EXIF", b"")), parts.get(b"XMP ", b"")[:MAX_XMP]
    if data[4:8] == b"JXL ":
        parts = dict(_boxes(data))
        return block_of(parts.get(b"Exif", b"")[4:]), parts.get(b"xml ", b"")[:MAX_XMP]
    if data[:2] in (b"II", b"MM"):
        return data, text(_find(data, (XMP,), MAX_XMP), XMP).encode("latin-1")
    return b"", b""


def block_of(stored: bytes) -> bytes:
    """Return an Exif block without the identifier that some containers keep in front of it."""
    return stored[6:] if stored.startswith(_EXIF_ID) else stored


def _first(parts: Iterator[tuple[str, bytes]]) -> tuple[bytes, bytes]:
    found: dict[str, bytes] = {}
    for name, body in parts:
        found.setdefault(name, body)
        if len(found) == 2:  # noqa: PLR2004
            break
    return found.get("exif", b""), found.get("xmp", b"")[:MAX_XMP]


def segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the marker and the body of each segment of a JPEG, up to the first scan."""
    at = 2
    while at + 4 <= len(data) and data[at] == _FILL:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == _FILL:
            at += 1
            continue
        if marker == _SCAN or length < len(b"\0\0"):
            return
        yield marker, data[at + 4 : at + 2 + length]
        at += 2 + length


def _of_jpeg(data: bytes) -> Iterator[tuple[str, bytes]]:
    for marker, body in segments(data):
        if marker == _APP1 and body.startswith(_EXIF_ID):
            yield "exif", body[6:]
        elif marker == _APP1 and body.startswith(_XMP_ID):
            yield "xmp", body[len(_XMP_ID) :]


def chunks(data: bytes, at: int, head: str, overhead: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield the name and the body of each chunk of a PNG or a WebP."""
    while at + 8 <= len(data):
        fields = struct.unpack_from(head, data, at)
        name, size = sorted(fields, key=lambda field: isinstance(field, int))
        yield name, data[at + 8 : at + 8 + size]
        at += overhead + size + (size & 1 if head.startswith("<") else 0)


def _of_png(data: bytes) -> Iterator[tuple[str, bytes]]:
    for name, body in chunks(data, 8, ">I4s", 12):
        if name == b"eXIf":
            yield "exif", block_of(body)
        elif name == b"iTXt" and body.startswith(_PNG_XMP):
            compressed, rest = body[len(_PNG_XMP) : len(_PNG_XMP) + 1], body[len(_PNG_XMP) + 2 :]
            text = rest.split(b"\0", 2)[-1]
            yield "xmp", _inflate(text) if compressed == b"\1" else text
        elif name in (b"zTXt", b"tEXt") and body.startswith(_PNG_PROFILES):
            text = body.split(b"\0", 1)[1]
            yield "exif", _raw_profile(_inflate(text[1:]) if name == b"zTXt" else text)


def _inflate(packed: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(packed, 2 * _MAX_PROFILE)
    except zlib.error:
        return b""


def _raw_profile(text: bytes) -> bytes:
    """Return the bytes of a profile that ImageMagick wrote: a name, a length, and hexadecimal digits in lines."""
    try:
        return block_of(bytes.fromhex("".join(text[: 2 * _MAX_PROFILE].decode("ascii").split()[2:])))
    except ValueError:
        return b""


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the type and the content of each box at the top of a container: ISO/IEC 14496-12, 4.2."""
    at = 0
    while at + 8 <= len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        body = at + 8
        if size == 1 and at + 16 <= len(data):
            size, body = struct.unpack_from(">Q", data, at + 8)[0], at + 16
        end = at + size if size else len(data)
        if end < body:
            return
        yield name, data[body:end]
        at = end


def read_tags(block: bytes) -> tuple[Tags, Tags]:
    """Return the tags of the first directory and of its Exif directory, and those of its GPS directory.

    Texts end at the first NUL byte. Rationals without a denominator are left out, and so is all that lies outside the
    block.
    """
    first = _find(block, (*_IMAGE_TAGS, _DETAILS, _GPS))
    details = _find(block, _DETAIL_TAGS, at=_offset(first.get(_DETAILS)))
    return {**first, **details}, _find(block, _GPS_TAGS, at=_offset(first.get(_GPS)))


def read_directory(block: bytes) -> Tags:
    """Return the tags of the first directory, whichever of the three it is."""
    return _find(block, (*_IMAGE_TAGS, *_DETAIL_TAGS, *_GPS_TAGS))


def text(tags: Tags, tag: int) -> str:
    """Return a tag's text; an empty one if it has none."""
    value = tags.get(tag)
    return value if isinstance(value, str) else ""


def _offset(value: Value | None) -> int:
    """Return where a directory begins; -1 if there is none."""
    return int(value[0]) if isinstance(value, tuple) and value else -1


def _find(block: bytes, wanted: Collection[int], most: int = MAX_VALUES, *, at: int | None = None) -> dict[int, Value]:
    """Return the tags that are wanted of a directory, by default of the first one."""
    order = {b"II": "<", b"MM": ">"}.get(block[:2])
    big = b"+" in block[2:4]
    found: dict[int, Value] = {}
    if order is None:
        return found
    entry = struct.Struct(order + ("HHQ" if big else "HHI"))
    size, room = (20, 8) if big else (12, 4)
    try:
        if at is None:
            at = struct.unpack_from(order + ("Q" if big else "I"), block, 8 if big else 4)[0]
        if not 0 <= at < len(block):
            return found
        entries = struct.unpack_from(order + ("Q" if big else "H"), block, at)[0]
        for index in range(min(entries, MAX_ENTRIES)):
            start = at + (8 if big else 2) + size * index
            tag, kind, count = entry.unpack_from(block, start)
            if tag in wanted and tag not in found:
                kind = _TEXTS[0] if tag == XMP else kind  # it may have the type of bytes
                value = _value(block, order, kind, min(count, most), start + entry.size, count, room)
                if value:
                    found[tag] = value
    except struct.error:
        pass
    return found


def _value(block: bytes, order: str, kind: int, used: int, at: int, count: int, room: int) -> Value | None:
    """Return the first `used` of a value's `count` characters or numbers; None if it is not in the block."""
    width = 1 if kind in _TEXTS else struct.calcsize("=" + _NUMBERS.get(kind, _RATIONALS.get(kind, "")))
    if width * count > room:
        at = struct.unpack_from(order + ("Q" if room > 4 else "I"), block, at)[0]  # noqa: PLR2004
    if width == 0 or at + width * used > len(block):
        return None
    if kind in _TEXTS:
        return block[at : at + used].split(b"\0")[0].decode("latin-1").strip()
    if kind in _NUMBERS:
        return struct.unpack_from(f"{order}{used}{_NUMBERS[kind]}", block, at)
    numbers = struct.unpack_from(order + _RATIONALS[kind] * used, block, at)
    pairs = list(zip(numbers[::2], numbers[1::2], strict=True))
    return tuple(above / below for above, below in pairs) if all(below for _, below in pairs) else None
