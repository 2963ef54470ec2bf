"""What a file's metadata say of its origin: camera, editing program, quantisation."""

import re
from dataclasses import dataclass
from typing import Final

from shared.vision.decode import exif

_TABLES: Final = 0xDB
"""The marker of quantisation tables: ITU-T T.81, table B.1."""
_EDITORS: Final = re.compile(
    "photoshop|lightroom|gimp|snapseed|picasa|paint|affinity|capture one|darktable|rawtherapee|luminar|pixelmator|"
    "instagram|imagemagick|picsart|vsco|canva|acdsee|irfanview|faststone|xnview|digikam|photos|google|facetune|dxo|"
    "topaz",
    re.IGNORECASE,
)
LOWEST: Final = range(1, 10)
"""Places of the lowest frequencies in a quantisation table, which is in zigzag order."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a file says of itself; see `shared.domain.quality.Quality`."""

    camera: bool = False
    edited: bool = False
    step: float = 0.0


def read_metadata(data: bytes, size: tuple[int, int]) -> Metadata:
    """Return what the metadata of a JPEG, PNG, WebP or TIFF say.

    Args:
        size: width and height of the image, of which the metadata may say otherwise.
    """
    tables = (body for marker, body in exif.segments(data) if marker == _TABLES) if data[:2] == b"\xff\xd8" else ()
    step = next((found for found in map(_step, tables) if found), 0.0)
    tags, _ = exif.read_tags(exif.blocks(data)[0])
    stated = [value[0] for value in (tags.get(exif.WIDTH), tags.get(exif.HEIGHT)) if isinstance(value, tuple)]
    resized = len(stated) == len(size) and sorted(stated) != sorted(size)
    edited = _EDITORS.search(exif.text(tags, exif.SOFTWARE)) is not None
    return Metadata(exif.MAKE in tags or exif.MODEL in tags, edited or resized, step)


def _step(body: bytes) -> float:
    """Return the mean step of the lowest frequencies in the first table of a segment: ITU-T T.81, B.2.4.1."""
    if not body:
        return 0.0
    wide = body[0] >> 4
    values = [int.from_bytes(body[1 + at * (1 + wide) : 1 + (at + 1) * (1 + wide)], "big") for at in LOWEST]
    return round(sum(values) / len(values), 1)
