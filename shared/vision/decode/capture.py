"""When, by what and where an image was taken, read from Exif, or from XMP if Exif has no date."""

import io
import re
from typing import Final

import pi_heif

from shared.domain.capture import Capture, camera_name, parse_date, position
from shared.domain.formats import RAW_FORMATS
from shared.vision.decode import exif, pillow
from shared.vision.decode.headers import Header

_XMP_DATES: Final = tuple(
    re.compile(rb"\b%s\s*(?:=\s*[\"']|>)\s*([0-9][^\"'<>]{3,39})" % name)
    for name in (b"exif:DateTimeOriginal", b"photoshop:DateCreated")
)
_DATES: Final = (
    (exif.ORIGINAL, exif.ORIGINAL_FRACTION, exif.ORIGINAL_OFFSET),
    (exif.DIGITIZED, exif.DIGITIZED_FRACTION, exif.DIGITIZED_OFFSET),
)
_CANON_BLOCKS: Final = re.compile(rb"CMT([124])(?=II\*\0|MM\0\*)")
"""A CR3 keeps the first directory, that of Exif and that of GPS in boxes of their own."""
_PREVIEW: Final = re.compile(rb"\xff\xd8\xff[\xe0\xe1]..(?:Exif|JFIF)\0", re.DOTALL)
_ANGLE: Final = 3


def read_capture(data: bytes, header: Header) -> Capture:
    """Return what the file states; nothing if what it has is damaged or absurd."""
    try:
        return _read(data, header.format)
    except Exception:
        return Capture()


def _read(data: bytes, kind: str) -> Capture:
    if kind in ("avif", "heic"):
        block, xmp = _of_heif(data, kind)
    elif kind in RAW_FORMATS and data[:2] not in (b"II", b"MM"):
        block, xmp = _of_raw(data)
    else:
        block, xmp = exif.blocks(data)
    tags, gps = exif.read_tags(block)
    if kind == "cr3":
        tags, gps = _of_canon(data)
    latitude, longitude = _location(gps) or (None, None)
    camera = camera_name(exif.text(tags, exif.MAKE), exif.text(tags, exif.MODEL))
    return Capture(_taken_at(tags, xmp), camera, latitude, longitude)


def _of_heif(data: bytes, kind: str) -> tuple[bytes, bytes]:
    if kind == "avif":
        info = pillow.open_image(data, kind).info
    else:
        file = pi_heif.open_heif(io.BytesIO(data))
        info = file[file.primary_index].info
    return exif.block_of(info.get("exif") or b""), (info.get("xmp") or b"")[: exif.MAX_XMP]


def _of_raw(data: bytes) -> tuple[bytes, bytes]:
    """Return the blocks of the first JPEG in a camera RAW file that does not begin as a TIFF does."""
    found = _PREVIEW.search(data)
    return exif.blocks(data[found.start() :]) if found else (b"", b"")


def _of_canon(data: bytes) -> tuple[exif.Tags, exif.Tags]:
    parts = {int(found[1]): data[found.end() :] for found in _CANON_BLOCKS.finditer(data[: 1 << 20])}
    image, details, gps = (exif.read_directory(parts.get(number, b"")) for number in (1, 2, 4))
    return {**image, **details}, gps


def _taken_at(tags: exif.Tags, xmp: bytes) -> str | None:
    """Return the first credible date: the exposure's in Exif, then in XMP, then that of the digital image."""
    original, digitized = (
        parse_date(exif.text(tags, date), exif.text(tags, fraction), exif.text(tags, offset))
        for date, fraction, offset in _DATES
    )
    if original:
        return original
    for pattern in _XMP_DATES:
        found = pattern.search(xmp)
        taken = found and parse_date(found[1].decode("latin-1"))
        if taken:
            return taken
    return digitized


def _location(gps: exif.Tags) -> tuple[float, float] | None:
    latitude = _degrees(gps, exif.LATITUDE, exif.LATITUDE_REF, "NS")
    longitude = _degrees(gps, exif.LONGITUDE, exif.LONGITUDE_REF, "EW")
    return None if latitude is None or longitude is None else position(latitude, longitude)


def _degrees(gps: exif.Tags, tag: int, reference: int, signs: str) -> float | None:
    """Return an angle of degrees, minutes and seconds; None without its hemisphere."""
    angle, hemisphere = gps.get(tag), exif.text(gps, reference)[:1].upper()
    if not isinstance(angle, tuple) or len(angle) != _ANGLE or hemisphere not in tuple(signs):
        return None
    degrees = angle[0] + angle[1] / 60 + angle[2] / 3600
    return -degrees if hemisphere == signs[1] else degrees
