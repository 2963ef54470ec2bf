"""Find where a JPEG has a hole: bytes that were left out, in whose place are zeros, or the 0xFF of erased memory.

What decoders make of the zeros, and of all that follows until the next restart, are other pixels than the image's. The
image is therefore taken to end where the hole begins.
"""

import re
from collections.abc import Callable
from typing import Final

import numpy as np

from shared.vision.decode.headers import ERASED, Header
from shared.vision.pixels import Pixels

MORE: Final = bytes(range(1, 251)) * 4
"""Bytes for the entropy decoder that are not part of a marker."""
_LAST: Final = 8
"""Bytes at the end of a scan that are left out or exchanged: some 60 codes, of which pixels must depend."""
_PREFIX, _TABLES, _SCAN = 0xFF, 0xC4, 0xDA
_MARKER: Final = re.compile(rb"\xff[^\x00\xff]")
END: Final = b"\xff\xd9"

Load = Callable[[bytes], Pixels | None]
"""Returns the pixels of a JPEG; None if it cannot be decoded."""


def is_certain(data: bytes, header: Header) -> bool:
    """Return whether what may be a hole is one in any JPEG: erased memory, or zeros up to the end of the file."""
    at = header.hole
    return at is not None and (data.startswith(ERASED, at) or not data[at:].strip(b"\0"))


def is_hole(data: bytes, header: Header, pixels: Pixels, load: Load) -> bool:
    """Return whether zeros in a JPEG are a hole.

    Areas of one colour may be many zeros too, if the code of zeros ends a block. But the bytes between two markers are
    as many as their pixels need: with a hole there are too few, or some are left.

    Args:
        pixels: of the JPEG as it is.
    """
    at = header.hole
    marker = None if at is None else _MARKER.search(data, at)
    if marker is None or header.end is None or header.arithmetic:
        return False
    end, last = marker.start(), marker.start() - _LAST
    found = (
        not (header.progressive or _may_be_flat(data))
        or not _same(load(data[:end] + MORE + data[end:]), pixels)
        or (
            _same(load(data[:last] + data[end:]), pixels)
            and _same(load(data[:last] + MORE[:_LAST] + data[end:]), pixels)
        )
    )
    # Zeros behind all that is shown are no hole.
    return found and not _same(load(before_hole(data, header)), pixels)


def before_hole(data: bytes, header: Header) -> bytes:
    """Return the part of a JPEG before its hole, with an end marker."""
    return data[: header.hole] + END


def _may_be_flat(data: bytes) -> bool:
    """Return whether zeros end blocks in a sequential JPEG: the first symbol of a Huffman table has their code.

    ITU-T T.81, B.2.4.2 and C.2. A file without tables, as in Motion JPEG, has those of K.3, where zeros end no block.
    """
    at, flat = 2, False
    while at + 4 <= len(data) and data[at] == _PREFIX and data[at + 1] != _SCAN:
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if data[at + 1] == _TABLES:
            table, end = at + 4, min(at + 2 + length, len(data))
            while table + 17 < end:
                if data[table] >> 4 and data[table + 17] != 0:
                    return False
                flat |= data[table] >> 4 > 0
                table += 17 + sum(data[table + 1 : table + 17])
        at += 2 + max(length, 2)
    return flat


def _same(one: Pixels | None, other: Pixels) -> bool:
    return one is not None and np.array_equal(one, other)
