"""When, by what and where an image was taken, as files of every format state it, and as damaged and hostile ones do."""

import io
import os
import struct
import time
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pi_heif
import pytest
from PIL import Image, PngImagePlugin

from shared.domain.capture import NOTHING, Capture, camera_name, parse_date, position
from shared.domain.errors import PictureRefused
from shared.vision.decode import exif, headers
from shared.vision.decode.capture import read_capture
from shared.vision.decode.decoding import decode
from shared.vision.quality.metadata import read_metadata

NOW: Final = datetime(2026, 11, 28, 12, tzinfo=UTC)
PHONE: Final = Capture("2023-08-05T17:16:53.939000+02:00", "Google Pixel 4a", -48.822083, 2.398472)
XMP: Final = b'<x:xmpmeta><rdf:Description exif:DateTimeOriginal="2010-07-11T13:53:00+02:00"/></x:xmpmeta>'


def phone_exif() -> Image.Exif:
    block = Image.Exif()
    block[0x010F], block[0x0110], block[0x0132] = "Google", "Pixel 4a", "2024:01:01 00:00:00"
    block.get_ifd(0x8769).update(
        {0x9003: "2023:08:05 17:16:53", 0x9004: "2024:01:01 00:00:00", 0x9011: "+02:00", 0x9291: "939"}
    )
    block.get_ifd(0x8825).update({1: "S", 2: (48.0, 49.0, 19.5), 3: "E", 4: (2.0, 23.0, 54.5)})
    return block


def saved(kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (64, 48), "teal").save(file, kind, **options)
    return file.getvalue()


def read(data: bytes) -> Capture:
    return read_capture(data, headers.check(data))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_every_format_with_exif_states_time_camera_and_place(kind: str) -> None:
    stated = phone_exif()
    tags = {0x010F: "Google", 0x0110: "Pixel 4a", 0x8769: stated.get_ifd(0x8769), 0x8825: stated.get_ifd(0x8825)}
    data = saved(kind, tiffinfo=tags) if kind == "TIFF" else saved(kind, exif=stated)
    assert decode(data).capture == PHONE
    assert decode(saved(kind)).capture == NOTHING


def test_the_exif_of_heic_jpeg_xl_and_camera_raw_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    block = phone_exif().tobytes()[6:]
    box = struct.pack(">I4sI", 12 + len(block), b"Exif", 0) + block
    container = b"\0\0\0\x0cJXL \r\n\x87\n" + box + struct.pack(">I4s", 8 + 4, b"jxlc") + b"\xff\x0a\0\0"
    assert read_capture(container, headers.Header("jxl")) == PHONE
    assert read_capture(block, headers.Header("nef")) == PHONE
    preview = b"FUJIFILMCCD-RAW" + bytes(69) + saved("JPEG", exif=phone_exif())
    assert read_capture(preview, headers.Header("raf")) == PHONE

    class Heif(list[Any]):
        primary_index = 0

    for stored in (block, b"Exif\0\0" + block):
        image = type("HeifImage", (), {"info": {"exif": stored}})
        monkeypatch.setattr(pi_heif, "open_heif", lambda _, image=image: Heif([image]))
        assert read_capture(b"", headers.Header("heic")) == PHONE


def test_xmp_is_read_where_exif_has_no_date() -> None:
    expected = "2010-07-11T13:53:00+02:00"
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", XMP.decode(), zip=True)
    for data in (saved("JPEG", xmp=XMP), saved("PNG", pnginfo=info), saved("WEBP", xmp=XMP), saved("AVIF", xmp=XMP)):
        assert read(data).taken_at == expected
    assert read(saved("TIFF", tiffinfo={700: XMP})).taken_at == expected
    element = XMP.replace(b'="', b">").replace(b'"/>', b"</exif:DateTimeOriginal>")
    assert read(saved("JPEG", xmp=element)).taken_at == expected
    assert read(saved("JPEG", xmp=XMP, exif=phone_exif())) == PHONE


