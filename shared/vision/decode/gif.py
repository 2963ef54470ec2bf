"""Extraction of a GIF's first frame: OpenCV refuses many files because of what surrounds or follows that frame.

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
_MAX_FRAME_BLOCKS: Final = MAX_UPLOAD_BYTES // 255 + MAX_CHUNKS
"""Maximum number of blocks in a frame. Encoders fill each with 255 bytes; OpenCV takes 15 s for 25 MiB of tiny ones."""
_HAS_COLOUR_TABLE: Final = 0x80
"""The bit of a flag byte that announces a colour table; the lowest three bits encode its length."""


def canvas_size(data: bytes) -> tuple[int, int]:
    """Return width and height of the canvas, extended to contain the first frame; other frames are ignored.

    Raises:
        struct.error: the file ends before the size.
        PictureRefused: `too_complex`, too many blocks precede the frame.
    """
    width, height = struct.unpack_from("<HH", data, 6)
    with contextlib.suppress(IndexError, struct.error):
        _, image = _find_first_frame(data)
        left, top, frame_width, frame_height = struct.unpack_from("<4H", data, image + 1)
        return max(width, left + frame_width), max(height, top + frame_height)
    return width, height


def first_frame(data: bytes) -> bytes:
    """Return a GIF of the header, the first frame and its graphic control extension, and nothing else.

    Raises:
        struct.error, IndexError: the file ends before the frame's pixels do; the missing part is not made up.
        PictureRefused: `too_complex`, the frame consists of too many blocks.
    """
    control, image = _find_first_frame(data)
    pixels = image + 10 + _colour_table_size(data[image + 9])
    background = data[11] if data[11] < 2 << (data[10] & 7) else 0
    screen = struct.pack("<HHBB", *canvas_size(data), data[10], background)
    header = data[:6] + screen + data[12 : _HEADER + _colour_table_size(data[10])]
    return header + control + data[image : _skip_blocks(data, pixels + 1, _MAX_FRAME_BLOCKS)[0]] + _TRAILER


def _find_first_frame(data: bytes) -> tuple[bytes, int]:
    """Return the first frame's graphic control extension, empty if there is none, and the frame's offset."""
    control = b""
    at = _HEADER + _colour_table_size(data[10])
    left = MAX_CHUNKS
    while data[at] != _IMAGE:
        if data[at] != _EXTENSION:
            raise IndexError("the file ends before its first frame")
        end, left = _skip_blocks(data, at + 2, left)
        if data[at + 1] == _GRAPHIC_CONTROL:
            control = data[at:end]
        at = end
    return control, at


def _colour_table_size(flags: int) -> int:
    """Return the size in bytes of the colour table that a flag byte announces."""
    return 3 * (2 << (flags & 7)) if flags & _HAS_COLOUR_TABLE else 0


def _skip_blocks(data: bytes, at: int, most: int) -> tuple[int, int]:
    """Return the offset after a chain of blocks, which an empty block ends, and how many more blocks are allowed."""
    for left in range(most, 0, -1):
        if not data[at]:
            return at + 1, left - 1
        at += 1 + data[at]
    raise PictureRefused(
        "too_complex",
        f"The GIF has more than {MAX_CHUNKS:,} blocks before its first frame or more than {_MAX_FRAME_BLOCKS:,} in it.",
    )
