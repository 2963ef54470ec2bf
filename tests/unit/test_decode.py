"""Decoding of every pixel layout, compared with Pillow or with known pixels, on images made here."""

import hashlib
import io
import struct
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from shared.domain.errors import PictureRefused
from shared.domain.limits import MAX_CHUNKS, MAX_UPLOAD_BYTES
from shared.vision.decode.decoding import LONGEST_SIDE, decode
from shared.vision.decode.jpeg import MIN_REDUCED_SIDE
from shared.vision.resizing import longest_side

WIDTH, HEIGHT = 64, 48
Pixels = npt.NDArray[np.uint8]
WRITTEN = ("jpeg", "png", "webp", "gif", "bmp", "tiff", "avif")
"""Formats that Pillow writes."""

RAMP = np.linspace(0, 255, WIDTH, dtype=np.uint8)
RGB = np.dstack(
    [np.tile(RAMP, (HEIGHT, 1)), np.tile(RAMP[:HEIGHT, None], (1, WIDTH)), np.full((HEIGHT, WIDTH), 90, np.uint8)]
)
GRAY = np.tile(RAMP, (HEIGHT, 1))
ALPHA = np.tile(np.linspace(0, 255, HEIGHT, dtype=np.uint8)[:, None], (1, WIDTH))
COLOUR = Image.fromarray(RGB)
WITH_ALPHA = Image.fromarray(np.dstack([RGB, ALPHA]))

UPRIGHT = {
    1: RGB,
    2: RGB[:, ::-1],
    3: RGB[::-1, ::-1],
    4: RGB[::-1],
    5: RGB.transpose(1, 0, 2),
    6: np.rot90(RGB, -1),
    7: RGB[::-1, ::-1].transpose(1, 0, 2),
    8: np.rot90(RGB, 1),
}
"""What a viewer shows if RGB is stored with each value of the Exif orientation."""


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def pillow_on_white(data: bytes) -> Pixels:
    """Decode with Pillow and composite on white."""
    image = Image.open(io.BytesIO(data)).convert("RGBA")
    page = Image.new("RGBA", image.size, "white")
    page.alpha_composite(image)
    return np.asarray(page.convert("RGB"))


def assert_decodes_to(data: bytes, expected: npt.NDArray[Any], tolerance: int = 1) -> None:
    image = decode(data)
    assert image.rgb.dtype == np.uint8
    assert image.rgb.flags.c_contiguous
    assert image.rgb.shape == expected.shape
    assert (image.height, image.width) == expected.shape[:2]
    assert int(np.abs(image.rgb.astype(int) - expected.astype(int)).max()) <= tolerance


