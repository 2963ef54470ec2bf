"""Files that are refused before any decoder reads them, and OpenCV's own limits."""

import io
import os
import struct
import time
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from shared.domain.errors import PictureRefused
from shared.domain.limits import MAX_CHUNKS, MAX_JPEG_SCANS, MAX_PIXELS, MAX_SIDE
from shared.vision.decode import headers
from shared.vision.opencv import cv2


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def jpeg(width: int, height: int, scans: int = 1) -> bytes:
    frame = b"\xff\xc2\x00\x0b\x08" + struct.pack(">HH", height, width) + b"\x01\x01\x11\x00"
    return b"\xff\xd8" + frame + b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00\x12\xff\x00\x34" * scans + b"\xff\xd9"


def webp(width: int, height: int) -> bytes:
    bits = (width - 1) | (height - 1) << 14
    body = b"VP8L" + struct.pack("<I", 10) + b"\x2f" + struct.pack("<I", bits) + b"\0" * 5
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def webp_canvas(width: int, height: int) -> bytes:
    body = b"VP8X" + struct.pack("<I", 10) + b"\0" * 4
    body += (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


def gif(width: int, height: int) -> bytes:
    return b"GIF89a" + struct.pack("<HH", width, height) + b"\0" * 20


def bmp(width: int, height: int) -> bytes:
    return b"BM" + b"\0" * 12 + struct.pack("<Iii", 40, width, -height) + b"\0" * 30


def tiff(width: int, height: int) -> bytes:
    tags = struct.pack("<HHHII", 2, 256, 4, 1, width) + struct.pack("<HHII", 257, 4, 1, height)
    return b"II*\0" + struct.pack("<I", 8) + tags + b"\0" * 4


def big_tiff(width: int, height: int) -> bytes:
    tags = struct.pack(">QHHQQ", 2, 256, 16, 1, width) + struct.pack(">HHQQ", 257, 16, 1, height)
    return b"MM\0+" + struct.pack(">HHQ", 8, 0, 16) + tags + b"\0" * 8


def avif(width: int, height: int) -> bytes:
    return b"\0\0\0\x14ftypavif\0\0\0\0mif1" + b"\0\0\0\x14ispe\0\0\0\0" + struct.pack(">II", width, height)


Maker = Callable[[int, int], bytes]
MAKERS: list[Maker] = [png, jpeg, webp, webp_canvas, gif, bmp, tiff, big_tiff, avif]


@pytest.mark.parametrize("make", MAKERS)
def test_the_size_is_read_from_the_header(make: Maker) -> None:
    found = headers.check(make(300, 200))
    assert (found.width, found.height) == (300, 200)


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("size", [(16_000, 16_000), (MAX_SIDE, 4_000)])
def test_too_many_pixels_are_refused_before_decoding(make: Maker, size: tuple[int, int]) -> None:
    assert size[0] * size[1] > MAX_PIXELS
    with pytest.raises(PictureRefused, match="claims") as refused:
        headers.check(make(*size))
    assert refused.value.code == "too_many_pixels"


def test_a_side_that_is_too_long_is_refused() -> None:
    with pytest.raises(PictureRefused) as refused:
        headers.check(png(MAX_SIDE + 1, 1))
    assert refused.value.code == "too_many_pixels"
    assert headers.check(png(MAX_SIDE, 1)).width == MAX_SIDE


def test_a_webp_frame_larger_than_its_canvas_is_refused() -> None:
    canvas, frame = webp_canvas(10, 10), webp(16_000, 16_000)[12:]
    with pytest.raises(PictureRefused) as refused:
        headers.check(canvas + frame)
    assert refused.value.code == "too_many_pixels"


def test_a_gif_frame_larger_than_its_canvas_is_refused() -> None:
    with pytest.raises(PictureRefused) as refused:
        headers.check(gif(10, 10)[:13] + b"\x2c" + struct.pack("<4HB", 0, 0, 60_000, 60_000, 0))
    assert refused.value.code == "too_many_pixels"


def test_a_png_chunk_longer_than_the_file_is_refused() -> None:
    whole = png(4, 4)
    at = whole.index(b"IDAT") - 4
    with pytest.raises(PictureRefused, match="2,147,483,000") as refused:
        headers.check(whole[:at] + struct.pack(">I", 2_147_483_000) + whole[at + 4 :])
    assert refused.value.code == "corrupt"


def test_a_jpeg_with_too_many_scans_is_refused() -> None:
    assert headers.check(jpeg(64, 64, MAX_JPEG_SCANS)).width == 64
    with pytest.raises(PictureRefused) as refused:
        headers.check(jpeg(64, 64, MAX_JPEG_SCANS + 1))
    assert refused.value.code == "too_complex"


MANY = 2 * MAX_CHUNKS
PARTS = {
    "jpeg": jpeg(64, 64)[:-2] + b"\xff\xe0\x00\x02" * MANY + b"\xff\xd9",
    "png": png(4, 4)[:33] + chunk(b"tEXt", b"") * MANY + png(4, 4)[33:],
    "png data": png(4, 4)[:33] + chunk(b"IDAT", b"") * MANY + png(4, 4)[33:],
    "webp": webp_canvas(4, 4) + b"ABCD\0\0\0\0" * MANY,
    "webp frames": webp_canvas(4, 4) + (b"ANMF" + struct.pack("<I", 16) + b"\0" * 16) * MANY,
    "gif": gif(4, 4)[:13] + b"\x21\xfe\0" * MANY,
    "gif blocks": gif(4, 4)[:13] + b"\x21\xfe" + b"\x01a" * MANY,
    "avif": avif(4, 4) + avif(4, 4)[20:] * MANY,
}


@pytest.mark.parametrize("data", PARTS.values(), ids=PARTS)
def test_a_file_with_too_many_parts_is_refused_quickly(data: bytes) -> None:
    seconds: list[float] = []
    while len(seconds) < 20 and min(seconds, default=1) >= 0.1:  # a busy machine may be slow for a while
        started = time.thread_time()
        with pytest.raises(PictureRefused, match=f"{MAX_CHUNKS:,}") as refused:
            headers.check(data)
        seconds.append(time.thread_time() - started)
        assert refused.value.code == "too_complex"
    assert min(seconds) < 0.1, seconds


def test_a_progressive_jpeg_from_an_encoder_passes() -> None:
    out = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (80, 90, 3), np.uint8)).save(
        out, "JPEG", progressive=True
    )
    found = headers.check(out.getvalue())
    assert (found.format, found.width, found.height) == ("jpeg", 90, 80)


