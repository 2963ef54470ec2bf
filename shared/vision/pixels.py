"""Decoded channels of any depth to 8-bit RGB, transparency over white."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from shared.vision.opencv import cv2

Pixels = npt.NDArray[np.uint8]
"""uint8, height x width x 3 (RGB), or height x width (gray)."""

Stored = npt.NDArray[Any]
"""As OpenCV decodes: gray (2-D), BGR or BGRA, of any depth."""

_STRIP: Final = 256
"""Rows that are mixed at a time, so that the largest image needs no second copy of itself in 16 bits."""


def eight_bits(stored: Stored, depth: int | None = None) -> Pixels:
    """uint8 of `stored`.

    Args:
        depth: bits that hold the samples of a 16-bit array. None: 16, or 8 where no colour exceeds 255, because
            some programs write 8-bit values into 16-bit files.
    """
    if stored.dtype == np.uint8:
        return stored
    if depth is None and stored.ndim == 3 and stored.shape[2] == 4:  # noqa: PLR2004 - alpha tells nothing of colour
        colours = eight_bits(np.ascontiguousarray(stored[:, :, :3]))
        return np.dstack([colours, eight_bits(np.ascontiguousarray(stored[:, :, 3]), depth=16)])
    if depth is None:
        depth = 8 if stored.max(initial=0) <= 255 else 16  # noqa: PLR2004
    return cv2.convertScaleAbs(stored, alpha=255 / ((1 << depth) - 1))  # type: ignore[return-value]


def rgb_over_white(stored: Pixels, *, premultiplied: bool = False) -> Pixels:
    """RGB of gray, BGR or BGRA; `premultiplied`: colours already carry their alpha."""
    if stored.ndim == 2:  # noqa: PLR2004
        return cv2.cvtColor(stored, cv2.COLOR_GRAY2RGB)  # type: ignore[return-value]
    if stored.shape[2] == 3:  # noqa: PLR2004
        return cv2.cvtColor(stored, cv2.COLOR_BGR2RGB)  # type: ignore[return-value]
    rgb: Pixels = cv2.cvtColor(stored, cv2.COLOR_BGRA2RGB)  # type: ignore[assignment]
    for top in range(0, len(rgb), _STRIP):
        strip = rgb[top : top + _STRIP]
        alpha = stored[top : top + _STRIP, :, 3:].astype(np.uint16)
        white = 255 - alpha
        mixed = strip + white if premultiplied else (strip * alpha + 255 * white + 127) // 255
        np.minimum(mixed, 255, out=strip, casting="unsafe")
    return rgb


def with_key(gray: Stored, key: int) -> Stored:
    """BGRA of a gray image in which the value `key` is transparent."""
    opaque = np.iinfo(gray.dtype).max
    alpha = np.where(gray == key, 0, opaque).astype(gray.dtype)
    return np.dstack([gray, gray, gray, alpha])
