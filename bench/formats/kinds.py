"""Files of the kinds that people have, made with the packages' own encoders, and what a person sees of each."""

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import imagecodecs
import numpy as np
import numpy.typing as npt
import pillow_heif
import tifffile
from PIL import Image
from skimage import data as samples

from bench.formats import spaces

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Kind:
    """A file, and what a person sees of it.

    Attributes:
        group: the format.
        shown: uint8 RGB; None if a refusal is right.
        tolerance: mean difference in levels of 255 that is still right.
    """

    group: str
    name: str
    data: bytes
    shown: Pixels | None
    tolerance: float = 1.5


PHOTO: Pixels = np.ascontiguousarray(samples.astronaut()[40:328, 60:444])
HEIGHT, WIDTH = PHOTO.shape[:2]
COLOUR = Image.fromarray(PHOTO)
GRAY: Pixels = np.asarray(COLOUR.convert("L"))
GRAY_SHOWN = np.dstack([GRAY] * 3)
ALPHA: Pixels = np.tile(np.linspace(0, 255, WIDTH).astype(np.uint8), (HEIGHT, 1))
ON_WHITE = (PHOTO * (ALPHA[..., None] / 255.0) + (255.0 - ALPHA[..., None]) + 0.5).astype(np.uint8)
GRAY_ON_WHITE = np.dstack([(GRAY * (ALPHA / 255.0) + (255.0 - ALPHA) + 0.5).astype(np.uint8)] * 3)
DEEP = PHOTO.astype(np.uint16) * 257
GRAY_DEEP = GRAY.astype(np.uint16) * 257
LOSSY = 5.0
TURNS = {
    1: PHOTO,
    2: PHOTO[:, ::-1],
    3: PHOTO[::-1, ::-1],
    4: PHOTO[::-1],
    5: PHOTO.transpose(1, 0, 2),
    6: np.rot90(PHOTO, -1),
    7: PHOTO[::-1, ::-1].transpose(1, 0, 2),
    8: np.rot90(PHOTO, 1),
}
PROFILED = ("sRGB", "Display P3", "Adobe RGB", "ProPhoto", "swapped")


def everything() -> Iterator[Kind]:
    """Yield every kind."""
    for made in (jpegs, pngs, gifs, webps, bmps, tiffs, tiff_colours, avifs, heics, jxls, raws, others):
        yield from made()