@pytest.mark.parametrize(
    ("size", "reduced"),
    [
        ((4001, 2999), (1001, 750)),
        ((3839, 700), (1404, 256)),
        ((1000, 1921), (500, 961)),
        ((1500, 1500), (1024, 1024)),
        ((1024, 9), (1024, 9)),
    ],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_larger_images_are_reduced_and_report_their_own_size(
    size: tuple[int, int], reduced: tuple[int, int], kind: str
) -> None:
    large = COLOUR.resize(size, Image.Resampling.BICUBIC)
    for orientation in (1, 6):
        exif = Image.Exif()
        exif[0x0112] = orientation
        image = decode(encoded(large, kind, exif=exif, quality=95, subsampling=0))
        upright = image.rgb if orientation == 1 else np.rot90(image.rgb)
        stored = (image.width, image.height) if orientation == 1 else (image.height, image.width)
        assert stored == size
        assert max(upright.shape) <= longest_side(*size, LONGEST_SIDE)
        if kind == "JPEG":
            assert (upright.shape[1], upright.shape[0]) == reduced
            assert max(upright.shape) >= MIN_REDUCED_SIDE
        expected = np.asarray(large.resize((upright.shape[1], upright.shape[0]), Image.Resampling.BOX)).astype(int)
        assert np.abs(upright.astype(int) - expected).mean() < 2


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied_in_every_format_that_has_one(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    expected = UPRIGHT[orientation]
    assert_decodes_to(encoded(COLOUR, "JPEG", quality=98, subsampling=0, exif=exif), expected, tolerance=4)
    assert_decodes_to(encoded(COLOUR, "PNG", exif=exif), expected, tolerance=0)
    assert_decodes_to(encoded(COLOUR, "WEBP", lossless=True, exif=exif), expected, tolerance=0)
    assert_decodes_to(encoded(COLOUR, "TIFF", tiffinfo={0x0112: orientation}), expected, tolerance=0)
    assert_decodes_to(encoded(COLOUR, "AVIF", quality=100, subsampling="4:4:4", exif=exif), expected, tolerance=4)


def test_a_webp_whose_exif_has_the_jpeg_prefix_is_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert exif.tobytes().startswith(b"Exif\0\0")
    bare = encoded(COLOUR, "WEBP", lossless=True, exif=exif.tobytes()[6:])
    prefixed = encoded(COLOUR, "WEBP", lossless=True, exif=exif.tobytes())
    at = bare.index(b"EXIF")
    body = b"Exif\0\0" + exif.tobytes()[6:]
    spliced = bare[:at] + b"EXIF" + struct.pack("<I", len(body)) + body + b"\0" * (len(body) & 1)
    spliced = spliced[:4] + struct.pack("<I", len(spliced) - 8) + spliced[8:]
    for data in (bare, prefixed, spliced):
        assert_decodes_to(data, UPRIGHT[6], tolerance=0)


@pytest.mark.parametrize(
    ("kind", "options", "tolerance"),
    [
        ("PNG", {}, 1),
        ("WEBP", {"lossless": True, "exact": True}, 1),
        ("TIFF", {}, 1),
        ("TIFF", {"compression": "tiff_lzw"}, 1),
        ("AVIF", {"quality": 100, "subsampling": "4:4:4"}, 4),
    ],
)
def test_transparency_is_composited_on_white(kind: str, options: dict[str, Any], tolerance: int) -> None:
    data = encoded(WITH_ALPHA, kind, **options)
    assert_decodes_to(data, pillow_on_white(data), tolerance)
    assert decode(data).rgb[0, 0].tolist() == [255, 255, 255]


def test_what_transparency_hides_leaves_no_trace() -> None:
    hidden = np.dstack([RGB, np.zeros_like(GRAY)])
    assert (decode(encoded(Image.fromarray(hidden), "PNG")).rgb == 255).all()


@pytest.mark.parametrize(("ink", "ground"), [(255, 0), (240, 0), (200, 255), (0, 255)])
def test_white_on_transparent_stands_out_from_its_ground(ink: int, ground: int) -> None:
    logo = np.zeros((40, 60, 4), np.uint8)
    logo[10:30, 20:40] = ink, ink, ink, 255
    for form in ("PNG", "WEBP", "TIFF"):
        rgb = decode(encoded(Image.fromarray(logo), form, **({"lossless": True} if form == "WEBP" else {}))).rgb
        assert (rgb[20, 30] == ink).all(), form
        assert (rgb[0, 0] == ground).all(), form


def test_transparent_palette_entries_and_colour_keys_become_white() -> None:
    palette = COLOUR.quantize(64)
    key = COLOUR.quantize(64).convert("RGB").getpixel((5, 5))
    for data in (
        encoded(palette, "PNG", transparency=3),
        encoded(palette, "GIF", transparency=3),
        encoded(palette.convert("RGB"), "PNG", transparency=key),
        encoded(WITH_ALPHA.convert("LA"), "PNG"),
        encoded(Image.fromarray(GRAY), "PNG", transparency=int(GRAY[0, 20])),
    ):
        expected = pillow_on_white(data)
        assert (expected == 255).all(axis=2).any()
        assert_decodes_to(data, expected)


def test_gray_palette_and_one_bit_images_keep_their_values() -> None:
    for image in (Image.fromarray(GRAY), COLOUR.quantize(200), COLOUR.convert("1")):
        expected = np.asarray(image.convert("RGB"))
        for kind in ("PNG", "BMP", "TIFF"):
            assert_decodes_to(encoded(image, kind), expected, tolerance=0)
    assert_decodes_to(encoded(Image.fromarray(GRAY), "JPEG", quality=98), np.dstack([GRAY] * 3), tolerance=4)


def test_cmyk_looks_as_pillow_shows_it() -> None:
    for kind, options in (("JPEG", {"quality": 98}), ("TIFF", {})):
        data = encoded(COLOUR.convert("CMYK"), kind, **options)
        assert_decodes_to(data, np.asarray(Image.open(io.BytesIO(data)).convert("RGB")), tolerance=4)


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png16(samples: npt.NDArray[np.uint16], colour_type: int) -> bytes:
    """Make a 16-bit PNG, which Pillow cannot write in colour."""
    height, width = samples.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    header = struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("scale", [257, 1], ids=["full range", "8-bit values in 16-bit samples"])
def test_sixteen_bits_are_scaled_and_never_black(scale: int) -> None:
    gray = GRAY.astype(np.uint16) * scale
    for data in (encoded(Image.fromarray(gray), "PNG"), encoded(Image.fromarray(gray), "TIFF"), png16(gray, 0)):
        assert_decodes_to(data, np.dstack([GRAY] * 3))
    assert_decodes_to(png16(RGB.astype(np.uint16) * scale, 2), RGB)
    opaque = np.full((HEIGHT, WIDTH), 65535, np.uint16)
    assert_decodes_to(png16(np.dstack([RGB.astype(np.uint16) * scale, opaque]), 6), RGB)


@pytest.mark.parametrize("samples", [np.float32, np.int32])
def test_a_tiff_of_float_or_32_bit_samples_is_scaled_by_what_it_holds(samples: type) -> None:
    assert_decodes_to(encoded(Image.fromarray(GRAY.astype(samples)), "TIFF"), np.dstack([GRAY] * 3))


def test_a_tiff_with_signed_samples_is_not_black() -> None:
    data = chunky_tiff(GRAY.astype("<i2"), (339, 3, 1, 2))
    assert_decodes_to(data, np.dstack([GRAY] * 3))


def test_a_fourth_sample_that_is_not_alpha_hides_nothing() -> None:
    padded = np.dstack([RGB, np.zeros_like(GRAY)])
    assert_decodes_to(chunky_tiff(padded), RGB)
    assert_decodes_to(chunky_tiff(padded, (338, 3, 1, 0)), RGB)
    assert_decodes_to(chunky_tiff(padded, (338, 3, 1, 2)), np.full_like(RGB, 255))


def chunky_tiff(pixels: npt.NDArray[Any], *more: tuple[int, int, int, int]) -> bytes:
    """Make a little-endian TIFF of gray, RGB, or RGB with a fourth sample, with the additional tags `more`."""
    height, width = pixels.shape[:2]
    samples = pixels.shape[2] if pixels.ndim == 3 else 1
    bits = pixels.dtype.itemsize * 8
    after = 8 + pixels.nbytes
    tags = [
        (256, 3, 1, width),
        (257, 3, 1, height),
        (258, 3, samples, after) if samples > 2 else (258, 3, 1, bits),
        (259, 3, 1, 1),
        (262, 3, 1, 2 if samples > 2 else 1),
        (273, 4, 1, 8),
        (277, 3, 1, samples),
        (278, 3, 1, height),
        (279, 4, 1, pixels.nbytes),
        *more,
    ]
    directory = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags) + b"\0" * 4
    depths = struct.pack(f"<{samples}H", *[bits] * samples)
    return b"II*\0" + struct.pack("<I", after + len(depths)) + pixels.tobytes() + depths + directory


def test_planar_16_bit_tiffs_decode_to_the_same_pixels_every_time() -> None:
    """OpenCV returns uninitialised memory for them unless it decodes to 8-bit colour."""
    planes = np.stack([RGB[:, :, channel].astype("<u2") * 257 for channel in range(3)])
    shown = {decode(planar_tiff(planes)).rgb.tobytes() for _ in range(4)}
    assert len(shown) == 1
    assert_decodes_to(planar_tiff(planes), RGB)


def planar_tiff(planes: npt.NDArray[np.uint16]) -> bytes:
    """Make a little-endian TIFF that stores one plane for each colour."""
    count, height, width = planes.shape
    pixels = planes.tobytes()
    after = 8 + len(pixels)
    size = height * width * 2
    lists = struct.pack("<3H3I3I", 16, 16, 16, *(8 + size * plane for plane in range(3)), size, size, size)
    tags = [
        (256, 3, 1, width),
        (257, 3, 1, height),
        (258, 3, 3, after),
        (259, 3, 1, 1),
        (262, 3, 1, 2),
        (273, 4, 3, after + 6),
        (277, 3, 1, count),
        (278, 3, 1, height),
        (279, 4, 3, after + 18),
        (284, 3, 1, 2),
    ]
    directory = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags) + b"\0" * 4
    return b"II*\0" + struct.pack("<I", after + len(lists)) + pixels + lists + directory


