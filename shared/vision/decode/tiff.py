"""TIFF by tifffile and imagecodecs, which read every sample type and compression; what they lack by Pillow.

Adobe: TIFF Revision 6.0, 1992; BigTIFF as libtiff defines it.
"""

import io
import itertools
from typing import Any, Final

import imagecodecs
import numpy as np
import numpy.typing as npt
from PIL import Image, TiffImagePlugin
from tifffile import COMPRESSION, PHOTOMETRIC, TiffFile, TiffPage

from shared.domain.errors import PictureRefused
from shared.vision.decode.colour import Colour
from shared.vision.decode.headers import Header, check_size
from shared.vision.decode.stored import Stored
from shared.vision.pixels import Pixels

PLUGINS: Final = (TiffImagePlugin, imagecodecs)

_GRAYS: Final = (PHOTOMETRIC.MINISWHITE, PHOTOMETRIC.MINISBLACK)
_ASSOCIATED, _UNASSOCIATED = 1, 2
_DEPTHS: Final = (8, 10, 12, 14, 16)
"""Depths of cameras and scanners; the samples of a 16-bit file have the smallest one that holds all of them."""
_SIGNED_DEPTHS: Final = (7, 8, 10, 12, 14, 15)
_MAX_PAGES: Final = 100
"""Pages among which the first one is looked for that is not a reduced image."""
_PHOTOMETRIC, _PROFILE, _ORIENTATION, _EXTRA_SAMPLES = 262, 34675, 274, 338
_FAX: Final = (COMPRESSION.CCITTRLE, COMPRESSION.CCITT_T4, COMPRESSION.CCITT_T6)
_FAINT: Final = 1 / 16
"""Largest value of floats below which they are not shares of 1: the image would be nearly black."""
_FEW, _SLIGHT = 0.01, 0.1
"""Share of the samples, and of the largest value, up to which negative values are errors of a filter, and black."""
_ABSENT: Final = -1e30
"""Values below are no samples, but mark pixels that have none."""
_LAB: Final = (PHOTOMETRIC.CIELAB, PHOTOMETRIC.ICCLAB)
_BY_PILLOW: Final = (PHOTOMETRIC.YCBCR,)
"""Subsampled YCbCr that is not a JPEG; tifffile does not convert it."""


def decode(data: bytes, _header: Header) -> Stored:
    """Decode the first page that is not a reduced copy of another.

    Raises:
        PictureRefused: `corrupt`, with what the file has that is not known.
        struct.error, ValueError, OSError: the file is damaged.
    """
    with TiffFile(io.BytesIO(data)) as file:
        page = first_page(file)
        return decode_page(page, data)


def first_page(file: TiffFile) -> TiffPage:
    """Return the first page that is not marked as a reduced image, in its directory's sub-directories if need be.

    The first one if all are.
    """
    pages = (page.aspage() for page in itertools.islice(file.pages, _MAX_PAGES))
    first = file.pages.first
    below = (page.aspage() for page in itertools.islice(first.pages or (), _MAX_PAGES))
    return next((page for page in itertools.chain(pages, below) if not page.is_reduced), first)


def decode_page(page: TiffPage, data: bytes) -> Stored:
    """Decode one page. Raises as `decode` does."""
    check_size("tiff", page.imagewidth, page.imagelength)
    for offset, count in zip(page.dataoffsets, page.databytecounts, strict=False):
        if count == 0 or offset + count > len(data):
            raise ValueError("a strip or tile is not in the file")
    profile = _value(page, _PROFILE)
    colour = Colour(bytes(profile) if profile else None)
    orientation = int(_value(page, _ORIENTATION) or 1)
    if page.photometric in _BY_PILLOW and page.compression not in (COMPRESSION.JPEG, COMPRESSION.WEBP):
        return _by_pillow(data, colour, orientation)
    try:
        samples = _samples(page)
    except (ValueError, RuntimeError, TypeError, KeyError, ImportError, NotImplementedError) as error:
        return _by_pillow(data, colour, orientation, error)
    return _stored(page, samples, colour, orientation)


