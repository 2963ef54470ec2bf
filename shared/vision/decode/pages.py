"""Files with more than one image: find the pages and frames that show something new."""

import contextlib
import io
import itertools
import struct
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pi_heif
from PIL import Image, MpoImagePlugin
from tifffile import TiffFile, TiffPage

from shared.domain.errors import PictureRefused
from shared.domain.formats import ANIMATED
from shared.domain.limits import MAX_CHUNKS, MAX_PAGES_SEARCHED
from shared.vision.decode import headers, jpeg, pillow, tiff
from shared.vision.decode.headers import Header, check_size
from shared.vision.decode.stored import Stored, upright_srgb
from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels
from shared.vision.resizing import resize_square
from shared.vision.sheets import Page

MAX_SCENES: Final = 4
"""Maximum number of frames of an animation that are described."""

_MAX_PAGES: Final = 1000
_SAMPLED: Final = 16
"""Frames of an animation that are looked at, evenly spread."""
_FRAME_PIXELS: Final = 30_000_000
"""Pixels of all frames that are decoded at most; each frame of an animation needs those before it."""
_FLAT: Final = 4.0
"""Standard deviation of gray levels below which a frame shows nothing, such as the black one at the start of a fade."""
_NEW: Final = 0.6
"""Correlation with each chosen frame below which a frame shows something new. Pages of documents have one layout and
say different things: all of them are described."""
_FADED: Final = 0.9
"""Share of the largest deviation below which a frame may be fading in."""
_SIDE: Final = 32
_FURTHER_PIXELS: Final = 50_000_000
"""Pixels of all further images of a HEIC or JPEG that are decoded at most."""
_GAIN_MAPS: Final = (b"hdrgm:", b"urn:iso:std:iso:ts:21496")
"""What a JPEG contains whose second image only brightens the first one: Ultra HDR, ISO 21496-1."""
_MPF: Final = b"MPF\0"
"""CIPA DC-007: begins the segment that lists the images in a JPEG; it follows Exif and, in some files, a profile."""
_MPF_WITHIN: Final = 1 << 18
_MILLISECONDS: Final = 1000
_GIF_FRAME: Final = b"\0\x2c"
"""The end of what precedes a frame, and its first byte."""
_STOPS: Final = (
    *(OSError, SyntaxError, ValueError, TypeError, LookupError, RuntimeError, ArithmeticError, AttributeError),
    *(EOFError, MemoryError, struct.error, cv2.error, PictureRefused),
)
"""What ends the search for further pages: the first one is shown whatever the others are."""


def count(data: bytes, header: Header) -> int:
    """Return the number of pages, frames or images in the file, `MAX_CHUNKS` at most; 1 if it cannot be told."""
    if header.format == "gif" and data.count(_GIF_FRAME) > MAX_CHUNKS:
        return 1  # counting alone would take seconds
    with contextlib.suppress(*_STOPS):
        if header.format in ANIMATED and (header.format != "webp" or header.animated):
            return min(MAX_CHUNKS, getattr(pillow.open_image(data, header.format), "n_frames", 1))
        if header.format == "tiff":
            with TiffFile(io.BytesIO(data)) as file:
                return max(1, sum(1 for _ in _tiff_pages(file)))
        if header.format == "heic":
            return len(pi_heif.open_heif(io.BytesIO(data)))
        if header.format == "jpeg":
            return 1 + len(_further_jpegs(data, header))
    return 1


def shown_pages(first: Pixels, data: bytes, header: Header, pages: int) -> list[Page]:
    """Return the pages, or frames, that show something new, in their order.

    Args:
        first: the first one.
        pages: number of pages in the file, at least 2.
    """
    animated = header.format in ANIMATED
    found = [Page(first, 1, 0.0 if animated else None)]
    with contextlib.suppress(*_STOPS):
        for number, seconds, stored in _further(data, header, pages):
            found.append(Page(upright_srgb(stored), number, seconds))
    if header.format == "tiff":
        return [page for page in found if _small(page.rgb).std() >= _FLAT] or found[:1]
    return telling(found, MAX_SCENES if animated else MAX_PAGES_SEARCHED)


