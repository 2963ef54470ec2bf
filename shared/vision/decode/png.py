"""The chunks of a PNG, read for what OpenCV ignores or gets wrong.

W3C: Portable Network Graphics (PNG) Specification, third edition.
"""

import struct
from collections.abc import Iterator
from typing import Final

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_ANIMATION: Final = {b"acTL", b"fcTL", b"fdAT"}
_END: Final = struct.pack(">I4sI", 0, b"IEND", 0xAE426082)
_GRAY: Final = 0


def chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield (name, offset of its body, claimed length) of each chunk up to IEND; the last may exceed `data`."""
    at = len(SIGNATURE)
    while at + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        yield name, at + 8, length
        if name == b"IEND":
            return
        at += 12 + length


def chunk_body(data: bytes, wanted: bytes) -> bytes | None:
    """Return the body of the first chunk named `wanted`, or None."""
    return next((data[at : at + length] for name, at, length in chunks(data) if name == wanted), None)


def without_animation(data: bytes) -> bytes:
    """Return the PNG without its animation, and with an IEND chunk: other programs show its still image."""
    found = list(chunks(data))
    if found[-1][0] == b"IEND" and all(name != b"acTL" for name, _, _ in found):
        return data
    kept = (data[at - 8 : at + length + 4] for name, at, length in found if name not in _ANIMATION | {b"IEND"})
    return SIGNATURE + b"".join(kept) + _END


def transparent_gray(data: bytes) -> int | None:
    """Return the value that a gray PNG declares transparent, on the scale of the decoded pixels (8 or 16 bits)."""
    header, value = chunk_body(data, b"IHDR"), chunk_body(data, b"tRNS")
    if header is None or value is None or len(header) < 10 or len(value) != 2 or header[9] != _GRAY:  # noqa: PLR2004
        return None
    depth = header[8]
    gray = int.from_bytes(value, "big")
    return gray if depth >= 8 else gray * 255 // ((1 << depth) - 1)  # noqa: PLR2004