def _value(page: TiffPage, code: int) -> Any:
    tag = page.tags.get(code)
    return None if tag is None else tag.value


def _samples(page: TiffPage) -> npt.NDArray[Any]:
    """Return the samples, height x width (x samples)."""
    samples: npt.NDArray[Any] = page.asarray(maxworkers=1)
    if page.planarconfig == 2 and samples.ndim == 3 and page.samplesperpixel > 1:  # noqa: PLR2004
        samples = np.moveaxis(samples, 0, -1)
    if samples.shape[:2] != (page.imagelength, page.imagewidth) or samples.ndim > 3:  # noqa: PLR2004
        raise ValueError("not the samples of an image")
    return samples[:, :, 0] if samples.ndim == 3 and samples.shape[2] == 1 else samples  # noqa: PLR2004


def _stored(page: TiffPage, samples: npt.NDArray[Any], colour: Colour, orientation: int) -> Stored:
    photometric = _photometric(page)
    if photometric == PHOTOMETRIC.PALETTE and page.colormap is not None and samples.ndim == 2:  # noqa: PLR2004
        table = (page.colormap >> 8 if page.colormap.max() > 255 else page.colormap).astype(np.uint8).T  # noqa: PLR2004
        return Stored(np.take(table, samples, axis=0, mode="clip"), "RGB", colour, orientation)
    if photometric in _LAB:
        return Stored(_lab(samples, signed=photometric == PHOTOMETRIC.CIELAB), "LAB", colour, orientation)
    if photometric == PHOTOMETRIC.SEPARATED:
        colours, mode = 4, "CMYK"
    elif photometric in _GRAYS:
        colours, mode = 1, "L"
    elif photometric in (PHOTOMETRIC.RGB, PHOTOMETRIC.YCBCR):
        colours, mode = 3, "RGB"
    else:
        raise PictureRefused("corrupt", f"The TIFF has colours that are not known: {_name(photometric)}.")
    planes = samples if samples.ndim == 3 else samples[:, :, None]  # noqa: PLR2004
    if planes.shape[2] < colours:
        raise ValueError("fewer samples than colours")
    pixels = to_uint8(planes[:, :, :colours], _bits(page))
    if photometric == PHOTOMETRIC.MINISWHITE:
        pixels = 255 - pixels
    extra = _value(page, _EXTRA_SAMPLES)
    kind = extra[0] if isinstance(extra, tuple) and extra else extra
    if kind in (_ASSOCIATED, _UNASSOCIATED) and planes.shape[2] > colours and mode != "CMYK":
        alpha = _full_range(planes[:, :, colours : colours + 1])
        pixels = np.concatenate([pixels, alpha], axis=2)
    elif mode == "L":
        pixels = pixels[:, :, 0]
    return Stored(np.ascontiguousarray(pixels), mode, colour, orientation, premultiplied=kind == _ASSOCIATED)


def _photometric(page: TiffPage) -> int:
    """Return the meaning of the samples; where the file does not state it, what libtiff assumes."""
    if _PHOTOMETRIC in page.tags:
        return int(page.photometric)
    if page.samplesperpixel >= 3:  # noqa: PLR2004
        return int(PHOTOMETRIC.RGB)
    return int(PHOTOMETRIC.MINISWHITE if page.compression in _FAX else PHOTOMETRIC.MINISBLACK)


def _bits(page: TiffPage) -> int:
    bits = page.bitspersample
    return int(bits if isinstance(bits, int) else max(bits))