def encoded(image: Image.Image, form: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def image_in(space: str) -> Image.Image:
    return Image.fromarray(np.round(spaces.stored_in(PHOTO, space) * 255).astype(np.uint8))


def exif(orientation: int) -> Image.Exif:
    block = Image.Exif()
    block[0x0112] = orientation
    return block


def jpegs() -> Iterator[Kind]:
    def kind(name: str, data: bytes, shown: Pixels = PHOTO, tolerance: float = LOSSY) -> Kind:
        return Kind("JPEG", name, data, shown, tolerance)

    plain: dict[str, dict[str, Any]] = {
        "4:4:4": {"subsampling": 0},
        "4:2:2": {"subsampling": 1},
        "4:2:0": {"subsampling": 2},
        "progressive": {"progressive": True},
        "restart intervals": {"restart_marker_rows": 1},
        "RGB": {"keep_rgb": True},
    }
    for name, options in plain.items():
        yield kind(name, encoded(COLOUR, "JPEG", quality=92, **options))
    yield kind("gray", encoded(Image.fromarray(GRAY), "JPEG", quality=92), GRAY_SHOWN)
    for orientation in range(2, 9):
        data = encoded(COLOUR, "JPEG", quality=92, exif=exif(orientation))
        yield kind(f"orientation {orientation}", data, TURNS[orientation])
    for space in PROFILED:
        data = encoded(image_in(space), "JPEG", quality=95, subsampling=0, icc_profile=spaces.profile(space))
        yield kind(f"profile {space}", data)
    light = spaces.to_light(GRAY / 255.0)
    linear = Image.fromarray(np.round(light ** (1 / 1.8) * 255).astype(np.uint8))
    yield kind("gray profile", encoded(linear, "JPEG", quality=95, icc_profile=spaces.gray_profile(1.8)), GRAY_SHOWN)
    tagged = encoded(Image.fromarray(GRAY), "JPEG", quality=95, icc_profile=spaces.profile("sRGB"))
    yield kind("gray with an RGB profile", tagged, GRAY_SHOWN)
    yield kind("damaged profile", encoded(COLOUR, "JPEG", quality=92, icc_profile=b"none of these" * 20))
    cmyk = COLOUR.convert("CMYK")
    yield kind("CMYK", encoded(cmyk, "JPEG", quality=95))
    inks = np.asarray(cmyk).reshape(-1, 4) / 255.0
    printed = np.round(spaces.from_light(spaces.ink_light(inks)) * 255).astype(np.uint8).reshape(PHOTO.shape)
    data = encoded(cmyk, "JPEG", quality=97, icc_profile=spaces.cmyk_profile())
    yield kind("CMYK profile", data, printed, 8.0)
    whole = encoded(COLOUR, "JPEG", quality=92)
    yield kind("without its end", whole[:-2])
    yield kind("followed by other bytes", whole + b"\0" * 100 + b"more")
    yield kind("two images (MPO)", encoded(COLOUR, "MPO", quality=92, save_all=True, append_images=[COLOUR.rotate(90)]))
    yield kind("with a thumbnail in its Exif", _with_thumbnail(whole))
    for share in (0.3, 0.6, 0.9):
        for end in (b"", b"\xff\xd9"):
            cut = whole[: int(len(whole) * share)]
            yield kind(f"cut at {share:.0%}{' with an end' if end else ''}", cut + end)
    for fill, name in ((b"\0", "zeros"), (b"\xff", "erased memory")):
        for form, options in (
            ("", {}),
            (", restart intervals", {"restart_marker_rows": 1}),
            (", optimised", {"optimize": True}),
        ):
            data = encoded(COLOUR, "JPEG", quality=92, **options)
            at = len(data) * 6 // 10
            yield kind(f"cut at 60% by {name} in a hole{form}", data[:at] + 512 * fill + data[at + 512 :])


def _with_thumbnail(whole: bytes) -> bytes:
    small = encoded(COLOUR.resize((120, 90)).rotate(180), "JPEG")
    body = b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0" + small
    return whole[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + whole[2:]


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(values: npt.NDArray[Any], colour_type: int, *chunks: bytes) -> bytes:
    depth = values.dtype.itemsize * 8
    rows = b"".join(b"\0" + row.astype(f">u{values.dtype.itemsize}").tobytes() for row in values)
    header = struct.pack(">IIBBBBB", values.shape[1], values.shape[0], depth, colour_type, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    return start + b"".join(chunks) + chunk(b"IDAT", zlib.compress(rows, 6)) + chunk(b"IEND", b"")


def interlaced(values: Pixels) -> bytes:
    """Return an RGB PNG with Adam7 interlacing."""
    passes = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
    rows = b"".join(
        b"\0" + row.tobytes() for top, left, down, across in passes for row in values[top::down, left::across]
    )
    header = struct.pack(">IIBBBBB", values.shape[1], values.shape[0], 8, 2, 0, 0, 1)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def pngs() -> Iterator[Kind]:
    def kind(name: str, data: bytes, shown: Pixels = PHOTO, tolerance: float = 1.5) -> Kind:
        return Kind("PNG", name, data, shown, tolerance)

    yield kind("RGB", encoded(COLOUR, "PNG"))
    yield kind("interlaced", interlaced(PHOTO))
    yield kind("gray", encoded(Image.fromarray(GRAY), "PNG"), GRAY_SHOWN)
    for bits in (1, 2, 4, 8):
        palette = COLOUR.quantize(1 << bits)
        yield kind(f"palette of {bits} bits", encoded(palette, "PNG", bits=bits), np.asarray(palette.convert("RGB")))
    one = COLOUR.convert("1")
    yield kind("1 bit", encoded(one, "PNG"), np.asarray(one.convert("RGB")))
    yield kind("RGB of 16 bits", png(DEEP, 2))
    yield kind("gray of 16 bits", png(GRAY_DEEP, 0), GRAY_SHOWN)
    yield kind("values of 8 bits in 16", png(PHOTO.astype(np.uint16), 2))
    yield kind("RGBA", encoded(Image.fromarray(np.dstack([PHOTO, ALPHA])), "PNG"), ON_WHITE)
    yield kind("RGBA of 16 bits", png(np.dstack([DEEP, ALPHA.astype(np.uint16) * 257]), 6), ON_WHITE)
    yield kind("gray with alpha", encoded(Image.fromarray(np.dstack([GRAY, ALPHA]), "LA"), "PNG"), GRAY_ON_WHITE)
    clear = GRAY_SHOWN.copy()
    clear[GRAY == 0] = 255
    yield kind("transparent gray value", encoded(Image.fromarray(GRAY), "PNG", transparency=0), clear)
    moving = encoded(COLOUR, "PNG", save_all=True, append_images=[COLOUR.rotate(180)])
    yield kind("animation", moving, PHOTO, LOSSY)
    yield kind("without its end", encoded(COLOUR, "PNG")[:-12])
    for orientation in (3, 6):
        data = encoded(COLOUR, "PNG", exif=exif(orientation))
        yield kind(f"orientation {orientation}", data, TURNS[orientation])
    for space in PROFILED:
        yield kind(f"profile {space}", encoded(image_in(space), "PNG", icc_profile=spaces.profile(space)))
    for gamma in (1.0, 1 / 1.8, 1 / 2.2):
        values = np.round(spaces.to_light(PHOTO / 255.0) ** gamma * 255).astype(np.uint8)
        yield kind(
            f"gamma {gamma:.3f}", png(values, 2, chunk(b"gAMA", struct.pack(">I", round(gamma * 1e5)))), PHOTO, 4
        )
    xy = [round(value * 1e5) for value in spaces.PRIMARIES["Adobe RGB"]]
    chunks = (chunk(b"gAMA", struct.pack(">I", 45455)), chunk(b"cHRM", struct.pack(">8I", *xy)))
    yield kind("gamma and chromaticities", png(np.asarray(image_in("Adobe RGB")), 2, *chunks), PHOTO, 3)
    yield kind("sRGB before gamma", png(PHOTO, 2, chunk(b"sRGB", b"\0"), chunk(b"gAMA", struct.pack(">I", 100000))))
    p3 = np.asarray(image_in("Display P3"))
    yield kind("cICP Display P3", png(p3, 2, chunk(b"cICP", bytes([12, 13, 0, 1]))))
    for name, code, curve in (("PQ", 16, spaces.pq), ("HLG", 18, spaces.hlg)):
        high = spaces.stored_in(PHOTO, "BT.2020", curve)
        data = png(np.round(high * 65535).astype(np.uint16), 2, chunk(b"cICP", bytes([9, code, 0, 1])))
        yield kind(f"cICP {name} of an SDR image", data, PHOTO, 4)


def gifs() -> Iterator[Kind]:
    palette = COLOUR.quantize(128)
    shown = np.asarray(palette.convert("RGB"))
    still = encoded(palette, "GIF")
    yield Kind("GIF", "still", still, shown)
    yield Kind("GIF", "gray", encoded(Image.fromarray(GRAY), "GIF"), GRAY_SHOWN)
    moving = encoded(palette, "GIF", save_all=True, append_images=[palette.rotate(180)], duration=100)
    yield Kind("GIF", "animation", moving, shown, LOSSY)
    yield Kind("GIF", "animation cut off", moving[: len(moving) - 500], shown, LOSSY)
    yield Kind("GIF", "without its trailer", still[:-1], shown)
    clear = shown.copy()
    clear[np.asarray(palette) == 5] = 255
    yield Kind("GIF", "transparent", encoded(palette, "GIF", transparency=5), clear)
    canvas = np.full((HEIGHT + 40, WIDTH + 60, 3), 255, np.uint8)
    canvas[20 : 20 + HEIGHT, 30 : 30 + WIDTH] = shown
    at = 13 + 3 * (2 << (still[10] & 7))
    frame = still.index(b"\x2c", at)
    small = still[:6] + struct.pack("<HH", WIDTH + 60, HEIGHT + 40) + still[10 : frame + 1]
    yield Kind("GIF", "frame smaller than its canvas", small + struct.pack("<HH", 30, 20) + still[frame + 5 :], canvas)


def webps() -> Iterator[Kind]:
    yield Kind("WebP", "lossy", encoded(COLOUR, "WEBP", quality=92), PHOTO, LOSSY)
    yield Kind("WebP", "lossless", encoded(COLOUR, "WEBP", lossless=True), PHOTO)
    rgba = Image.fromarray(np.dstack([PHOTO, ALPHA]))
    yield Kind("WebP", "alpha", encoded(rgba, "WEBP", lossless=True, exact=True), ON_WHITE)
    yield Kind("WebP", "lossy with alpha", encoded(rgba, "WEBP", quality=92), ON_WHITE, LOSSY)
    for orientation in (3, 6):
        data = encoded(COLOUR, "WEBP", lossless=True, exif=exif(orientation))
        yield Kind("WebP", f"orientation {orientation}", data, TURNS[orientation])
    for space in PROFILED:
        data = encoded(image_in(space), "WEBP", lossless=True, icc_profile=spaces.profile(space))
        yield Kind("WebP", f"profile {space}", data, PHOTO)
    data = encoded(COLOUR, "WEBP", lossless=True, save_all=True, append_images=[COLOUR.rotate(180)])
    yield Kind("WebP", "animation", data, PHOTO, LOSSY)


def bmps() -> Iterator[Kind]:
    yield Kind("BMP", "24 bits", encoded(COLOUR, "BMP"), PHOTO)
    yield Kind("BMP", "gray", encoded(Image.fromarray(GRAY), "BMP"), GRAY_SHOWN)
    one = COLOUR.convert("1")
    yield Kind("BMP", "1 bit", encoded(one, "BMP"), np.asarray(one.convert("RGB")))
    palette = COLOUR.quantize(200)
    shown = np.asarray(palette.convert("RGB"))
    yield Kind("BMP", "palette", encoded(palette, "BMP"), shown)
    yield Kind("BMP", "run-length encoded", _rle8(palette, padded=False), shown)
    yield Kind("BMP", "run-length encoded, rows padded", _rle8(palette, padded=True), shown)
    unused = encoded(Image.fromarray(np.dstack([PHOTO, ALPHA])), "BMP")
    yield Kind("BMP", "32 bits, the last 8 without a meaning", unused, PHOTO)
    for name, masks in {"RGBX": (0xFF, 0xFF00, 0xFF0000), "10 bits": (0x3FF00000, 0xFFC00, 0x3FF)}.items():
        yield Kind("BMP", f"bit fields {name}", _bit_fields(masks), PHOTO)
    rows = PHOTO[:, :, ::-1].tobytes()
    head = struct.pack("<IHHHH", 12, WIDTH, HEIGHT, 1, 24)
    flipped = PHOTO[::-1, :, ::-1].tobytes()
    yield Kind("BMP", "OS/2", b"BM" + struct.pack("<IHHI", 26 + len(rows), 0, 0, 26) + head + flipped, PHOTO)
    head = struct.pack("<IiiHHIIiiII", 40, WIDTH, -HEIGHT, 1, 24, 0, len(rows), 0, 0, 0, 0)
    yield Kind("BMP", "from the top", b"BM" + struct.pack("<IHHI", 54 + len(rows), 0, 0, 54) + head + rows, PHOTO)


def _rle8(palette: Image.Image, *, padded: bool) -> bytes:
    table = b"".join(bytes([b, g, r, 0]) for r, g, b in np.array(palette.getpalette(), np.uint8).reshape(-1, 3))
    count = len(table) // 4
    body = b""
    for row in np.asarray(palette)[::-1]:
        values = np.concatenate([row, row[-1:]]) if padded else row
        changes = np.flatnonzero(np.diff(values, prepend=-1))
        for start, stop in zip(changes, [*changes[1:], len(values)], strict=True):
            for at in range(start, stop, 255):
                body += bytes([min(255, stop - at), values[start]])
        body += b"\0\0"
    body += b"\0\1"
    offset = 54 + len(table)
    head = struct.pack("<IiiHHIIiiII", 40, WIDTH, HEIGHT, 1, 8, 1, len(body), 0, 0, count, 0)
    return b"BM" + struct.pack("<IHHI", offset + len(body), 0, 0, offset) + head + table + body


def _bit_fields(masks: tuple[int, int, int]) -> bytes:
    words = np.zeros((HEIGHT, WIDTH), np.uint32)
    for channel, mask in enumerate(masks):
        shift = (mask & -mask).bit_length() - 1
        words |= np.round(PHOTO[:, :, channel] * ((mask >> shift) / 255)).astype(np.uint32) << np.uint32(shift)
    body = words[::-1].astype("<u4").tobytes()
    head = struct.pack("<IiiHHIIiiII", 56, WIDTH, HEIGHT, 1, 32, 3, len(body), 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 70 + len(body), 0, 0, 70) + head + struct.pack("<4I", *masks, 0) + body


def tiff(values: npt.NDArray[Any], **options: Any) -> bytes:
    out = io.BytesIO()
    tifffile.imwrite(out, values, metadata=None, **options)
    return out.getvalue()


def tiff_kind(name: str, data: bytes, shown: Pixels | None = PHOTO, tolerance: float = 1.5) -> Kind:
    return Kind("TIFF", name, data, shown, tolerance)


def tiffs() -> Iterator[Kind]:
    """Yield compressions, layouts and sample types."""
    kind = tiff_kind
    for compression in ("none", "lzw", "deflate", "packbits", "zstd", "lzma", "lerc", "webp", "jpeg"):
        lossy = compression in ("jpeg", "webp")
        options: dict[str, Any] = {"photometric": "rgb"}
        if compression != "none":
            options["compression"] = compression
        if compression == "jpeg":
            options["compressionargs"] = {"level": 95}
        yield kind(f"compressed: {compression}", tiff(PHOTO, **options), PHOTO, LOSSY if lossy else 1.5)
    for compression in ("jpegxl", "jpeg2000", "png"):
        try:
            data = tiff(PHOTO, photometric="rgb", compression=compression, rowsperstrip=HEIGHT)
        except (ValueError, RuntimeError, TypeError):
            continue
        yield kind(f"compressed: {compression}", data, PHOTO, LOSSY)
    yield kind("predictor", tiff(PHOTO, photometric="rgb", compression="deflate", predictor=True))
    yield kind("tiles", tiff(PHOTO, photometric="rgb", tile=(64, 64), compression="deflate"))
    yield kind("tiles of 16 pixels", tiff(PHOTO, photometric="rgb", tile=(16, 16)))
    yield kind("big-endian", tiff(PHOTO, photometric="rgb", byteorder=">"))
    yield kind("BigTIFF", tiff(PHOTO, photometric="rgb", bigtiff=True))
    yield kind("planes", tiff(np.moveaxis(PHOTO, -1, 0), photometric="rgb", planarconfig="separate"))
    yield kind("planes of 16 bits", tiff(np.moveaxis(DEEP, -1, 0), photometric="rgb", planarconfig="separate"))
    yield kind("RGB of 16 bits", tiff(DEEP, photometric="rgb"))
    for bits in (10, 12, 14):
        values = (DEEP >> (16 - bits)).astype(np.uint16)
        yield kind(f"{bits} bits in 16", tiff(values, photometric="rgb"))
        yield kind(f"{bits} bits, packed", tiff(values, photometric="rgb", bitspersample=bits, rowsperstrip=1))
    yield kind("8 bits in 16", tiff(PHOTO.astype(np.uint16), photometric="rgb"))
    yield kind("32 bits", tiff(PHOTO.astype(np.uint32) * 16843009, photometric="rgb"), PHOTO, 3)
    yield kind("float, 0 to 1", tiff((PHOTO / 255).astype(np.float32), photometric="rgb"))
    yield kind("float, 0 to 255", tiff(PHOTO.astype(np.float32), photometric="rgb"))
    yield kind("half float", tiff((PHOTO / 255).astype(np.float16), photometric="rgb"))
    yield kind("double", tiff(PHOTO / 255.0, photometric="rgb"))
    yield kind("float, -1 to 1", tiff((PHOTO / 127.5 - 1).astype(np.float32), photometric="rgb"))
    yield kind("float, up to 0.01", tiff((PHOTO / 25500).astype(np.float32), photometric="rgb"))
    yield kind(
        "float of gray, white is zero", tiff((1 - GRAY / 255).astype(np.float32), photometric="miniswhite"), GRAY_SHOWN
    )
    stretched = np.dstack([np.round((GRAY - float(GRAY.min())) * (255 / np.ptp(GRAY))).astype(np.uint8)] * 3)
    yield kind("signed 16 bits", tiff(GRAY.astype(np.int16) * 100 - 12000, photometric="minisblack"), stretched)
    for colours, photometric, shown in ((GRAY, "minisblack", GRAY_SHOWN), (PHOTO, "rgb", PHOTO)):
        data = tiff(colours, photometric=photometric)
        at = data.index(struct.pack("<HH", 262, 3))
        unstated = data[:at] + struct.pack("<H", 263) + data[at + 2 :]
        yield kind(f"{photometric} without saying so", unstated, shown)
    for bits in (2, 4):
        gray = GRAY >> np.uint8(8 - bits)
        shown = np.dstack([np.round(gray * (255 / ((1 << bits) - 1))).astype(np.uint8)] * 3)
        yield kind(f"gray of {bits} bits", _packed(gray, bits, 1), shown)
        yield kind(f"gray of {bits} bits, white is zero", _packed(gray ^ np.uint8((1 << bits) - 1), bits, 0), shown)
    yield kind("gray", tiff(GRAY, photometric="minisblack"), GRAY_SHOWN)
    yield kind("gray, white is zero", tiff(255 - GRAY, photometric="miniswhite"), GRAY_SHOWN)
    yield kind("gray of 16 bits, white is zero", tiff(65535 - GRAY_DEEP, photometric="miniswhite"), GRAY_SHOWN)
    yield kind("gray of 16 bits", tiff(GRAY_DEEP, photometric="minisblack"), GRAY_SHOWN)


def tiff_colours() -> Iterator[Kind]:
    """Yield colour models, transparency, metadata and pages."""
    kind = tiff_kind
    one = COLOUR.convert("1")
    for compression in ("group3", "group4"):
        yield kind(f"fax, {compression}", encoded(one, "TIFF", compression=compression), np.asarray(one.convert("RGB")))
    palette = COLOUR.quantize(200)
    yield kind("palette", encoded(palette, "TIFF"), np.asarray(palette.convert("RGB")))
    for extra, name, colours in (("unassalpha", "", PHOTO), ("assocalpha", ", multiplied", _multiplied())):
        rgba = np.dstack([colours, ALPHA])
        yield kind(f"RGBA{name}", tiff(rgba, photometric="rgb", extrasamples=[extra]), ON_WHITE)
    gray_alpha = np.dstack([GRAY, ALPHA])
    data = tiff(gray_alpha, photometric="minisblack", planarconfig="contig", extrasamples=["unassalpha"])
    yield kind("gray with alpha", data, GRAY_ON_WHITE)
    planes = np.moveaxis(np.dstack([PHOTO, ALPHA]), -1, 0)
    data = tiff(planes, photometric="rgb", planarconfig="separate", extrasamples=["unassalpha"])
    yield kind("planes with alpha", data, ON_WHITE)
    yield kind("CMYK", encoded(COLOUR.convert("CMYK"), "TIFF"))
    deep = np.asarray(COLOUR.convert("CMYK")).astype(np.uint16) * 257
    yield kind("CMYK of 16 bits", tiff(deep, photometric="separated"))
    yield kind("CIELab", _cielab())
    for orientation in (3, 6):
        data = encoded(COLOUR, "TIFF", tiffinfo={0x0112: orientation})
        yield kind(f"orientation {orientation}", data, TURNS[orientation])
    for space in PROFILED:
        yield kind(f"profile {space}", encoded(image_in(space), "TIFF", icc_profile=spaces.profile(space)))
    first = io.BytesIO()
    with tifffile.TiffWriter(first) as writer:
        writer.write(PHOTO[::4, ::4], photometric="rgb", subfiletype=1, metadata=None)
        writer.write(PHOTO, photometric="rgb", metadata=None)
    yield kind("a reduced page first", first.getvalue())
    pages = encoded(COLOUR, "TIFF", save_all=True, append_images=[COLOUR.rotate(180)])
    yield kind("two pages", pages, PHOTO, LOSSY)
    whole = tiff(PHOTO, photometric="rgb", compression="deflate", rowsperstrip=HEIGHT)
    at = whole.index(struct.pack("<HHI", 259, 3, 1)) + 8
    yield kind("compression that does not exist", whole[:at] + struct.pack("<H", 60123) + whole[at + 2 :], None)


def _multiplied() -> Pixels:
    return (PHOTO * (ALPHA[..., None] / 255.0) + 0.5).astype(np.uint8)


def _packed(values: Pixels, bits: int, photometric: int) -> bytes:
    """Return a TIFF of gray samples of 2 or 4 bits."""
    per_byte = 8 // bits
    lanes = values.reshape(HEIGHT, WIDTH // per_byte, per_byte)
    rows = np.zeros(lanes.shape[:2], np.uint8)
    for lane in range(per_byte):
        rows |= lanes[:, :, lane] << (8 - bits * (lane + 1))
    body = rows.tobytes()
    tags = {256: WIDTH, 257: HEIGHT, 258: bits, 259: 1, 262: photometric, 273: 8, 277: 1, 278: HEIGHT, 279: len(body)}
    directory = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    head = b"II*\0" + struct.pack("<I", 8 + len(body))
    return head + body + struct.pack("<H", len(tags)) + directory + b"\0\0\0\0"


def _cielab() -> bytes:
    xyz = spaces.to_light(PHOTO / 255.0) @ spaces.matrix("sRGB").T / spaces.D50
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    lab = np.dstack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])])
    values = np.round(lab * [2.55, 1, 1]).astype(np.int16)
    return tiff(values.astype(np.uint8), photometric="cielab")


