"""Exif orientation where OpenCV does not apply it: in images that are decoded with `IMREAD_UNCHANGED`."""

import struct
from typing import Final

import numpy as np
import numpy.typing as npt

from shared.vision.decode import png

_ORIENTATION_TAG: Final = 0x0112
_SHORT: Final = 3

_TURNS: Final = {
    2: lambda p: p[:, ::-1],
    3: lambda p: p[::-1, ::-1],
    4: lambda p: p[::-1],
    5: lambda p: p.transpose(1, 0, 2),
    6: lambda p: p[::-1].transpose(1, 0, 2),
    7: lambda p: p[::-1, ::-1].transpose(1, 0, 2),
    8: lambda p: p[:, ::-1].transpose(1, 0, 2),
}
"""The transform that makes stored pixels upright, by the tag's value: Exif 2.32, 4.6.4, tag 274."""


def upright(pixels: npt.NDArray[np.uint8], orientation: int) -> npt.NDArray[np.uint8]:
    """Return the pixels (H x W x C), turned and mirrored as the tag says; values other than 2 to 8 change nothing."""
    turn = _TURNS.get(orientation)
    return pixels if turn is None else np.ascontiguousarray(turn(pixels))


def from_exif(block: bytes) -> int:
    """Return the orientation in an Exif block: a TIFF structure, optionally after `Exif\\0\\0`; 1 if it has none."""
    block = block.removeprefix(b"Exif\x00\x00")
    order = {b"II": "<", b"MM": ">"}.get(block[:2])
    if order is None:
        return 1
    try:
        at = struct.unpack_from(order + "I", block, 4)[0]
        for index in range(struct.unpack_from(order + "H", block, at)[0]):
            tag, kind, _, value = struct.unpack_from(order + "HHIH", block, at + 2 + 12 * index)
            if tag == _ORIENTATION_TAG and kind == _SHORT:
                return int(value)
    except struct.error:
        return 1
    return 1


def from_png(data: bytes) -> int:
    """Return the orientation in a PNG's eXIf chunk; 1 if it has none."""
    return from_exif(png.chunk_body(data, b"eXIf") or b"")


def from_webp(data: bytes) -> int:
    """Return the orientation in a WebP's EXIF chunk; 1 if it has none."""
    at = 12
    while at + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, at)
        if name == b"EXIF":
            return from_exif(data[at + 8 : at + 8 + size])
        at += 8 + size + (size & 1)
    return 1