def _further(data: bytes, header: Header, pages: int) -> Iterator[tuple[int, float | None, Stored]]:
    """Yield pages after the first one, or frames spread over the animation, up to the first that is damaged."""
    most = min(MAX_PAGES_SEARCHED - 1, _FURTHER_PIXELS // max(1, header.width * header.height))
    match header.format:
        case "tiff":
            with TiffFile(io.BytesIO(data)) as file:
                for number, page in enumerate(itertools.islice(_tiff_pages(file), 1, MAX_PAGES_SEARCHED), 2):
                    yield number, None, tiff.decode_page(page, data)
        case "heic":
            for number, stored in enumerate(pillow.further_heics(data, most), 2):
                yield number, None, stored
        case "jpeg":
            for number, part in enumerate(_further_jpegs(data, header)[:most], 2):
                yield number, None, jpeg.decode(part, headers.check(part))
        case _:
            yield from _frames(pillow.open_image(data, header.format), pages)


def _further_jpegs(data: bytes, header: Header) -> list[bytes]:
    """Return the images after the first one of a JPEG with several of one size, as stereo and burst cameras write them.

    Previews and gain maps are not images of their own.
    """
    if data.find(_MPF, 0, _MPF_WITHIN) < 0 or any(mark in data for mark in _GAIN_MAPS):
        return []
    opened = pillow.open_image(data, "jpeg")
    if not isinstance(opened, MpoImagePlugin.MpoImageFile):
        return []
    found = []
    for number in range(1, min(opened.n_frames, MAX_PAGES_SEARCHED)):
        opened.seek(number)
        if opened.size == (header.width, header.height):
            found.append(data[opened.offset :])
    return found


def _tiff_pages(file: TiffFile) -> Iterator[TiffPage]:
    pages = (page.aspage() for page in itertools.islice(file.pages, _MAX_PAGES))
    return (page for page in pages if not page.is_reduced)


def _frames(image: Image.Image, pages: int) -> Iterator[tuple[int, float, Stored]]:
    width, height = image.size
    elapsed = float(image.info.get("duration", 0))
    last = min(pages, max(1, _FRAME_PIXELS // (width * height)))
    sampled = {*np.linspace(0, last - 1, min(_SAMPLED, last)).astype(int).tolist()}
    for number in range(1, last):
        image.seek(number)
        check_size(str(image.format).lower(), *image.size)
        if number in sampled:
            stored = pillow.frame(image)
            # WebP and AVIF state the time, once a frame is loaded; GIF and PNG only how long each frame is shown.
            yield number + 1, float(image.info.get("timestamp", elapsed)) / _MILLISECONDS, stored
        elapsed += float(image.info.get("duration", 0))


def telling(found: Sequence[Page], most: int) -> list[Page]:
    """Return the pages that show something new, in their order; the first of all if none shows anything."""
    small = [_small(page.rgb) for page in found]
    detail = [float(gray.std()) for gray in small]
    shown = [number for number, amount in enumerate(detail) if amount >= _FLAT]
    if not shown:
        return [found[0]]
    # A frame that is fading in is like the one that it becomes, which shows more.
    shown.sort(key=lambda number: (detail[number] < _FADED * max(detail), number))
    chosen: list[int] = []
    for number in shown:
        if len(chosen) < most and all(_correlation(small[number], small[other]) < _NEW for other in chosen):
            chosen.append(number)
    return [found[number] for number in sorted(chosen)]


def _small(rgb: Pixels) -> npt.NDArray[np.float32]:
    return resize_square(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.uint8), _SIDE).astype(np.float32)


def _correlation(a: npt.NDArray[np.float32], b: npt.NDArray[np.float32]) -> float:
    return float(((a - a.mean()) * (b - b.mean())).mean() / (a.std() * b.std()))
