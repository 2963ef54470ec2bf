"""EXIF orientation where OpenCV does not apply it: images that are decoded unchanged."""

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
"""Stored pixels to upright ones, by the tag's value: Exif 2.32, 4.6.4, tag 274."""


def upright(pixels: npt.NDArray[np.uint8], orientation: int) -> npt.NDArray[np.uint8]:
    """Pixels (H x W x C) turned as the tag says; values but 2 to 8 change nothing."""
    turn = _TURNS.get(orientation)
    return pixels if turn is None else np.ascontiguousarray(turn(pixels))


def from_exif(block: bytes) -> int:
    """The orientation in an Exif block (a TIFF structure, with or without `Exif\\0\\0` before it); 1 if none."""
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


def of_png(data: bytes) -> int:
    """The orientation in a PNG's eXIf chunk."""
    return from_exif(png.body(data, b"eXIf") or b"")


def of_webp(data: bytes) -> int:
    """The orientation in a WebP's EXIF chunk."""
    at = 12
    while at + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, at)
        if name == b"EXIF":
            return from_exif(data[at + 8 : at + 8 + size])
        at += 8 + size + (size & 1)
    return 1
