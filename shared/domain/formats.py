"""The supported image formats, recognised by their magic bytes and never by file name or content type."""

import re
from typing import Final

from shared.domain.errors import PictureRefused

RAW_FORMATS: Final = {
    "dng": "Adobe",
    "nef": "Nikon",
    "cr2": "Canon",
    "cr3": "Canon",
    "arw": "Sony",
    "orf": "Olympus",
    "rw2": "Panasonic",
    "raf": "Fujifilm",
    "pef": "Pentax",
    "srw": "Samsung",
    "3fr": "Hasselblad",
    "crw": "Canon",
    "dcr": "Kodak",
    "erf": "Epson",
    "iiq": "Phase One",
    "mef": "Mamiya",
    "mos": "Leaf",
    "mrw": "Minolta",
    "x3f": "Sigma",
}
"""Camera RAW formats, with the name that a person knows them by."""

MEDIA_TYPES: Final = {
    "jpeg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "gif": "image/gif",
    "bmp": "image/bmp",
    "tiff": "image/tiff",
    "avif": "image/avif",
    "heic": "image/heic",
    "jxl": "image/jxl",
    **{kind: f"image/x-{maker.lower().replace(' ', '')}-{kind}" for kind, maker in RAW_FORMATS.items()},
}

_ENDINGS: Final = {
    "jpeg": "jpg jpeg jpe jfif mpo jpg_large",
    "png": "png apng",
    "bmp": "bmp dib",
    "tiff": "tif tiff",
    "avif": "avif avifs",
    "heic": "heic heif hif heics heifs",
}
ENDINGS: Final = tuple(ending for kind in MEDIA_TYPES for ending in _ENDINGS.get(kind, kind).split())
"""Endings of the names that files of these formats have. They only choose files in a folder, and in a dialogue; what
a file is, its bytes decide."""

ANIMATED: Final = ("gif", "webp", "png", "avif")
"""Formats whose further images are the frames of an animation."""

UNKNOWN_TYPE: Final = "application/octet-stream"
_NOT_IMAGES: Final = {"image/svg+xml"}

TAKEN: Final = "JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF, HEIC, JPEG XL or camera RAW"
"""The formats, as a refusal lists them."""

