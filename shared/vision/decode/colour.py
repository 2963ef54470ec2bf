"""Conversion of decoded pixels to sRGB, by the colour space that their file states.

ICC.1:2022 (profiles); Rec. ITU-T H.273, tables 2 and 3 (code points); W3C: Portable Network Graphics (PNG)
Specification, third edition, 4.3 (the order of PNG's chunks); Rec. ITU-R BT.2100 (PQ and HLG).
"""

import io
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels

Chromaticities = tuple[float, float, float, float, float, float, float, float]
"""x and y of white, red, green and blue."""

_D65: Final = (0.3127, 0.3290)
_PRIMARIES: Final[dict[int, Chromaticities]] = {
    1: (*_D65, 0.640, 0.330, 0.300, 0.600, 0.150, 0.060),
    4: (0.310, 0.316, 0.670, 0.330, 0.210, 0.710, 0.140, 0.080),
    5: (*_D65, 0.640, 0.330, 0.290, 0.600, 0.150, 0.060),
    6: (*_D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    7: (*_D65, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    9: (*_D65, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),
    11: (0.314, 0.351, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
    12: (*_D65, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),
}
"""Colour primaries by their code point in H.273, table 2."""

SRGB: Final = 1
"""The code point of sRGB's primaries."""
_UNSPECIFIED: Final = 2
_LINEAR: Final = 8
_PQ: Final = 16
_HLG: Final = 18
_GAMMAS: Final = {4: 2.2, 5: 2.8, 17: 2.6}
"""Transfer characteristics that are a power; those not listed here (BT.709, BT.601, BT.2020) are read as sRGB's, as
browsers do."""

_SDR_WHITE: Final = 203.0
"""Luminance in cd/m2 at which HDR images show diffuse white (Rec. ITU-R BT.2408)."""
_HLG_PEAK: Final = 1000.0
_CONTENT_PEAK: Final = 99.9
"""Percentile that counts as the brightest of an HDR image: a few reflections would darken all of it."""

_KNEE: Final = 0.5
"""Of SDR white, in linear light: up to here HDR images look as their SDR versions do."""

_SAME: Final = 2
"""Levels of 255 by which a profile may differ from sRGB to be taken for it: pixels then stay as they are stored."""
_ENCODED: Final = 4096
"""Steps of the table that encodes linear light."""


@dataclass(frozen=True, slots=True)
class Colour:
    """What a file states of its colour space; nothing means sRGB.

    Attributes:
        profile: an ICC profile.
        cicp: code points of the primaries and of the transfer characteristics (H.273); used without a profile.
        gamma: exponent of a PNG's gAMA chunk, 0.45455 for most; used without the two above.
        chromaticities: of a PNG's cHRM chunk; used with `gamma`.
    """

    profile: bytes | None = None
    cicp: tuple[int, int] | None = None
    gamma: float | None = None
    chromaticities: Chromaticities | None = None


def to_srgb(pixels: Pixels, mode: str, colour: Colour) -> Pixels:
    """Return the sRGB of pixels; a profile that is damaged or for another kind of colours is ignored.

    Args:
        pixels: uint8, height x width (gray) or height x width x 3 (RGB, Lab) or 4 (CMYK).
        mode: `L`, `RGB`, `CMYK` or `LAB` (ICC's encoding), as Pillow names them.
    """
    if mode == "LAB":
        pixels = pixels ^ np.array([0, 128, 128], np.uint8)  # Pillow takes a and b as signed, as TIFF stores them
        return _by_profile(pixels, mode, ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")))
    if colour.profile:
        try:
            return _by_profile(pixels, mode, ImageCms.getOpenProfile(io.BytesIO(colour.profile)))
        except (ImageCms.PyCMSError, OSError, ValueError):
            colour = Colour(cicp=colour.cicp)
    rgb = np.asarray(Image.fromarray(pixels, mode).convert("RGB")) if mode == "CMYK" else _rgb(pixels)
    if colour.cicp is not None:
        return _by_code_points(rgb, *colour.cicp)
    if colour.gamma:
        return _by_gamma(rgb, colour.gamma, colour.chromaticities)
    return rgb


def _rgb(pixels: Pixels) -> Pixels:
    return cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB) if pixels.ndim == 2 else pixels  # type: ignore[return-value] # noqa: PLR2004


def _by_profile(pixels: Pixels, mode: str, profile: ImageCms.ImageCmsProfile) -> Pixels:
    """Convert with a profile, perceptually.

    Raises:
        ImageCms.PyCMSError: the profile is damaged, or is for another kind of colours.
    """
    space = profile.profile.xcolor_space.strip()
    if mode == "L" and space == "RGB":
        pixels, mode = _rgb(pixels), "RGB"
    transform = ImageCms.buildTransform(profile, ImageCms.createProfile("sRGB"), mode, "RGB")
    if mode == "RGB" and _is_srgb(transform):
        return pixels
    return np.asarray(ImageCms.applyTransform(Image.fromarray(pixels, mode), transform))


def _is_srgb(transform: ImageCms.ImageCmsTransform) -> bool:
    steps = np.linspace(0, 255, 6).astype(np.uint8)
    cube: Pixels = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(-1, 6, 3)
    shown = np.asarray(ImageCms.applyTransform(Image.fromarray(cube), transform))
    return bool(np.abs(shown.astype(int) - cube).max() <= _SAME)


def _by_gamma(rgb: Pixels, gamma: float, chromaticities: Chromaticities | None) -> Pixels:
    ordinary = abs(gamma - 1 / 2.2) < 0.01  # noqa: PLR2004 - what nearly all writers mean by it is sRGB
    if chromaticities is not None and np.allclose(chromaticities, _PRIMARIES[SRGB], atol=0.005):
        chromaticities = None
    if ordinary and chromaticities is None:
        return rgb
    levels = np.linspace(0, 1, 256, dtype=np.float32)
    table = _srgb_to_linear(levels) if ordinary else levels ** np.float32(1 / gamma)
    try:
        matrix = np.eye(3) if chromaticities is None else _to_srgb_matrix(chromaticities)
    except np.linalg.LinAlgError:
        return rgb
    return _encode(table[rgb] @ matrix.T.astype(np.float32))


def _by_code_points(rgb: Pixels, primaries: int, transfer: int) -> Pixels:
    high_range = transfer in (_PQ, _HLG)
    known = _PRIMARIES.get(primaries)
    as_stored = transfer not in (_LINEAR, *_GAMMAS) and not high_range
    if as_stored and (known is None or primaries in (SRGB, _UNSPECIFIED)):
        return rgb
    light = _linear_table(transfer)[rgb]
    if transfer == _HLG:
        # The optical transfer function's system gamma for 1,000 cd/m2: BT.2100, table 5.
        luminance = light @ np.array([0.2627, 0.6780, 0.0593], np.float32)
        light *= (np.maximum(luminance, 1e-6) ** np.float32(0.2))[..., None] * np.float32(_HLG_PEAK / _SDR_WHITE)
    if high_range:
        light = _tone_mapped(light)
    return _encode(light if known is None else light @ _to_srgb_matrix(known).T.astype(np.float32))


def _linear_table(transfer: int) -> npt.NDArray[np.float32]:
    """Return the linear light of each level: 1 is SDR white; of HLG, the light of the scene, 0 to 1."""
    levels = np.linspace(0, 1, 256)
    if transfer == _PQ:
        m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
        powered = levels ** (1 / m2)
        table = (np.maximum(powered - c1, 0) / (c2 - c3 * powered)) ** (1 / m1) * (10_000 / _SDR_WHITE)
    elif transfer == _HLG:
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        table = np.where(levels <= 0.5, levels**2 / 3, (np.exp((levels - c) / a) + b) / 12)  # noqa: PLR2004
    elif transfer == _LINEAR:
        table = levels
    elif transfer in _GAMMAS:
        table = levels ** _GAMMAS[transfer]
    else:
        return _srgb_to_linear(levels.astype(np.float32))
    return table.astype(np.float32)


def _tone_mapped(light: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Compress what is brighter than `_KNEE`, by the extended curve of Reinhard et al. (2002) on the largest channel.

    Nothing changes if nothing is brighter than SDR white: an image that does not use the high range equals its SDR
    version.
    """
    brightest = np.maximum(light.max(axis=2, keepdims=True), np.float32(1e-6))
    peak = max(1.0, float(np.percentile(brightest, _CONTENT_PEAK)))
    over = np.maximum(brightest - np.float32(_KNEE), 0) / np.float32(1 - _KNEE)
    most = (peak - _KNEE) / (1 - _KNEE)
    compressed = over * (1 + over / np.float32(most * most)) / (1 + over)
    mapped = np.minimum(brightest, np.float32(_KNEE)) + compressed * np.float32(1 - _KNEE)
    toned: npt.NDArray[np.float32] = light * (mapped / brightest)
    return toned


def _srgb_to_linear(levels: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """IEC 61966-2-1."""
    return np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4).astype(np.float32)  # noqa: PLR2004


def _encode(light: npt.NDArray[np.float32]) -> Pixels:
    """Return linear light, 0 to 1, as sRGB; what lies outside is clipped."""
    steps = np.linspace(0, 1, _ENCODED)
    encoded = np.where(steps <= 0.0031308, steps * 12.92, 1.055 * steps ** (1 / 2.4) - 0.055)  # noqa: PLR2004
    table = np.round(encoded * 255).astype(np.uint8)
    return table[(np.clip(light, 0, 1) * (_ENCODED - 1) + np.float32(0.5)).astype(np.uint16)]


def _to_srgb_matrix(chromaticities: Chromaticities) -> npt.NDArray[np.float64]:
    """Return the matrix from linear RGB of these primaries to linear sRGB, with white adapted (Bradford)."""
    source, target = _to_xyz(chromaticities), _to_xyz(_PRIMARIES[SRGB])
    bradford = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
    scale = np.diag((bradford @ target.sum(axis=1)) / (bradford @ source.sum(axis=1)))
    adapted: npt.NDArray[np.float64] = np.linalg.inv(target) @ np.linalg.inv(bradford) @ scale @ bradford @ source
    return adapted


def _to_xyz(chromaticities: Chromaticities) -> npt.NDArray[np.float64]:
    xy = np.array(chromaticities, np.float64).reshape(4, 2)
    if (xy[:, 1] <= 0).any():
        raise np.linalg.LinAlgError("a chromaticity without luminance")
    xyz = np.column_stack([xy[:, 0] / xy[:, 1], np.ones(4), (1 - xy.sum(axis=1)) / xy[:, 1]])
    primaries = xyz[1:].T
    matrix: npt.NDArray[np.float64] = primaries * np.linalg.solve(primaries, xyz[0])
    return matrix