def avifs() -> Iterator[Kind]:
    def kind(name: str, data: bytes, shown: Pixels = PHOTO, tolerance: float = LOSSY) -> Kind:
        return Kind("AVIF", name, data, shown, tolerance)

    options: dict[str, Any] = {"quality": 92, "speed": 9}
    yield kind("4:2:0", encoded(COLOUR, "AVIF", **options))
    yield kind("4:4:4", encoded(COLOUR, "AVIF", subsampling="4:4:4", **options))
    yield kind("limited range", encoded(COLOUR, "AVIF", range="limited", **options))
    gray = Image.fromarray(GRAY)
    yield kind("gray", encoded(gray, "AVIF", subsampling="4:0:0", **options), GRAY_SHOWN)
    data = encoded(gray, "AVIF", subsampling="4:0:0", range="limited", **options)
    yield kind("gray of limited range", data, GRAY_SHOWN)
    rgba = Image.fromarray(np.dstack([PHOTO, ALPHA]))
    yield kind("alpha", encoded(rgba, "AVIF", **options), ON_WHITE)
    for orientation in (3, 6, 8):
        data = encoded(COLOUR, "AVIF", exif=exif(orientation), **options)
        yield kind(f"orientation {orientation}", data, TURNS[orientation])
    for space in PROFILED:
        data = encoded(image_in(space), "AVIF", icc_profile=spaces.profile(space), subsampling="4:4:4", **options)
        yield kind(f"profile {space}", data)
    moving = encoded(COLOUR, "AVIF", save_all=True, append_images=[COLOUR.rotate(180)], duration=100, **options)
    yield kind("animation", moving, PHOTO, LOSSY)
    for name, bits, space, primaries, transfer, curve in (
        ("Display P3", 8, "Display P3", 12, 13, None),
        ("10 bits", 10, "sRGB", 1, 13, None),
        ("12 bits", 12, "sRGB", 1, 13, None),
        ("PQ of an SDR image", 10, "BT.2020", 9, 16, spaces.pq),
        ("HLG of an SDR image", 10, "BT.2020", 9, 18, spaces.hlg),
    ):
        values = spaces.stored_in(PHOTO, space, curve) * ((1 << bits) - 1)
        deep = np.round(values).astype(np.uint8 if bits == 8 else np.uint16)
        data = imagecodecs.avif_encode(
            deep,
            level=95,
            speed=9,
            bitspersample=bits,
            pixelformat="444",
            primaries=primaries,
            transfer=transfer,
            matrix=1 if primaries != 9 else 9,
        )
        yield kind(name, data, PHOTO, 6)