_MAGIC: Final = re.compile(
    rb"(?P<jpeg>\xff\xd8\xff)|(?P<png>\x89PNG\r\n\x1a\n)|(?P<webp>RIFF.{4}WEBP)|(?P<gif>GIF8[79]a)|(?P<bmp>BM)"
    rb"|(?P<cr2>II\*\0.{4}CR)|(?P<iiq>II\*\0.{4}IIII|MM\0\*.{4}RawT)|(?P<tiff>II[*+]\0|MM\0[*+])"
    rb"|(?P<orf>IIR[OS]|MMOR)|(?P<rw2>IIU\0)|(?P<raf>FUJIFILMCCD-RAW)|(?P<crw>II\x1a\0\0\0HEAPCCDR)"
    rb"|(?P<mrw>\0MRM)|(?P<x3f>FOV\x62)|(?P<jxl>\xff\x0a|\0\0\0\x0cJXL \r\n\x87\n)|(?P<ftyp>.{4}ftyp)",
    re.DOTALL,
)
_BRANDS: Final = {
    b"avif": "avif",
    b"avis": "avif",
    **dict.fromkeys((b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs"), "heic"),
    b"crx ": "cr3",
}
"""Formats by the brands of a file in ISO's base media format: ISO/IEC 23008-12, annex B; AV1 Image File Format, 9."""
_ANY_CODEC: Final = {b"mif1", b"msf1", b"mif2", b"miaf"}
"""Brands of HEIF that do not name the codec."""

_NOT_TAKEN: Final = (
    (rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51", "JPEG 2000"),
    (rb"8BPS", "Photoshop document"),
    (rb"%PDF|%!PS", "PDF or PostScript document"),
    (rb"\s*(<\?xml|<svg|<!DOCTYPE svg)", "SVG or another XML document"),
    (rb"\0\0[\x01\x02]\0[^\0]\0", "Windows icon or cursor"),
    (rb".[\0\x01][\x01-\x03\x09-\x0b].{5}.{8}[\x08\x10\x18\x20]", "Targa image"),
    (rb"v/1\x01", "OpenEXR image"),
    (rb"#\?RADIANCE", "Radiance HDR image"),
    (rb"DDS ", "DirectDraw texture"),
    (rb"II\xbc", "JPEG XR image"),
    (rb"P[1-7]\s", "Netpbm image"),
    (rb".{4}ftyp", "video, or an image in a codec that is not supported"),
    (rb"\x0a[\0-\x05]\x01[\x01\x02\x04\x08]", "PCX image"),
    (rb"\x01\xda[\0\x01][\x01\x02]", "SGI image"),
    (rb"icns", "Macintosh icon"),
    (rb"qoif", "QOI image"),
    (rb"FLIF", "FLIF image"),
    (rb"BPG\xfb", "BPG image"),
    (rb"AT&TFORM", "DjVu document"),
    (rb"gimp xcf", "GIMP document"),
    (rb"SIMPLE  =", "FITS image"),
    (rb".{128}DICM", "DICOM image"),
    (rb"\xd7\xcd\xc6\x9a|\x01\0\0\0.{36} EMF", "Windows metafile"),
    (rb"\s*<(!doctype html|!DOCTYPE html|html|HTML)", "web page"),
    (rb"PK\x03\x04", "ZIP archive or Office document"),
    (rb"\x1f\x8b\x08|7z\xbc\xaf|Rar!", "compressed archive"),
    (rb"ID3|OggS|fLaC|RIFF.{4}WAVE", "sound file"),
    (rb"\x1a\x45\xdf\xa3|RIFF.{4}AVI ", "video"),
)


def upload_type(stated: str) -> str | None:
    """Return the media type for an upload whose sender states this one; None if it names something else than an image.

    Senders guess the type from the file's name, and cameras and messengers invent names: the bytes decide what the
    image is, so that any type of image is taken, and no type at all.
    """
    kind = stated.split(";", maxsplit=1)[0].strip().lower()
    if kind in MEDIA_TYPES.values():
        return kind
    taken = not kind or kind.endswith("/octet-stream") or (kind.startswith("image/") and kind not in _NOT_IMAGES)
    return UNKNOWN_TYPE if taken else None


def sniff(data: bytes) -> str:
    """Return the format that the magic bytes name, a key of `MEDIA_TYPES`.

    A camera RAW file that begins as a TIFF does is a `tiff` here; only its tags distinguish it.

    Raises:
        PictureRefused: `empty` or `unsupported_type`.
    """
    if not data:
        raise PictureRefused("empty", "The file is empty.")
    found = _MAGIC.match(data)
    kind = found.lastgroup if found else None
    if kind == "ftyp":
        brands = _brands(data)
        kind = next((_BRANDS[brand] for brand in brands if brand in _BRANDS), None)
        if kind is None and _ANY_CODEC & set(brands):
            kind = "avif" if b"av01" in data[:4096] else "heic" if b"hvc1" in data[:4096] else None
    if kind:
        return kind
    raise unsupported(_described(data))


def unsupported(described: str) -> PictureRefused:
    """Return the refusal of a file that is something else than is taken, such as `a video`."""
    return PictureRefused(
        "unsupported_type",
        f"The file is {described}, whatever its name says. Send a {TAKEN} file; convert others to one of them.",
    )


def _described(data: bytes) -> str:
    name = next((name for magic, name in _NOT_TAKEN if re.match(magic, data, re.DOTALL)), None)
    if name is None:
        return "not an image in a supported format"
    article = "an" if name.startswith(("SVG", "Open", "SGI")) else "a"
    return f"{article} {name}"


def _brands(data: bytes) -> list[bytes]:
    size = min(int.from_bytes(data[:4], "big"), len(data), 256)
    return [data[8:12], *(data[at : at + 4] for at in range(16, size - 3, 4))]