def to_uint8(samples: npt.NDArray[Any], bits: int | None = None) -> Pixels:
    """Scale samples to 0-255 by what they hold: from 0 on, or from the least one if many are negative.

    Args:
        bits: of each sample in the file, if it is less than the array's type has.
    """
    if samples.dtype == np.bool_:
        return samples.astype(np.uint8) * 255
    if samples.dtype == np.uint8:
        if bits is None or bits >= 8:  # noqa: PLR2004
            return samples
        return _scaled(samples, (1 << bits) - 1)
    if samples.dtype.kind == "f":
        missing = ~np.isfinite(samples)
        if samples.dtype.itemsize > 2:  # noqa: PLR2004 - half floats have no such values
            missing |= samples < _ABSENT
        if missing.any():
            samples = np.where(missing, samples.min(where=~missing, initial=0), samples)
    brightest = float(samples.max(initial=0))
    if samples.dtype.kind != "u" and _is_signed(samples, brightest):
        return _stretched(samples)
    return _scaled(samples, _full(samples.dtype, brightest, bits))


def _full(kind: np.dtype[Any], brightest: float, bits: int | None) -> float:
    """Return the value that is white, of samples from 0 to `brightest`."""
    if kind.kind == "f":
        fulls = (1.0, 255.0, 65535.0) if brightest >= _FAINT else ()
        return next((full for full in fulls if brightest <= full), brightest or 1.0)
    if kind.itemsize <= 2:  # noqa: PLR2004
        depths = _SIGNED_DEPTHS if kind.kind == "i" else _DEPTHS
        full = next((1 << depth) - 1 for depth in depths if brightest < 1 << depth)
        return max(full, (1 << bits) - 1) if bits is not None and 8 < bits < 16 else full  # noqa: PLR2004
    return max(brightest, 1)


def _is_signed(samples: npt.NDArray[Any], brightest: float) -> bool:
    """Return whether negative values are part of the image."""
    return bool(-float(samples.min()) > _SLIGHT * brightest and np.count_nonzero(samples < 0) > _FEW * samples.size)


def _stretched(samples: npt.NDArray[Any]) -> Pixels:
    """Scale samples from their least to their largest value, as viewers show measured values, to 0-255."""
    least, most = float(samples.min()), float(samples.max())
    return _scaled(samples, max(most - least, 1e-30), least)


def _full_range(samples: npt.NDArray[Any]) -> Pixels:
    """Scale alpha, which has the whole range of its type, to 0-255."""
    full = np.iinfo(samples.dtype).max if samples.dtype.kind in "ui" else 1
    return _scaled(samples, full)


def _scaled(samples: npt.NDArray[Any], full: float, black: float = 0) -> Pixels:
    scaled = np.empty(samples.shape, np.uint8)
    for row, shown in zip(samples, scaled, strict=True):
        light = row.astype(np.float32) - np.float32(black)
        shown[...] = np.clip(light * np.float32(255 / full) + np.float32(0.5), 0, 255)
    return scaled


def _lab(samples: npt.NDArray[Any], *, signed: bool) -> Pixels:
    """Return CIE L*a*b* as ICC encodes it in 8 bits: a and b have an offset of 128, which a CIELab TIFF lacks."""
    if samples.ndim != 3 or samples.shape[2] < 3 or samples.dtype.itemsize > 2:  # noqa: PLR2004
        raise ValueError("not L*a*b*")
    deep = samples[:, :, :3]
    lab = (deep.view(np.uint16) >> 8 if deep.dtype.itemsize == 2 else deep.view(np.uint8)).astype(np.uint8)  # noqa: PLR2004
    return lab ^ np.array([0, 128, 128], np.uint8) if signed else lab


def _by_pillow(data: bytes, colour: Colour, orientation: int, cause: Exception | None = None) -> Stored:
    """Decode with Pillow, whose libtiff reads old-style JPEG and subsampled colours, and refuses what it lacks."""
    try:
        image = Image.open(io.BytesIO(data), formats=["TIFF"])
        image.load()
    except (OSError, SyntaxError, ValueError, TypeError, KeyError) as error:
        raise PictureRefused("corrupt", f"The TIFF cannot be decoded: {cause or error}.") from error
    mode = "L" if image.mode in ("1", "L", "LA") else "RGB"
    return Stored(image, mode, colour, orientation)


def _name(code: Any) -> str:
    return getattr(code, "name", str(code))