def test_alpha_of_sixteen_bits_is_composited_on_white() -> None:
    deep = np.dstack([RGB, ALPHA]).astype(np.uint16) * 257
    assert_decodes_to(png16(deep, 6), pillow_on_white(encoded(WITH_ALPHA, "PNG")))


def test_animations_show_their_first_frame_or_still_image() -> None:
    red, blue = (Image.new("RGB", (WIDTH, HEIGHT), colour) for colour in ("red", "blue"))
    expected = np.asarray(red)
    for kind in ("GIF", "WEBP"):
        assert_decodes_to(encoded(red, kind, save_all=True, append_images=[blue], duration=100), expected, tolerance=2)
    for still_is_apart in (True, False):
        data = encoded(red, "PNG", save_all=True, append_images=[blue, red], default_image=still_is_apart)
        assert b"acTL" in data
        assert_decodes_to(data, expected, tolerance=0)


def test_a_gif_decodes_whatever_surrounds_its_first_frame() -> None:
    """OpenCV refuses each of these files; browsers show them."""
    first, second = COLOUR.quantize(64), COLOUR.rotate(180).quantize(64)
    still = encoded(first, "GIF")
    moving = encoded(first, "GIF", save_all=True, append_images=[second])
    table = 13 + 3 * (2 << (still[10] & 7))
    frame = still.index(b"\x2c", table)
    xmp = b"\x21\xff\x0bXMP DataXMP\x03abc\0"
    small = still[:6] + struct.pack("<HH", 10, 10) + still[10:]
    background = still[:11] + b"\xff" + still[12:]
    for data in (
        still[:-1],
        moving[: len(moving) - 30],
        still[:table] + xmp + still[table:],
        still[:-1] + xmp + still[-1:],
        small,
        background,
    ):
        assert_decodes_to(data, np.asarray(first.convert("RGB")), tolerance=0)
    moved = still[: frame + 1] + struct.pack("<HH", 5, 7) + still[frame + 5 :]
    wide = decode(moved)
    assert (wide.width, wide.height) == (WIDTH + 5, HEIGHT + 7)
    assert np.array_equal(wide.rgb[7:, 5:], np.asarray(first.convert("RGB")))


