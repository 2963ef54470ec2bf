"""Conversion of decoded pixels, of any depth and with or without alpha, to 8-bit RGB on a ground."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from shared.vision.opencv import cv2

Pixels = npt.NDArray[np.uint8]
"""uint8, height x width x 3 (RGB), or height x width (gray)."""

_NEARLY_WHITE: Final = 0.9
"""Of full lightness, in every channel."""

_NEARLY_ALL: Final = 0.95
"""Share of what is visible, by alpha."""

RawPixels = npt.NDArray[Any]
"""Pixels as a decoder returns them: gray (2-D) or with channels, of any depth."""

_STRIP: Final = 256
"""Rows composited at a time, so that a large image needs no second copy of itself in 16 bits."""


def to_uint8(stored: RawPixels, depth: int | None = None) -> Pixels:
    """Return the pixels scaled to 0-255, as uint8.

    Args:
        depth: significant bits of the samples of a 16-bit array. None means 16, or 8 if no colour exceeds 255,
            because some programs write 8-bit values to 16-bit files.
    """
    if stored.dtype == np.uint8:
        return stored
    has_alpha = stored.ndim == 3 and stored.shape[2] == 4  # noqa: PLR2004
    if depth is None and has_alpha:  # alpha says nothing about colours
        brightest = max(cv2.extractChannel(stored, channel).max(initial=0) for channel in range(3))
        scaled = to_uint8(stored, depth=8 if brightest <= 255 else 16)  # noqa: PLR2004
        cv2.insertChannel(to_uint8(cv2.extractChannel(stored, 3), depth=16), scaled, 3)
        return scaled
    if depth is None:
        depth = 8 if stored.max(initial=0) <= 255 else 16  # noqa: PLR2004
    return cv2.convertScaleAbs(stored, alpha=255 / ((1 << depth) - 1))  # type: ignore[return-value]


def composite_rgb(rgb: Pixels, alpha: Pixels) -> Pixels:
    """Return RGB pixels composited on white, or on black if they are white.

    A white logo made for dark pages would show nothing on white.

    Args:
        rgb: uint8, height x width x 3, not multiplied by `alpha`.
        alpha: uint8, height x width.
    """
    shown = np.empty_like(rgb)
    ground = 0 if _is_white(rgb, alpha) else 255
    for top in range(0, len(rgb), _STRIP):
        part = alpha[top : top + _STRIP, :, None].astype(np.uint16)
        shown[top : top + _STRIP] = (rgb[top : top + _STRIP] * part + ground * (255 - part) + 127) // 255
    return shown


def _is_white(rgb: Pixels, alpha: Pixels) -> bool:
    """Whether pixels are transparent in places, and nearly all that is visible is nearly white."""
    visible = int(alpha.sum(dtype=np.int64))
    white = int(alpha[rgb.min(axis=2) >= _NEARLY_WHITE * 255].sum(dtype=np.int64))
    return bool(visible < 255 * alpha.size and white > _NEARLY_ALL * visible)
