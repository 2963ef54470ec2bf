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
"""Pixels as OpenCV decodes them: gray (2-D), BGR or BGRA, of any depth."""

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


def composite(stored: Pixels, *, premultiplied: bool = False) -> Pixels:
    """Return the RGB of gray, BGR or BGRA pixels, the latter composited on white, or on black if they are white.

    A white logo made for dark pages would show nothing on white.

    Args:
        premultiplied: whether the colours are already multiplied by their alpha.
    """
    if stored.ndim == 2:  # noqa: PLR2004
        return cv2.cvtColor(stored, cv2.COLOR_GRAY2RGB)  # type: ignore[return-value]
    if stored.shape[2] == 3:  # noqa: PLR2004
        return cv2.cvtColor(stored, cv2.COLOR_BGR2RGB)  # type: ignore[return-value]
    rgb: Pixels = cv2.cvtColor(stored, cv2.COLOR_BGRA2RGB)  # type: ignore[assignment]
    ground = 0 if _is_white(stored, premultiplied=premultiplied) else 255
    for top in range(0, len(rgb), _STRIP):
        strip = rgb[top : top + _STRIP]
        alpha = stored[top : top + _STRIP, :, 3:].astype(np.uint16)
        behind = ground * (255 - alpha)
        mixed = strip + behind // 255 if premultiplied else (strip * alpha + behind + 127) // 255
        np.minimum(mixed, 255, out=strip, casting="unsafe")
    return rgb


def _is_white(stored: Pixels, *, premultiplied: bool) -> bool:
    """Whether BGRA pixels are transparent in places, and nearly all that is visible is nearly white."""
    visible = white = 0
    for top in range(0, len(stored), _STRIP):
        strip = stored[top : top + _STRIP]
        alpha = strip[:, :, 3]
        darkest = strip[:, :, :3].min(axis=2)
        light = darkest >= (_NEARLY_WHITE * alpha.astype(np.float32) if premultiplied else _NEARLY_WHITE * 255)
        visible += int(alpha.sum(dtype=np.int64))
        white += int(alpha[light].sum(dtype=np.int64))
    return bool(visible < 255 * stored[:, :, 3].size and white > _NEARLY_ALL * visible)


def add_key_alpha(gray: RawPixels, key: int) -> RawPixels:
    """Return the BGRA of a gray image in which pixels of the value `key` are transparent."""
    opaque = np.iinfo(gray.dtype).max
    alpha = np.where(gray == key, 0, opaque).astype(gray.dtype)
    return np.dstack([gray, gray, gray, alpha])