def heics() -> Iterator[Kind]:
    def heic(image: Image.Image, **options: Any) -> bytes:
        out = io.BytesIO()
        pillow_heif.from_pillow(image).save(out, quality=92, **options)
        return out.getvalue()

    def kind(name: str, data: bytes, shown: Pixels = PHOTO, tolerance: float = LOSSY) -> Kind:
        return Kind("HEIC", name, data, shown, tolerance)

    yield kind("8 bits", heic(COLOUR))
    yield kind("4:4:4", heic(COLOUR, chroma=444))
    yield kind("gray", heic(Image.fromarray(GRAY)), GRAY_SHOWN)
    yield kind("alpha", heic(Image.fromarray(np.dstack([PHOTO, ALPHA]))), ON_WHITE)
    yield kind("orientation only in Exif", heic(COLOUR, exif=exif(6).tobytes()), TURNS[6])
    for space in PROFILED:
        out = io.BytesIO()
        image = pillow_heif.from_pillow(image_in(space))
        image.info["icc_profile"] = spaces.profile(space)
        image.save(out, quality=95, chroma=444)
        yield kind(f"profile {space}", out.getvalue())
    for bits in (10, 12):
        out = io.BytesIO()
        size = (WIDTH, HEIGHT)
        pillow_heif.options.SAVE_HDR_TO_12_BIT = bits == 12
        pillow_heif.from_bytes("RGB;16", size, DEEP.tobytes()).save(out, quality=92)
        yield kind(f"{bits} bits", out.getvalue())
    out = io.BytesIO()
    pillow_heif.from_bytes("L;16", (WIDTH, HEIGHT), GRAY_DEEP.tobytes()).save(out, quality=92)
    yield kind("gray of 12 bits", out.getvalue(), GRAY_SHOWN)
    two = pillow_heif.from_pillow(COLOUR)
    two.add_from_pillow(COLOUR.rotate(180))
    out = io.BytesIO()
    two.save(out, quality=92)
    yield kind("two images", out.getvalue())


