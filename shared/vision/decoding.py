"""Bytes to upright RGB pixels."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shared.domain.errors import PictureRefused
from shared.vision import headers, orientation
from shared.vision.opencv import cv2

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded picture.

    Attributes:
        rgb: uint8, height x width x 3, contiguous, upright, transparency over white.
        format: as the magic bytes name it.
        width, height: of `rgb`, in pixels.
    """

    rgb: Pixels
    format: str
    width: int
    height: int


def decode(data: bytes) -> Picture:
    """Decode the first frame of a JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF.

    Raises:
        PictureRefused: the bytes are no such picture, or one beyond the limits.
    """
    header = headers.check(data)
    # TIFF is never decoded unchanged: planar 16-bit files give uninitialised memory then.
    if header.format in ("png", "webp", "gif", "avif"):
        stored = _imdecode(data, header.format, cv2.IMREAD_UNCHANGED)
        turned = {"png": orientation.of_png, "webp": orientation.of_webp}.get(header.format)
        rgb = orientation.upright(_over_white(_eight_bits(stored)), turned(data) if turned else 1)
    elif header.format == "tiff":
        rgb = _bgr_to_rgb(_tiff(data))
    else:
        rgb = _bgr_to_rgb(_imdecode(data, header.format, cv2.IMREAD_COLOR))
    height, width = rgb.shape[:2]
    return Picture(np.ascontiguousarray(rgb), header.format, width, height)


def _imdecode(data: bytes, kind: str, flags: int) -> npt.NDArray[np.generic]:
    try:
        pixels: npt.NDArray[np.generic] | None = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), flags)
    except cv2.error as error:
        raise PictureRefused("corrupt", f"The {kind.upper()} file cannot be decoded.") from error
    if pixels is None or pixels.size == 0:
        raise PictureRefused("corrupt", f"The {kind.upper()} file cannot be decoded.")
    return pixels


def _tiff(data: bytes) -> Pixels:
    """A TIFF as 8-bit BGR; a deeper one whose values all fit 8 bits would come out black from IMREAD_COLOR."""
    pixels = _imdecode(data, "tiff", cv2.IMREAD_COLOR)
    if not pixels.any():
        deep = _imdecode(data, "tiff", cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
        pixels = deep if deep.ndim == 3 else pixels  # noqa: PLR2004
    return _eight_bits(pixels)


def _eight_bits(pixels: npt.NDArray[np.generic]) -> Pixels:
    """uint8 of any depth: 16-bit values are scaled, unless all of them are 8-bit values in 16-bit clothes."""
    if pixels.dtype == np.uint8:
        return pixels.astype(np.uint8, copy=False)
    values = pixels.astype(np.float64)
    if not np.isfinite(values).all():
        raise PictureRefused("corrupt", "The picture has values that are not numbers.")
    top = float(values.max(initial=0.0))
    if pixels.dtype == np.uint16 and top > 255:  # noqa: PLR2004
        values /= 257.0
    elif np.issubdtype(pixels.dtype, np.floating) and top <= 1.0:
        values *= 255.0
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def _over_white(stored: Pixels) -> Pixels:
    """RGB of a gray, gray-alpha, BGR or BGRA picture, transparent parts over white."""
    if stored.ndim == 2:  # noqa: PLR2004
        return np.repeat(stored[:, :, np.newaxis], 3, axis=2)
    channels = stored.shape[2]
    if channels in (1, 2):
        colour = np.repeat(stored[:, :, :1], 3, axis=2)
    else:
        colour = _bgr_to_rgb(stored[:, :, :3])
    if channels not in (2, 4):
        return colour
    alpha = stored[:, :, -1:].astype(np.uint16)
    if (alpha == 255).all():  # noqa: PLR2004
        return colour
    mixed = colour.astype(np.uint16) * alpha + 255 * (255 - alpha)
    return ((mixed + 127) // 255).astype(np.uint8)


def _bgr_to_rgb(pixels: npt.NDArray[np.generic]) -> Pixels:
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:  # noqa: PLR2004
        raise PictureRefused("corrupt", "The picture has a layout that is not read.")
    return np.ascontiguousarray(pixels[:, :, ::-1])