def test_markers_inside_a_jpeg_segment_are_ignored() -> None:
    thumbnail = jpeg(MAX_SIDE, MAX_SIDE, MAX_JPEG_SCANS + 1)
    exif = b"\xff\xe1" + struct.pack(">H", len(thumbnail) + 2) + thumbnail
    assert headers.check(b"\xff\xd8" + exif + jpeg(64, 64)[2:]).width == 64


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b"GIF", "unsupported_type"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "unsupported_type"),
        (b"\0\0\0\x0cjP  \r\n\x87\n" + b"\0" * 30, "unsupported_type"),
        (b"\x76\x2f\x31\x01" + b"\0" * 30, "unsupported_type"),
        (b"\0\0\0\x18ftypisom\0\0\0\0mp41mp42", "unsupported_type"),
        (b"RIFF\0\0\0\0WAVE", "unsupported_type"),
        (b"\x89PNG\r\n\x1a\n", "corrupt"),
        (b"GIF89a\x01", "corrupt"),
        (b"BM", "corrupt"),
        (b"II*\0\xff\xff\xff\xff", "corrupt"),
        (b"\x0a\x05\x01\x08" + b"\0" * 200, "unsupported_type"),
        (b"Pf\n2 2\n-1.0\n" + b"\0" * 16, "unsupported_type"),
    ],
)
def test_files_that_are_not_images_are_refused_with_a_reason(data: bytes, code: str) -> None:
    with pytest.raises(PictureRefused) as refused:
        headers.check(data)
    assert refused.value.code == code
    assert refused.value.reason.endswith(".")


def test_an_avif_is_recognised_by_any_of_its_brands() -> None:
    data = b"\0\0\0\x18ftypmif1\0\0\0\0mif1avif" + avif(30, 20)[20:]
    assert headers.check(data).format == "avif"


def test_opencv_is_imported_with_limits_of_its_own() -> None:
    assert int(os.environ["OPENCV_IO_MAX_IMAGE_PIXELS"]) == MAX_PIXELS
    huge = np.frombuffer(jpeg(20_000, 20_000), np.uint8)
    with pytest.raises(cv2.error):
        cv2.imdecode(huge, cv2.IMREAD_COLOR)
