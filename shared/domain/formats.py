"""The supported image formats, recognised by their magic bytes and never by file name or content type."""

import re
from typing import Final

from shared.domain.errors import PictureRefused

MEDIA_TYPES: Final = {
    "jpeg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "gif": "image/gif",
    "bmp": "image/bmp",
    "tiff": "image/tiff",
    "avif": "image/avif",
}

_MAGIC: Final = re.compile(
    rb"(?P<jpeg>\xff\xd8\xff)|(?P<png>\x89PNG\r\n\x1a\n)|(?P<webp>RIFF.{4}WEBP)|(?P<gif>GIF8[79]a)|(?P<bmp>BM)"
    rb"|(?P<tiff>II[*+]\0|MM\0[*+])|(?P<avif>.{4}ftyp)",
    re.DOTALL,
)
_AVIF_BRANDS: Final = {b"avif", b"avis"}


def sniff(data: bytes) -> str:
    """Return the format that the magic bytes name, a key of `MEDIA_TYPES`.

    Raises:
        PictureRefused: `empty` or `unsupported_type`.
    """
    if not data:
        raise PictureRefused("empty", "The file is empty.")
    found = _MAGIC.match(data)
    if found and (found.lastgroup != "avif" or _AVIF_BRANDS & set(_brands(data))):
        return str(found.lastgroup)
    raise PictureRefused(
        "unsupported_type", "The file is not a JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF image, whatever its name says."
    )


def _brands(data: bytes) -> list[bytes]:
    size = min(int.from_bytes(data[:4], "big"), len(data), 256)
    return [data[8:12], *(data[at : at + 4] for at in range(16, size - 3, 4))]