def jxls() -> Iterator[Kind]:
    yield Kind("JPEG XL", "lossy", imagecodecs.jpegxl_encode(PHOTO, level=92), PHOTO, LOSSY)
    yield Kind("JPEG XL", "lossless", imagecodecs.jpegxl_encode(PHOTO, lossless=True), PHOTO)
    yield Kind("JPEG XL", "gray", imagecodecs.jpegxl_encode(GRAY, lossless=True), GRAY_SHOWN)
    yield Kind("JPEG XL", "16 bits", imagecodecs.jpegxl_encode(DEEP, lossless=True), PHOTO)
    rgba = np.dstack([PHOTO, ALPHA])
    yield Kind("JPEG XL", "alpha", imagecodecs.jpegxl_encode(rgba, lossless=True), ON_WHITE)
    boxed = imagecodecs.jpegxl_encode(PHOTO, lossless=True, usecontainer=True)
    yield Kind("JPEG XL", "in a container", boxed, PHOTO)


def raw(magic: bytes, make: bytes, tags: dict[int, int], preview: bytes, orientation: int = 1) -> bytes:
    """Return a file as cameras write them: a small first image, the sensor's values, and a JPEG."""
    thumbnail = b"\x40" * (160 * 107 * 3)
    sensor = np.arange(600 * 400, dtype="<u2").tobytes()
    all_tags: dict[int, tuple[int, int, int]] = {
        254: (4, 1, 1), 256: (4, 1, 160), 257: (4, 1, 107), 259: (3, 1, 1), 262: (3, 1, 2), 274: (3, 1, orientation),
        277: (3, 1, 3), 279: (4, 1, len(thumbnail)),
    }  # fmt: skip
    start = 8 + 2 + 12 * (len(all_tags) + 3 + len(tags)) + 4
    where = start + len(make)
    all_tags |= {271: (2, len(make), start), 273: (4, 1, where), 278: (4, 1, 107)}
    all_tags |= {tag: (1, 4, value) for tag, value in tags.items()}
    directory = b"".join(struct.pack("<HHII", tag, *all_tags[tag]) for tag in sorted(all_tags))
    head = magic + struct.pack("<I", 8) + struct.pack("<H", len(all_tags)) + directory + b"\0\0\0\0"
    return head + make + thumbnail + sensor + preview


