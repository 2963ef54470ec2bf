"""Combinations of a format's usual options, such as each subsampling at each quality, and images of odd sizes."""

import io
from collections.abc import Iterator
from itertools import product
from typing import Any, Final

import imagecodecs
import numpy as np
import numpy.typing as npt
import pillow_heif
from PIL import Image

from bench.formats.kinds import (
    ALPHA,
    COLOUR,
    DEEP,
    GRAY,
    GRAY_DEEP,
    GRAY_SHOWN,
    HEIGHT,
    LOSSY,
    ON_WHITE,
    PHOTO,
    TURNS,
    WIDTH,
    Kind,
    encoded,
    exif,
    tiff,
)

STRONG: Final = 9.0
"""Tolerance, in levels of 255, at low qualities."""
QUALITIES: Final = {40: STRONG, 75: 6.0, 98: LOSSY}
SIZES: Final = ((33, 17), (128, 95), (WIDTH - 1, HEIGHT - 1))
"""Width and height: no multiples of a block, of a byte or of a word."""


def combinations() -> Iterator[Kind]:
    """Yield every combination."""
    for made in (jpegs, sizes, tiffs, webps, avifs, heics, jxls):
        yield from made()


def jpegs() -> Iterator[Kind]:
    coded: dict[str, dict[str, Any]] = {
        "": {},
        ", optimised": {"optimize": True},
        ", progressive": {"progressive": True},
    }
    for (quality, tolerance), (name, options), subsampling in product(QUALITIES.items(), coded.items(), range(3)):
        data = encoded(COLOUR, "JPEG", quality=quality, subsampling=subsampling, **options)
        yield Kind(
            "JPEG", f"{('4:4:4', '4:2:2', '4:2:0')[subsampling]} of quality {quality}{name}", data, PHOTO, tolerance
        )


def sizes() -> Iterator[Kind]:
    """Yield images whose rows end within a block, or within a byte."""
    for width, height in SIZES:
        name, shown = f"{width} x {height}", np.ascontiguousarray(PHOTO[:height, :width])
        image, gray = Image.fromarray(shown), Image.fromarray(shown).convert("L")
        shown_gray = np.dstack([np.asarray(gray)] * 3)
        palette = image.quantize(16)
        shown_palette = np.asarray(palette.convert("RGB"))
        for subsampling in range(3):
            data = encoded(image, "JPEG", quality=92, subsampling=subsampling)
            yield Kind("JPEG", f"{name}, {('4:4:4', '4:2:2', '4:2:0')[subsampling]}", data, shown, 7)
        for form in ("PNG", "BMP"):
            yield Kind(form, name, encoded(image, form), shown)
            yield Kind(form, f"{name}, gray", encoded(gray, form), shown_gray)
            yield Kind(form, f"{name}, palette", encoded(palette, form), shown_palette)
        yield Kind("GIF", name, encoded(palette, "GIF"), shown_palette)
        yield Kind("WebP", f"{name}, lossless", encoded(image, "WEBP", lossless=True), shown)
        yield Kind("WebP", f"{name}, lossy", encoded(image, "WEBP", quality=92), shown, 7)
        yield Kind("JPEG XL", name, imagecodecs.jpegxl_encode(shown, lossless=True), shown)


def tiffs() -> Iterator[Kind]:
    samples: dict[str, tuple[npt.NDArray[Any], str, npt.NDArray[np.uint8]]] = {
        "gray": (GRAY, "minisblack", GRAY_SHOWN),
        "gray of 16 bits": (GRAY_DEEP, "minisblack", GRAY_SHOWN),
        "gray, white is zero": (255 - GRAY, "miniswhite", GRAY_SHOWN),
        "RGB of 16 bits": (DEEP, "rgb", PHOTO),
        "RGB of floats": ((PHOTO / 255).astype(np.float32), "rgb", PHOTO),
    }
    for compression, (name, (values, photometric, shown)) in product(
        ("lzw", "deflate", "packbits", "zstd", "lzma", "lerc"), samples.items()
    ):
        data = tiff(values, photometric=photometric, compression=compression)
        yield Kind("TIFF", f"{name}, {compression}", data, shown)
    layouts: dict[str, dict[str, Any]] = {
        "tiles": {"tile": (64, 64)},
        "big-endian": {"byteorder": ">"},
        "predictor": {"predictor": True},
        "strips of a row": {"rowsperstrip": 1},
    }
    for compression, (name, options) in product(("lzw", "deflate", "zstd"), layouts.items()):
        data = tiff(DEEP, photometric="rgb", compression=compression, **options)
        yield Kind("TIFF", f"RGB of 16 bits, {compression}, {name}", data, PHOTO)


def webps() -> Iterator[Kind]:
    rgba = Image.fromarray(np.dstack([PHOTO, ALPHA]))
    for quality, tolerance in QUALITIES.items():
        yield Kind("WebP", f"quality {quality}", encoded(COLOUR, "WEBP", quality=quality), PHOTO, tolerance)
        data = encoded(rgba, "WEBP", quality=quality)
        yield Kind("WebP", f"alpha of quality {quality}", data, ON_WHITE, tolerance)


def avifs() -> Iterator[Kind]:
    for (quality, tolerance), subsampling in product(QUALITIES.items(), ("4:2:0", "4:2:2", "4:4:4")):
        data = encoded(COLOUR, "AVIF", quality=quality, subsampling=subsampling, speed=9)
        yield Kind("AVIF", f"{subsampling} of quality {quality}", data, PHOTO, tolerance)
    for orientation in (2, 4, 5, 7):
        data = encoded(COLOUR, "AVIF", quality=92, speed=9, exif=exif(orientation))
        yield Kind("AVIF", f"orientation {orientation}", data, TURNS[orientation], LOSSY)


def heics() -> Iterator[Kind]:
    for (quality, tolerance), chroma in product(QUALITIES.items(), (420, 422, 444)):
        out = io.BytesIO()
        pillow_heif.from_pillow(COLOUR).save(out, quality=quality, chroma=chroma)
        yield Kind(
            "HEIC", f"4:{str(chroma)[1]}:{str(chroma)[2]} of quality {quality}", out.getvalue(), PHOTO, tolerance
        )


def jxls() -> Iterator[Kind]:
    for quality, tolerance in QUALITIES.items():
        data = imagecodecs.jpegxl_encode(PHOTO, level=quality)
        yield Kind("JPEG XL", f"quality {quality}", data, PHOTO, tolerance)
