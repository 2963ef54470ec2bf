"""What a file's metadata say of its origin: camera, editing program, quantisation."""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

MAKE, MODEL, SOFTWARE, DETAILS = 0x010F, 0x0110, 0x0131, 0x8769
WIDTH, HEIGHT = 0xA002, 0xA003
"""Exif 2.32, 4.6.4 and 4.6.5."""
MAX_ENTRIES: Final = 500
_EXIF, _TABLES, _SCAN, _FILL = 0xE1, 0xDB, 0xDA, 0xFF
"""Markers of a JPEG: ITU-T T.81, table B.1."""
_ASCII, _SHORT, _LONG = 2, 3, 4
_INLINE: Final = 4
"""Bytes of a value that fit into its entry."""
_EDITORS: Final = re.compile(
    "photoshop|lightroom|gimp|snapseed|picasa|paint|affinity|capture one|darktable|rawtherapee|luminar|pixelmator|"
    "instagram|imagemagick|picsart|vsco|canva|acdsee|irfanview|faststone|xnview|digikam|photos|google|facetune|dxo|"
    "topaz",
    re.IGNORECASE,
)
LOWEST: Final = range(1, 10)
"""Places of the lowest frequencies in a quantisation table, which is in zigzag order."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a file says of itself; see `shared.domain.quality.Quality`."""

    camera: bool = False
    edited: bool = False
    step: float = 0.0


def read_metadata(data: bytes, size: tuple[int, int]) -> Metadata:
    """Return what the metadata of a JPEG, PNG, WebP or TIFF say.

    Args:
        size: width and height of the image, of which the metadata may say otherwise.
    """
    step, block = 0.0, b""
    if data.startswith(b"\xff\xd8"):
        for marker, body in _segments(data):
            if marker == _EXIF and body.startswith(b"Exif\0\0"):
                block = body[6:]
            elif marker == _TABLES:
                step = step or _step(body)
    elif data.startswith(b"\x89PNG"):
        block = next((body for name, body in _chunks(data, 8, ">I4s", 12) if name == b"eXIf"), b"")
    elif data[8:12] == b"WEBP":
        block = next((body for name, body in _chunks(data, 12, "<4sI", 8) if name == b"EXIF"), b"")
    elif data[:4] in (b"II*\0", b"MM\0*"):
        block = data
    tags = _tags(block.removeprefix(b"Exif\0\0"))
    stated = [tag for tag in (tags.get(WIDTH), tags.get(HEIGHT)) if isinstance(tag, int)]
    resized = len(stated) == len(size) and sorted(stated) != sorted(size)
    edited = _EDITORS.search(str(tags.get(SOFTWARE, ""))) is not None
    return Metadata(MAKE in tags or MODEL in tags, edited or resized, step)


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
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


def _step(body: bytes) -> float:
    """Return the mean step of the lowest frequencies in the first table of a segment: ITU-T T.81, B.2.4.1."""
    if not body:
        return 0.0
    wide = body[0] >> 4
    values = [int.from_bytes(body[1 + at * (1 + wide) : 1 + (at + 1) * (1 + wide)], "big") for at in LOWEST]
    return round(sum(values) / len(values), 1)


def _chunks(data: bytes, at: int, head: str, overhead: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield the name and the body of each chunk of a PNG or a WebP."""
    while at + 8 <= len(data):
        fields = struct.unpack_from(head, data, at)
        name, size = sorted(fields, key=lambda field: isinstance(field, int))
        yield name, data[at + 8 : at + 8 + size]
        at += overhead + size + (size & 1 if head.startswith("<") else 0)


def _tags(block: bytes) -> dict[int, str | int]:
    """Return the texts and numbers in the first directory of a TIFF structure, and in its Exif directory."""
    order = {b"II": "<", b"MM": ">"}.get(block[:2])
    found: dict[int, str | int] = {}
    if order is None:
        return found
    try:
        at = struct.unpack_from(order + "I", block, 4)[0]
        found |= _directory(block, order, at)
        details = found.get(DETAILS)
        if isinstance(details, int):
            found |= _directory(block, order, details)
    except struct.error:
        pass
    return found


def _directory(block: bytes, order: str, at: int) -> dict[int, str | int]:
    found: dict[int, str | int] = {}
    for index in range(min(struct.unpack_from(order + "H", block, at)[0], MAX_ENTRIES)):
        entry = at + 2 + 12 * index
        tag, kind, count = struct.unpack_from(order + "HHI", block, entry)
        if (
            tag not in (MAKE, MODEL, SOFTWARE, DETAILS, WIDTH, HEIGHT)
            or kind not in (_ASCII, _SHORT, _LONG)
            or count > MAX_ENTRIES
        ):
            continue
        if kind == _ASCII:
            start = entry + 8 if count <= _INLINE else struct.unpack_from(order + "I", block, entry + 8)[0]
            text = block[start : start + count].split(b"\0")[0].decode("latin-1").strip()
            found |= {tag: text} if text else {}
        else:
            found[tag] = struct.unpack_from(order + ("H" if kind == _SHORT else "I"), block, entry + 8)[0]
    return found