def raws() -> Iterator[Kind]:
    large = np.asarray(COLOUR.resize((WIDTH * 2, HEIGHT * 2), Image.Resampling.BICUBIC))
    preview = encoded(Image.fromarray(large), "JPEG", quality=92)
    small = encoded(COLOUR.resize((160, 120)), "JPEG")
    for name, make, tags in (
        ("DNG", b"Maker\0", {50706: 0x00000401}),
        ("NEF", b"NIKON CORPORATION\0", {}),
        ("ARW", b"SONY\0\0", {}),
        ("PEF", b"PENTAX\0", {}),
    ):
        yield Kind("RAW", name, raw(b"II*\0", make, tags, small + preview), large, LOSSY)
        yield Kind("RAW", f"{name} without a preview", raw(b"II*\0", make, tags, small), None)
    turned = np.rot90(large, -1)
    yield Kind("RAW", "NEF, upright", raw(b"II*\0", b"NIKON\0", {}, preview, orientation=6), turned, LOSSY)
    yield Kind("RAW", "ORF", raw(b"IIRO", b"OLYMPUS\0", {}, preview), large, LOSSY)
    yield Kind("RAW", "RW2", raw(b"IIU\0", b"Panasonic\0", {}, preview), large, LOSSY)
    yield Kind("RAW", "CR2", b"II*\0\x10\0\0\0CR\2\0\0\0\0\0\0\0" + b"\0" * 16 + preview, large, LOSSY)
    box = struct.pack(">I", 24) + b"ftypcrx \0\0\0\1crx isom"
    yield Kind("RAW", "CR3", box + struct.pack(">I", 8 + len(preview)) + b"mdat" + preview, large, LOSSY)
    raf = b"FUJIFILMCCD-RAW 0201FF389501X-T".ljust(148, b"\0")
    yield Kind("RAW", "RAF", raf + preview + b"\1" * 4000, large, LOSSY)


def others() -> Iterator[Kind]:
    yield Kind("other", "JPEG 2000", encoded(COLOUR, "JPEG2000"), None)
    yield Kind("other", "icon", encoded(COLOUR, "ICO"), None)
    yield Kind("other", "SVG", b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>", None)
    yield Kind("other", "PDF", encoded(COLOUR, "PDF"), None)
