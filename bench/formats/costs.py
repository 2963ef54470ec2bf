"""Memory and time of decoding, by format and size."""

import io
import time
from collections.abc import Iterator
from typing import Any, Final

import imagecodecs
import numpy as np
import numpy.typing as npt
import pillow_heif
import tifffile
from PIL import Image

from bench.formats.kinds import COLOUR, encoded
from shared.domain.errors import PictureRefused
from shared.domain.limits import MIB
from shared.vision.decode.decoders import decode_in_process
from shared.vision.decode.decoding import SANDBOX, decode

SIZES: Final = {"12 MP": (4000, 3000), "48 MP": (8064, 6048), "100 MP": (11648, 8736), "200 MP": (16320, 12240)}
SHAPES: Final = {"1080 x 30,000": (1080, 30_000)}


def table() -> list[str]:
    """Return the time and the memory of the decoding process for each format and size, as Markdown."""
    sizes = SIZES | SHAPES
    lines = [f"| format | {' | '.join(sizes)} |", "|---|" + "---|" * len(sizes)]
    cells: dict[str, dict[str, str]] = {}
    for title, size in sizes.items():
        photo = COLOUR.resize(size, Image.Resampling.BILINEAR)
        for name, data in _files(photo):
            cells.setdefault(name, {})[title] = _cost(data)
    for name, measured in cells.items():
        lines.append(f"| {name} | {' | '.join(measured.get(title, '') for title in sizes)} |")
    return lines


def _files(photo: Image.Image) -> Iterator[tuple[str, bytes]]:
    width, height = photo.size
    values = np.asarray(photo)
    yield "JPEG", encoded(photo, "JPEG", quality=85)
    yield "JPEG, progressive", encoded(photo, "JPEG", quality=85, progressive=True)
    if width * height > 110_000_000:
        return
    yield "PNG", encoded(photo, "PNG", compress_level=1)
    yield "BMP", encoded(photo.quantize(64, method=Image.Quantize.FASTOCTREE), "BMP")
    yield "TIFF", _tiff(values, compression="deflate", rowsperstrip=64, compressionargs={"level": 1})
    yield "GIF", encoded(photo.quantize(64, method=Image.Quantize.FASTOCTREE), "GIF")
    yield "JPEG XL", imagecodecs.jpegxl_encode(values, level=85, effort=1)
    if max(width, height) < 16_384:
        yield "WebP", encoded(photo, "WEBP", quality=80, method=0)
    yield "HEIC", _heic(photo)
    yield "AVIF", encoded(photo, "AVIF", quality=80, speed=10)


def _tiff(values: npt.NDArray[np.uint8], **options: Any) -> bytes:
    out = io.BytesIO()
    tifffile.imwrite(out, values, photometric="rgb", metadata=None, **options)
    return out.getvalue()


def _heic(photo: Image.Image) -> bytes:
    out = io.BytesIO()
    pillow_heif.from_pillow(photo).save(out, quality=60, enc_params={"preset": "ultrafast"})
    return out.getvalue()


def _cost(data: bytes) -> str:
    """Return processor time and the peak memory of the decoding process, or why the file is refused."""
    try:
        decode(data)
    except PictureRefused as refused:
        return f"`{refused.code}`"
    memory = SANDBOX.peak_memory // MIB
    started = time.process_time()
    decode_in_process(data)
    return f"{time.process_time() - started:.2f} s, {memory} MB"