def test_a_gif_with_too_many_blocks_is_refused() -> None:
    data = encoded(COLOUR.quantize(64), "GIF")
    table = 13 + 3 * (2 << (data[10] & 7))
    pixels = data.index(b"\x2c", table) + 11
    with pytest.raises(PictureRefused) as refused:
        decode(data[:pixels] + b"\x01\x04" * (MAX_UPLOAD_BYTES // 255 + MAX_CHUNKS) + b"\0\x3b")
    assert refused.value.code == "too_complex"


def test_a_png_without_its_end_chunk_decodes() -> None:
    data = encoded(COLOUR, "PNG")
    assert_decodes_to(data[:-12], RGB, tolerance=0)


FIELDS = {
    "BGRX": (32, (0xFF0000, 0xFF00, 0xFF, 0)),
    "RGBX": (32, (0xFF, 0xFF00, 0xFF0000, 0)),
    "10 bits": (32, (0x3FF00000, 0xFFC00, 0x3FF, 0)),
    "555": (16, (0x7C00, 0x3E0, 0x1F, 0)),
    "565": (16, (0xF800, 0x7E0, 0x1F, 0)),
    "1555": (16, (0x7C00, 0x3E0, 0x1F, 0x8000)),
    "BGRA": (32, (0xFF0000, 0xFF00, 0xFF, 0xFF000000)),
}


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("upside_down", [True, False])
def test_a_bmp_with_any_bit_fields_decodes(name: str, upside_down: bool) -> None:
    bits, masks = FIELDS[name]
    for alpha in [np.full_like(GRAY, 255)] + [ALPHA] * (name == "BGRA"):
        data = bit_fields(np.dstack([RGB, alpha]), bits, masks, upside_down=upside_down)
        expected = pillow_on_white(encoded(Image.fromarray(np.dstack([RGB, alpha])), "PNG"))
        assert_decodes_to(data, expected, tolerance=1 if bits == 32 else 8)
    empty = bit_fields(np.dstack([RGB, np.zeros_like(GRAY)]), bits, masks, upside_down=upside_down)
    assert_decodes_to(empty, RGB, tolerance=1 if bits == 32 else 8)


@pytest.mark.parametrize(
    ("at", "change"),
    [(10, 5000), (14, 1 << 20), (18, -64), (22, 1000), (54, 0xFF000F), (58, 0)],
    ids=["offset of the pixels", "size of the header", "width", "height", "mask of two runs", "truncated"],
)
def test_bit_fields_that_contradict_themselves_are_refused(at: int, change: int) -> None:
    data = bit_fields(np.dstack([RGB, ALPHA]), *FIELDS["BGRX"], upside_down=True)
    damaged = data[:at] + struct.pack("<i", change) + data[at + 4 :] if change else data[:-1]
    assert_decodes_to(data, RGB)
    with pytest.raises(PictureRefused) as refused:
        decode(damaged)
    assert refused.value.code == "corrupt"


def bit_fields(rgba: Pixels, bits: int, masks: tuple[int, ...], *, upside_down: bool) -> bytes:
    """Make a BMP with a header of 56 bytes and rows padded to 4 bytes."""
    words = np.zeros(rgba.shape[:2], np.dtype(f"<u{bits // 8}"))
    for channel, mask in enumerate(masks):
        if mask:
            shift = (mask & -mask).bit_length() - 1
            value = np.round(rgba[:, :, channel] * ((mask >> shift) / 255)).astype(np.uint64) << np.uint64(shift)
            words |= value.astype(words.dtype)
    height, width = words.shape
    pixels = words[:: -1 if upside_down else 1].tobytes()
    head = struct.pack(
        "<IiiHHIIiiII", 56, width, height if upside_down else -height, 1, bits, 3, len(pixels), 0, 0, 0, 0
    )
    return b"BM" + struct.pack("<IHHI", 70 + len(pixels), 0, 0, 70) + head + struct.pack("<4I", *masks) + pixels


@pytest.mark.parametrize("kind", WRITTEN)
def test_one_pixel_of_every_format_decodes(kind: str) -> None:
    image = decode(encoded(Image.new("RGB", (1, 1), (200, 30, 30)), kind.upper()))
    assert (image.format, image.width, image.height) == (kind, 1, 1)
    assert np.abs(image.rgb[0, 0].astype(int) - [200, 30, 30]).max() <= 8


def test_a_header_without_an_image_is_refused_as_corrupt() -> None:
    for kind in WRITTEN:
        data = encoded(COLOUR, kind.upper())
        with pytest.raises(PictureRefused) as refused:
            decode(data[: 60 if kind != "tiff" else len(data) // 2])
        assert refused.value.code in ("corrupt", "unsupported_type"), kind


def test_damage_anywhere_is_refused_or_still_an_image() -> None:
    """Whatever is damaged, the only exception is PictureRefused and the shape matches the size."""
    rng = np.random.default_rng(3)
    outcomes = set()
    for kind in WRITTEN:
        data = encoded(WITH_ALPHA if kind in ("png", "webp", "avif", "tiff") else COLOUR, kind.upper())
        for _ in range(60):
            damaged = bytearray(data)
            for place in rng.integers(0, len(data), rng.integers(1, 8)):
                damaged[place] = rng.integers(0, 256)
            try:
                image = decode(bytes(damaged))
            except PictureRefused as refused:
                outcomes.add(refused.code)
            else:
                outcomes.add("shown")
                assert image.rgb.shape == (image.height, image.width, 3)
    assert outcomes >= {"shown", "corrupt"}


def test_pixels_of_lossless_files_do_not_change_with_the_versions_of_the_decoders() -> None:
    digests = {
        hashlib.sha256(decode(encoded(COLOUR, kind, **options)).rgb.tobytes()).hexdigest()
        for kind, options in (("PNG", {}), ("BMP", {}), ("TIFF", {}), ("WEBP", {"lossless": True}))
    }
    assert digests == {hashlib.sha256(RGB.tobytes()).hexdigest()}
