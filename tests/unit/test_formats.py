"""The bytes decide what an image is, whatever its name and its content type say."""

import pytest

from shared.domain.duplicates import best_first
from shared.domain.errors import PictureRefused
from shared.domain.formats import TAKEN, UNKNOWN_TYPE, sniff, upload_type
from shared.domain.images import ImageRecord


@pytest.mark.parametrize(
    ("stated", "taken"),
    [
        ("image/jpeg", "image/jpeg"),
        ("IMAGE/JPEG", "image/jpeg"),
        ("image/heic; charset=binary", "image/heic"),
        ("image/jpg", UNKNOWN_TYPE),
        ("image/pjpeg", UNKNOWN_TYPE),
        ("image/x-canon-cr3", "image/x-canon-cr3"),
        ("application/octet-stream", UNKNOWN_TYPE),
        ("binary/octet-stream", UNKNOWN_TYPE),
        ("", UNKNOWN_TYPE),
        ("image/svg+xml", None),
        ("text/html", None),
        ("video/mp4", None),
    ],
)
def test_any_type_of_an_image_is_taken_and_none_of_something_else(stated: str, taken: str | None) -> None:
    assert upload_type(stated) == taken


def box(brand: bytes, *others: bytes, codec: bytes = b"") -> bytes:
    body = brand + b"\0\0\0\0" + b"".join(others)
    return (8 + len(body)).to_bytes(4, "big") + b"ftyp" + body + codec


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (box(b"heic", b"mif1"), "heic"),
        (box(b"mif1", b"heic"), "heic"),
        (box(b"mif1", b"miaf", codec=b"...hvc1"), "heic"),
        (box(b"mif1", b"miaf", codec=b"...av01"), "avif"),
        (box(b"avis"), "avif"),
        (box(b"crx "), "cr3"),
        (b"\xff\x0a\0", "jxl"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "jxl"),
        (b"II*\0\x10\0\0\0CR\2\0", "cr2"),
        (b"FUJIFILMCCD-RAW 0201", "raf"),
        (b"IIRO\x08\0\0\0", "orf"),
        (b"IIU\0\x18\0\0\0", "rw2"),
        (b"II*\0\x08\0\0\0IIII", "iiq"),
        (b"FOV\x62\0", "x3f"),
        (b"II\x1a\0\0\0HEAPCCDR", "crw"),
        (b"\0MRM\0", "mrw"),
        (b"II*\0\x08\0\0\0", "tiff"),
    ],
)
def test_a_format_is_recognised_by_its_bytes(data: bytes, kind: str) -> None:
    assert sniff(data) == kind


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (box(b"isom", b"mp42"), "a video"),
        (box(b"mif1", codec=b"...vvc1"), "a video, or an image in a codec"),
        (b"8BPS\0\1", "a Photoshop document"),
        (b"%PDF-1.7", "a PDF"),
        (b"\n<svg xmlns=''/>", "an SVG"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "a JPEG 2000"),
        (b"hello", "not an image"),
    ],
)
def test_a_refusal_names_the_format_what_is_taken_and_what_to_do(data: bytes, name: str) -> None:
    with pytest.raises(PictureRefused, match=f"The file is {name}") as refused:
        sniff(data)
    assert TAKEN in refused.value.reason
    assert "convert" in refused.value.reason


def test_camera_raw_is_better_than_its_jpeg_and_a_damaged_copy_worse() -> None:
    jpeg, raw = (
        ImageRecord("c", kind, "m", 600, 400, kind, 9, "0" * 16, "2026", sharpness=9) for kind in ("jpeg", "nef")
    )
    cut = ImageRecord("c", "cut", "m", 600, 400, "jpeg", 9, "0" * 16, "2025", sharpness=99, damaged=True, intact=0.7)
    assert [record.image_id for record in best_first([cut, jpeg, raw])] == ["nef", "jpeg", "cut"]


@pytest.mark.parametrize(
    ("data", "described"),
    [
        (b"\0\0\1\0\1\0" + bytes(16), "a Windows icon or cursor"),
        (b"\0\0\2" + bytes(9) + b"\x40\0\x40\0\x18\0", "a Targa image"),
        (b"\x0a\5\1\x08" + bytes(60), "a PCX image"),
        (b"\x01\xda\0\1" + bytes(60), "an SGI image"),
        (bytes(128) + b"DICM", "a DICOM image"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (b"\x1f\x8b\x08" + bytes(20), "a compressed archive"),
        (b"ID3\3" + bytes(20), "a sound file"),
        (b"some notes", "not an image in a supported format"),
    ],
)
def test_a_refusal_names_what_the_file_is_and_what_is_taken(data: bytes, described: str) -> None:
    with pytest.raises(PictureRefused) as refused:
        sniff(data)
    assert refused.value.reason.startswith(f"The file is {described}, whatever its name says. Send a {TAKEN} file;")
