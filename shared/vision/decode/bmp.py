"""BMPs whose pixels are bit fields, which OpenCV reads in one order only and whose unused bits it takes for alpha.

Microsoft: BITMAPINFOHEADER, BITMAPV4HEADER and BITMAPV5HEADER.
"""

import struct
from typing import Final

import numpy as np
import numpy.typing as npt

_ALPHA_BIT_FIELDS: Final = 6
_BIT_FIELDS: Final = (3, _ALPHA_BIT_FIELDS)
_MASKS: Final = 54
_WITH_ALPHA_MASK: Final = 56
"""The least size of a header that has a mask for alpha too."""


def bit_fields(data: bytes) -> npt.NDArray[np.uint8] | None:
    """BGR or BGRA of a BMP with bit fields; None for any other.

    Raises:
        struct.error: the file ends before its pixels do, or its header is no such header.
    """
    start, header, width, rows, _, bits, compression = struct.unpack_from("<IIiiHHI", data, 10)
    if compression not in _BIT_FIELDS or bits not in (16, 32):
        return None
    masks = list(struct.unpack_from("<4I", data, _MASKS))
    if header < _WITH_ALPHA_MASK and compression != _ALPHA_BIT_FIELDS:
        masks[3] = 0
    height, used, stride = abs(rows), width * bits // 8, (width * bits // 8 + 3) // 4 * 4
    if width <= 0 or height == 0 or 14 + header > start or start + stride * height > len(data):
        raise struct.error("the header and the file's length disagree")
    if not all(_is_field(mask, bits) for mask in masks):
        raise struct.error("the masks are no bit fields")
    lines = np.frombuffer(data, np.uint8, stride * height, start).reshape(height, stride)[:: 1 if rows < 0 else -1]
    pixels = np.ascontiguousarray(lines[:, :used]).view(f"<u{bits // 8}")
    red, green, blue, alpha = (_eight_bits(pixels, mask) for mask in masks)
    # Many programs announce alpha and leave it empty; browsers show such an image, too.
    return np.dstack([blue, green, red, alpha] if alpha.any() else [blue, green, red])


def _is_field(mask: int, bits: int) -> bool:
    """Whether the mask is one run of ones in that many bits, or nothing."""
    return mask < 1 << bits and (mask + (mask & -mask)) & mask == 0


def _eight_bits(pixels: npt.NDArray[np.unsignedinteger], mask: int) -> npt.NDArray[np.uint8]:
    """What lies under the mask, scaled to 0-255."""
    if mask == 0:
        return np.zeros(pixels.shape, np.uint8)
    shift = (mask & -mask).bit_length() - 1
    values: npt.NDArray[np.float32] = ((pixels & mask) >> shift).astype(np.float32)
    return (values * (255 / (mask >> shift)) + 0.5).astype(np.uint8)
