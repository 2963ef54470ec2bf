"""The first frame of a GIF, as a file of its own: OpenCV refuses many files for what comes beside or after it.

CompuServe: Graphics Interchange Format, version 89a, 1990.
"""

import contextlib
import struct
from typing import Final

from shared.domain.errors import PictureRefused
from shared.domain.limits import MAX_CHUNKS, MAX_UPLOAD_BYTES

_HEADER: Final = 13
_EXTENSION: Final = 0x21
_GRAPHIC_CONTROL: Final = 0xF9
_IMAGE: Final = 0x2C
_TRAILER: Final = b"\x3b"
_BLOCKS: Final = MAX_UPLOAD_BYTES // 255 + MAX_CHUNKS
"""Most blocks of one frame: encoders fill each with 255 bytes, and OpenCV takes 15 s for 25 MiB of tiny ones."""
_TABLE: Final = 0x80
"""The bit of a flag byte that says that a colour table follows; the lowest three say how long it is."""


def size(data: bytes) -> tuple[int, int]:
    """Width and height of the canvas, which holds its first frame at least; other frames play no part.

    Raises:
        struct.error: the file ends before it says.
        PictureRefused: `too_complex`, too much stands before the frame.
    """
    width, height = struct.unpack_from("<HH", data, 6)
    with contextlib.suppress(IndexError, struct.error):
        _, image = _first(data)
        left, top, frame_width, frame_height = struct.unpack_from("<4H", data, image + 1)
        return max(width, left + frame_width), max(height, top + frame_height)
    return width, height


def first_frame(data: bytes) -> bytes:
    """The header, the first frame with what controls it, and nothing else; a frame's missing end is not made up.

    Raises:
        struct.error, IndexError: the file ends before the frame's pixels do.
        PictureRefused: `too_complex`, the frame is cut into very many pieces.
    """
    control, image = _first(data)
    pixels = image + 10 + _table(data[image + 9])
    background = data[11] if data[11] < 2 << (data[10] & 7) else 0
    header = data[:6] + struct.pack("<HHBB", *size(data), data[10], background) + data[12 : _HEADER + _table(data[10])]
    return header + control + data[image : _after_blocks(data, pixels + 1, _BLOCKS)[0]] + _TRAILER


def _first(data: bytes) -> tuple[bytes, int]:
    """The extension that controls the first frame, if any, and where that begins."""
    control = b""
    at = _HEADER + _table(data[10])
    left = MAX_CHUNKS
    while data[at] != _IMAGE:
        if data[at] != _EXTENSION:
            raise IndexError("no frame before the end")
        end, left = _after_blocks(data, at + 2, left)
        if data[at + 1] == _GRAPHIC_CONTROL:
            control = data[at:end]
        at = end
    return control, at


def _table(flags: int) -> int:
    """Bytes of the colour table that a flag byte announces."""
    return 3 * (2 << (flags & 7)) if flags & _TABLE else 0


def _after_blocks(data: bytes, at: int, most: int) -> tuple[int, int]:
    """Where a chain of blocks, each after its length, ends with an empty one; and how many more there may be."""
    for left in range(most, 0, -1):
        if not data[at]:
            return at + 1, left - 1
        at += 1 + data[at]
    raise PictureRefused(
        "too_complex", f"The GIF has more than {MAX_CHUNKS:,} blocks before its first frame, or {_BLOCKS:,} in it."
    )
