"""The tags of a TIFF's first image.

Adobe: TIFF Revision 6.0, 1992, section 2; BigTIFF as libtiff defines it.
"""

import struct
from typing import Final

WIDTH: Final = 256
HEIGHT: Final = 257
BITS_PER_SAMPLE: Final = 258
PHOTOMETRIC: Final = 262
SAMPLES_PER_PIXEL: Final = 277
PLANAR_CONFIGURATION: Final = 284
EXTRA_SAMPLES: Final = 338
SAMPLE_FORMAT: Final = 339

RGB: Final = 2
CHUNKY: Final = 1
ASSOCIATED_ALPHA: Final = 1
UNASSOCIATED_ALPHA: Final = 2
FLOATING: Final = 3

_TYPES: Final = {3: "H", 4: "I", 16: "Q"}
_MAX_TAGS: Final = 4096


def read_tags(data: bytes) -> dict[int, int]:
    """Return the first value of every integer tag; the larger one if a tag occurs twice.

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
        values[tag] = max(values.get(tag, 0), value)
    return values
