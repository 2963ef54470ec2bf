"""Camera RAW by the largest JPEG in it: the camera's own rendering, which is what a person sees of such a file."""

import contextlib
import io
import itertools
import re
import struct
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from tifffile import TiffFile

from shared.domain.errors import PictureRefused
from shared.domain.formats import RAW_FORMATS
from shared.vision.decode import headers, jpeg
from shared.vision.decode.headers import Header
from shared.vision.decode.pillow import orientation_of
from shared.vision.decode.stored import Stored

LEAST_PREVIEW: Final = 512
"""Pixels of the longest side: a smaller JPEG is a thumbnail, in which the image cannot be recognised by its details."""

_START: Final = re.compile(rb"\xff\xd8\xff[\xc0-\xfe]")
_MAX_PREVIEWS: Final = 64
_LOSSLESS: Final = re.compile(rb"\xff[\xc3\xc7\xcb\xcf].{2}[\x08-\x10](.{2})(.{2})[\x01-\x04]", re.DOTALL)
"""The frame header of a lossless JPEG, which is how Canon stores the sensor's values."""
_MAX_DIRECTORIES: Final = 20
_EXIF: Final = 34665
_PANASONIC_BORDERS: Final = (4, 5, 6, 7)
"""Tags of an RW2: the sensor's top, left, bottom and right border."""


def decode(data: bytes, header: Header) -> Stored:
    """Decode the largest JPEG that the file holds.

    Raises:
        PictureRefused: `camera_raw`, there is none of at least `LEAST_PREVIEW` pixels.
    """
    kind = header.format
    at, preview = max(_previews(data), key=lambda found: found[1].width * found[1].height, default=(0, Header("jpeg")))
    if max(preview.width, preview.height) < LEAST_PREVIEW:
        raise PictureRefused(
            "camera_raw",
            f"The file is a camera RAW file ({RAW_FORMATS[kind]} {kind.upper()}) without a JPEG of at least "
            f"{LEAST_PREVIEW} pixels in it, which is what is shown of RAW files. Export it as a JPEG or TIFF.",
        )
    end = len(data) if preview.end is None else preview.end + 2
    stored = jpeg.decode(data[at : at + end], preview)
    own = stored.orientation
    orientation = own if own != 1 else _orientation(data)
    size = max(_sensor_size(data), (preview.width, preview.height), key=lambda sides: sides[0] * sides[1])
    return replace(stored, orientation=orientation, size=size, damaged=False)


def _previews(data: bytes) -> Iterator[tuple[int, Header]]:
    """Yield the offset and the header of each JPEG that is not lossless and not inside another one."""
    at = 0
    for _ in range(_MAX_PREVIEWS):
        found = _START.search(data, at)
        if not found:
            return
        at = found.start()
        try:
            header = headers.check_jpeg_at(data, at)
        except PictureRefused:
            at += 2
            continue
        if header.width and header.end is not None and not _LOSSLESS.search(data, at, at + 4096):
            yield at, header
        at += 2 if header.end is None else header.end + 2


def _orientation(data: bytes) -> int:
    """Return the orientation in the first directory; 1 for formats that do not begin as a TIFF does."""
    return orientation_of(data[: 1 << 20] if data[:2] in (b"II", b"MM") else None)


def _sensor_size(data: bytes) -> tuple[int, int]:
    """Return width and height of the largest image in the file's directories; 0 if they cannot be read."""
    if data[:2] not in (b"II", b"MM"):
        return 0, 0
    order = "<" if data[:2] == b"II" else ">"
    sizes = [(0, 0)]
    with (
        contextlib.suppress(Exception),
        TiffFile(io.BytesIO(data[:2] + struct.pack(order + "H", 42) + data[4:])) as file,
    ):
        for page in itertools.islice(file.pages, _MAX_DIRECTORIES):
            for each in (page, *itertools.islice(page.aspage().pages or (), _MAX_DIRECTORIES)):
                sizes.append((each.imagewidth, each.imagelength))
        tags = file.pages.first.tags
        exif = tags[_EXIF].value if _EXIF in tags else {}
        sizes.append((exif.get("PixelXDimension", 0), exif.get("PixelYDimension", 0)))
        borders = [tags[code].value for code in _PANASONIC_BORDERS if code in tags]
        if len(borders) == len(_PANASONIC_BORDERS):
            top, left, bottom, right = borders
            sizes.append((right - left, bottom - top))
    return max(sizes, key=lambda sides: sides[0] * sides[1])