def test_a_profile_that_imagemagick_wrote_is_read() -> None:
    block = phone_exif().tobytes()
    text = f"\nexif\n{len(block):8}\n" + "\n".join(block.hex()[at : at + 72] for at in range(0, 2 * len(block), 72))
    body = b"Raw profile type exif\0\0" + zlib.compress(text.encode())
    chunk = struct.pack(">I4s", len(body), b"zTXt") + body + struct.pack(">I", zlib.crc32(b"zTXt" + body))
    png = saved("PNG")
    assert read(png[:33] + chunk + png[33:]) == PHONE


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026:11:28 09:30:00", "2026-11-28T09:30:00"),
        ("2026:11:28 09:30:00.5+01:00", "2026-11-28T09:30:00.500000+01:00"),
        ("2026-11-28T09:30Z", "2026-11-28T09:30:00+00:00"),
        ("2026-11-28", "2026-11-28T00:00:00"),
        ("2026:11:28 23:59:59", "2026-11-28T23:59:59"),
        ("1839:01:01 12:00:00", "1839-01-01T12:00:00"),
        ("0000:00:00 00:00:00", None),
        ("    :  :     :  :  ", None),
        ("0001:01:01 00:00:00", None),
        ("2026:11:30 00:00:00", None),
        ("9999:12:31 23:59:59", None),
        ("2026:02:30 09:30:00", None),
        ("2026:11:28 24:00:00", None),
        ("2026:11:28 09:30:70", None),
        ("\u0662\u0660\u0662\u0666:11:28 09:30:00", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_dates_that_cannot_be_true_are_no_dates(text: str, expected: str | None) -> None:
    assert parse_date(text, now=NOW) == expected


def test_the_offset_and_the_fraction_are_used_if_they_are_valid() -> None:
    date = "2026:11:28 09:30:00"
    assert parse_date(date, "023", "-03:30", now=NOW) == "2026-11-28T09:30:00.023000-03:30"
    assert parse_date(date, "960541789", "+14:00", now=NOW) == "2026-11-28T09:30:00.960541+14:00"
    for offset in ("+15:00", "+01:75", "   :  ", "CET", ""):
        assert parse_date(date, "x", offset, now=NOW) == "2026-11-28T09:30:00"
    assert Capture("2026-11-28T09:30:00.5-03:30").local_time == "2026-11-28T09:30:00.500000"


def test_cameras_are_named_once_and_places_are_on_the_globe() -> None:
    assert camera_name("Canon", "Canon PowerShot S40") == "Canon PowerShot S40"
    assert camera_name("NIKON CORPORATION", "NIKON D800") == "NIKON D800"
    assert camera_name("samsung", "SM-G9600") == "samsung SM-G9600"
    assert camera_name("a;b\x1b[31m\u202e", "\0") == "a,b [31m"
    assert camera_name(" ", "") is None
    assert len(camera_name("x" * 400, "y") or "") == 100
    assert position(48.8220834, 2.3984721) == (48.822083, 2.398472)
    for wrong in ((0.0, 0.0), (91.0, 0.0), (0.0, 180.5), (float("nan"), 1.0), (float("inf"), 1.0)):
        assert position(*wrong) is None


def entry(tag: int, kind: int, count: int, value: int) -> bytes:
    return struct.pack("<HHII", tag, kind, count, value)


def block(*entries: bytes, at: int = 8, count: int | None = None, rest: bytes = b"") -> bytes:
    return struct.pack("<2sHIH", b"II", 42, at, len(entries) if count is None else count) + b"".join(entries) + rest


def hostile() -> Iterator[tuple[str, bytes]]:
    for name, code, filler in (("NUL bytes", 2, b"\0" * 20), ("text", 2, b"x" * 20), ("numbers", 4, b"\xff" * 20)):
        yield name, block(entry(0x8769, 4, 1, 26), rest=struct.pack("<H", 1) + entry(0x9003, code, 20, 44) + filler)
    yield "a directory in itself", block(entry(0x8769, 4, 1, 8), entry(0x8825, 4, 1, 8), entry(0x010F, 2, 4, 0x41))
    yield "huge counts", block(*(entry(tag, 2, 0xFFFFFFFF, 8) for tag in (0x010F, 0x0110, 0x9003)), count=0xFFFF)
    yield "values outside", block(entry(0x010F, 2, 100, 0xFFFFFFF0), entry(0x8769, 4, 1, 0xFFFFFFFF))
    yield (
        "no denominators",
        block(
            entry(0x8825, 4, 1, 26),
            rest=struct.pack("<H", 2) + entry(2, 5, 3, 52) + entry(4, 10, 3, 52) + struct.pack("<6I", *([0] * 6)),
        ),
    )
    yield "a directory outside", block(at=0xFFFFFFFF)
    yield "unknown kinds", block(entry(0x010F, 99, 1, 8), entry(0x0110, 0, 1, 8))
    yield "cut off", block(entry(0x8769, 4, 1, 26))[:15]
    yield (
        "a large tiff",
        block(*(entry(0x9003, 7, 0xFFFFFFF, 8) for _ in range(500)), count=0xFFFF, rest=bytes(1 << 20)),
    )
    yield "nothing", b""
    yield "a big tiff of no end", struct.pack("<2sHHHQQ", b"II", 43, 8, 0, 16, 2**63)


@pytest.mark.parametrize("data", [pytest.param(data, id=name) for name, data in hostile()])
def test_damaged_and_hostile_exif_has_no_date_and_costs_nothing(data: bytes) -> None:
    start = time.perf_counter()
    assert exif.read_tags(data)[0].get(exif.ORIGINAL) in (None, "x" * 20, (2**32 - 1,) * 20)
    jpeg = saved("JPEG", exif=b"Exif\0\0" + data[:60_000])
    for file, kind in ((jpeg, "jpeg"), (data, "tiff"), (data, "nef")):
        found = read_capture(file, headers.Header(kind))
        assert (found.taken_at, found.location) == (None, None)
    assert decode(jpeg).width == 64
    read_metadata(jpeg, (64, 48))
    assert time.perf_counter() - start < 2


def test_a_packed_text_cannot_grow_without_bound() -> None:
    packed = zlib.compress(bytes(200 << 20), 9)
    body = b"Raw profile type exif\0\0" + packed
    chunk = struct.pack(">I4s", len(body), b"zTXt") + body + bytes(4)
    png = saved("PNG")
    start = time.perf_counter()
    assert read(png[:33] + chunk + png[33:]) == NOTHING
    assert time.perf_counter() - start < 1


CORPUS: Final = Path(os.environ.get("PICTRACE_EVAL_DATA", "")) / "corpus" / "hostile"
DATES: Final = {
    "pillow/Tests__images__exif_typeerror.jpg": "2010-07-11T13:53:00+02:00",
    "pillow/Tests__images__iptc_roundUp.jpg": "2006-07-08T21:14:45",
    "pillow/Tests__images__flower.webp": "2003-12-14T12:01:44",
    "pillow/Tests__images__broken_exif_dpi.jpg": "2013-09-11T16:45:13.900000",
    "pillow/Tests__images__empty_gps_ifd.jpg": "2020-07-27T14:46:48.780685",
    "libvips/test__test-suite__images__avif-orientation-6.avif": "2020-03-05T11:28:10.150000",
    "libavif/tests__data__colors_hdr_p3.avif": "2023-12-05T14:39:21+01:00",
    "libavif/tests__data__colors-animated-8bpc-alpha-exif-xmp.avif": "2022-08-22T20:30:46.023000+02:00",
    "thumbor/tests__fixtures__images__broken-exif-tag.jpg": "2022-12-31T08:06:40.960541",
    "pillow/Tests__images__lab-red.tif": None,
    "pillow/Tests__images__7x13.png": None,
}
"""What ExifTool 12.57 reads of some files: SubSecDateTimeOriginal, or the first date there is. The last two have only
the time at which they were saved."""


@pytest.mark.skipif(not CORPUS.is_dir(), reason="PICTRACE_EVAL_DATA names no folder with the corpus")
def test_dates_are_those_that_exiftool_reads() -> None:
    found = {}
    for name in DATES:
        try:
            found[name] = read((CORPUS / name).read_bytes()).taken_at
        except PictureRefused:
            found[name] = "refused"
    assert found == DATES
