"""BMPs whose pixels are bit fields: OpenCV reads them in one order only and mistakes their unused bits for alpha.

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
"""Smallest header that has a mask for alpha too, in bytes."""


def decode_bit_fields(data: bytes) -> npt.NDArray[np.uint8] | None:
    """Decode a BMP with bit fields to RGB or RGBA; return None for any other BMP.

    Raises:
        struct.error: the file ends before its pixels do, or its header is invalid.
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
    if not all(_is_contiguous(mask, bits) for mask in masks):
        raise struct.error("a mask is not a contiguous bit field")
    lines = np.frombuffer(data, np.uint8, stride * height, start).reshape(height, stride)[:: 1 if rows < 0 else -1]
    pixels = np.ascontiguousarray(lines[:, :used]).view(f"<u{bits // 8}")
    red, green, blue, alpha = (_extract_field(pixels, mask) for mask in masks)
    # Many programs declare an alpha channel and leave it at zero; browsers show such an image as opaque.
    return np.dstack([red, green, blue, alpha] if alpha.any() else [red, green, blue])


def _is_contiguous(mask: int, bits: int) -> bool:
    """Return whether the mask is a single run of ones within `bits` bits, or zero."""
    return mask < 1 << bits and (mask + (mask & -mask)) & mask == 0


def _extract_field(pixels: npt.NDArray[np.unsignedinteger], mask: int) -> npt.NDArray[np.uint8]:
    """Return the bits under the mask, scaled to 0-255."""
    if mask == 0:
        return np.zeros(pixels.shape, np.uint8)
    shift = (mask & -mask).bit_length() - 1
    values: npt.NDArray[np.float32] = ((pixels & mask) >> shift).astype(np.float32)
    return (values * (255 / (mask >> shift)) + 0.5).astype(np.uint8)
