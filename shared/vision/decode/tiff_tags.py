"""The tags of a TIFF's first image, and the camera RAW formats that begin as a TIFF does.

Adobe: TIFF Revision 6.0, 1992, section 2; BigTIFF as libtiff defines it; DNG Specification 1.7.
"""

import struct
from typing import Final

WIDTH: Final = 256
HEIGHT: Final = 257
_SUBFILE_TYPE: Final = 254
_PHOTOMETRIC: Final = 262
_MAKE: Final = 271
_DNG_VERSION: Final = 50706
_REDUCED: Final = 1
_COLOUR_FILTER_ARRAY: Final = 32803
_MAKERS: Final = {
    b"NIKON": "nef",
    b"SONY": "arw",
    b"PENTAX": "pef",
    b"RICOH": "pef",
    b"SAMSUNG": "srw",
    b"HASSELBLAD": "3fr",
    b"EASTMAN KODAK": "dcr",
    b"KODAK": "dcr",
    b"SEIKO EPSON": "erf",
    b"EPSON": "erf",
    b"MAMIYA": "mef",
    b"LEAF": "mos",
    b"PHASE ONE": "iiq",
}

_TYPES: Final = {1: "B", 2: "B", 3: "H", 4: "I", 16: "Q"}
_MAX_TAGS: Final = 4096


def kind_of(data: bytes) -> str:
    """Return `tiff`, or the camera RAW format that the tags of the first image name.

    Raises:
        struct.error: the directory, or a value, lies outside the file.
    """
    tags = read_tags(data)
    if _DNG_VERSION in tags:
        return "dng"
    if tags.get(_SUBFILE_TYPE) == _REDUCED or tags.get(_PHOTOMETRIC) == _COLOUR_FILTER_ARRAY:
        at = tags.get(-_MAKE, 0)
        make = data[at : at + 16].upper() if at else b""
        return next((kind for maker, kind in _MAKERS.items() if make.startswith(maker)), "tiff")
    return "tiff"


def read_tags(data: bytes) -> dict[int, int]:
    """Return the first value of every integer tag; the larger one if a tag occurs twice.

    The negative of the tag Make has the offset of its text.

    Raises:
        struct.error: the directory, or a value, lies outside the file.
    """
    order = "<" if data[:2] == b"II" else ">"
    big = b"+" in data[2:4]
    at = struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)[0]
    if at >= len(data):  # Python does not even accept an offset of 2 ** 63 or more
        raise struct.error("the directory lies outside the file")
    count = struct.unpack_from(order + ("Q" if big else "H"), data, at)[0]
    first, size = (8, 20) if big else (2, 12)
    entry = struct.Struct(order + ("HHQ" if big else "HHI"))
    room = 8 if big else 4
    values: dict[int, int] = {}
    for index in range(min(count, _MAX_TAGS)):
        start = at + first + size * index
        tag, kind, length = entry.unpack_from(data, start)
        if kind not in _TYPES:
            continue
        where = start + entry.size
        if length * struct.calcsize(_TYPES[kind]) > room:
            where = struct.unpack_from(order + ("Q" if big else "I"), data, where)[0]
            if where >= len(data):
                continue
        value = struct.unpack_from(order + _TYPES[kind], data, where)[0]
        if tag == _MAKE:
            values[-_MAKE] = where
        values[tag] = max(values.get(tag, 0), value)
    return values
