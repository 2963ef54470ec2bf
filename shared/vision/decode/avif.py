"""The properties of an AVIF's primary image that OpenCV ignores: bit depth, rotation and mirroring.

ISO/IEC 14496-12 (boxes), ISO/IEC 23008-12, 6.5 (irot, imir, ispe), AV1 in ISOBMFF, 2.3 (av1C).
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shared.vision.pixels import Pixels


@dataclass(frozen=True, slots=True)
class Properties:
    """How the primary image is stored.

    Attributes:
        depth: bits per sample: 8, 10 or 12.
        transforms: (`irot` or `imir`, its value), in the order in which they apply.
    """

    depth: int = 8
    transforms: tuple[tuple[bytes, int], ...] = ()

    def upright(self, pixels: Pixels) -> Pixels:
        """Return the pixels as a viewer shows them."""
        for name, value in self.transforms:
            pixels = np.rot90(pixels, value) if name == b"irot" else _mirrored(pixels, value)
        return np.ascontiguousarray(pixels)


def _mirrored(pixels: Pixels, axis: int) -> npt.NDArray[np.uint8]:
    return pixels[:, ::-1] if axis else pixels[::-1]


def read_properties(data: bytes) -> Properties:
    """Read the properties of the primary image; those that are missing or unreadable keep their defaults."""
    meta = _child(data, b"meta")[4:]
    item = _primary_item(_child(meta, b"pitm"))
    known = list(_boxes(_child(_child(meta, b"iprp"), b"ipco")))
    depth, transforms = 8, []
    for index in _associations(_child(_child(meta, b"iprp"), b"ipma")).get(item, ()):
        if not 1 <= index <= len(known):
            continue
        name, value = known[index - 1]
        if name == b"av1C" and len(value) > 2:  # noqa: PLR2004
            depth = (12 if value[2] & 0x20 else 10) if value[2] & 0x40 else 8
        elif name == b"irot" and value:
            transforms.append((name, value[0] & 3))
        elif name == b"imir" and value:
            transforms.append((name, value[0] & 1))
    return Properties(depth, tuple(transforms))


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield (type, body) of each box in `data`."""
    at = 0
    while at + 8 <= len(data):
        size, start = int.from_bytes(data[at : at + 4], "big"), 8
        if size == 1:
            size, start = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        elif size == 0:
            size = len(data) - at
        if size < start:
            return
        yield data[at + 4 : at + 8], data[at + start : at + size]
        at += size


def _child(data: bytes, wanted: bytes) -> bytes:
    return next((body for name, body in _boxes(data) if name == wanted), b"")


def _primary_item(pitm: bytes) -> int:
    return int.from_bytes(pitm[4:6] if pitm[:1] == b"\0" else pitm[4:8], "big")


def _associations(ipma: bytes) -> dict[int, list[int]]:
    """Return the numbers of each item's properties, counted from 1, by item ID."""
    if len(ipma) < 8:  # noqa: PLR2004
        return {}
    id_size = 2 if ipma[0] == 0 else 4
    wide = bool(ipma[3] & 1)
    found: dict[int, list[int]] = {}
    at = 8
    while at + id_size < len(ipma):
        item = int.from_bytes(ipma[at : at + id_size], "big")
        count = ipma[at + id_size]
        at += id_size + 1
        step = 2 if wide else 1
        essential = 0x8000 if wide else 0x80
        numbers = (int.from_bytes(ipma[at + step * i : at + step * (i + 1)], "big") for i in range(count))
        found.setdefault(item, []).extend(number & ~essential for number in numbers)
        at += step * count
    return found
