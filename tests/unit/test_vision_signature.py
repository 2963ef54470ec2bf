"""What is kept of an image for comparing it: extraction, the packed form, hash, histogram, thumbnail, drawings."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from bench.training.originals import families
from shared.vision.decode.decoding import decode
from shared.vision.histogram import correlation, histogram
from shared.vision.keypoints import LONGEST_SIDE, MAX_KEYPOINTS
from shared.vision.opencv import cv2
from shared.vision.phash import perceptual_hash
from shared.vision.pixels import Pixels
from shared.vision.resizing import resize_longest, resize_square, shrink_to_fit
from shared.vision.signature import SIDE, extract, pack, unpack
from shared.vision.thumbnail import thumbnail
from shared.vision.visualization import difference_image, matches_image
from tests.images import encoded, pixels

FLAT = np.full((50, 70, 3), 200, np.uint8)


@pytest.fixture(scope="module")
def astronaut() -> Pixels:
    return pixels("astronaut.png")


def gray(rgb: Pixels) -> Pixels:
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.uint8)


def test_a_signature_survives_packing(astronaut: Pixels) -> None:
    made = extract(astronaut)
    read = unpack(pack(made))
    assert made.gray.shape == (SIDE, SIDE)
    assert len(made.keypoints) == MAX_KEYPOINTS
    assert np.array_equal(read.gray, made.gray)
    assert np.array_equal(read.histogram, made.histogram)
    for name in ("points", "scales", "angles", "descriptors", "size"):
        assert np.array_equal(getattr(read.keypoints, name), getattr(made.keypoints, name)), name
    assert (read.fine, read.pixels_hash) == (made.fine, made.pixels_hash)
    assert 100_000 < len(pack(made)) < 160_000


def test_a_signature_of_an_earlier_version_is_read_without_details(astronaut: Pixels) -> None:
    made = extract(astronaut)
    after = 32 + 4 + len(made.fine)
    read = unpack(b"PTS3" + pack(made)[4:-after])
    assert np.array_equal(read.gray, made.gray)
    assert (read.fine, read.pixels_hash) == (b"", b"")


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 1), (7, 7), (50, 70)])
def test_images_without_keypoints_have_signatures(shape: tuple[int, int]) -> None:
    made = unpack(pack(extract(np.full((*shape, 3), 200, np.uint8))))
    assert len(made.keypoints) == 0
    assert made.keypoints.descriptors.shape == (0, 32)
    assert (made.gray == 200).all()
    assert max(made.keypoints.size) == LONGEST_SIDE


def noisy(height: int, width: int, most: int = 255) -> Pixels:
    return np.random.default_rng(0).integers(0, most + 1, (height, width, 3), dtype=np.uint8)


WITHOUT_INFORMATION = {
    "one pixel": noisy(1, 1),
    "a line of noise": noisy(1, 16_000),
    "a few pixels": noisy(7, 7),
    "white": np.full((300, 200, 3), 255, np.uint8),
    "black": np.zeros((300, 200, 3), np.uint8),
    "one colour": np.full((300, 200, 3), (10, 200, 90), np.uint8),
    "a covered lens": noisy(300, 400, most=12),
    "one colour as a JPEG": decode(encoded(np.full((99, 61, 3), (10, 200, 90), np.uint8))).rgb,
}


@pytest.mark.parametrize("rgb", WITHOUT_INFORMATION.values(), ids=WITHOUT_INFORMATION)
def test_images_that_show_nothing_are_marked(rgb: Pixels) -> None:
    assert extract(rgb).low_information
    assert unpack(pack(extract(rgb))).low_information


@pytest.mark.parametrize("kind", ["smooth", "on white", "document", "shape"])
def test_images_that_show_little_are_not_marked(kind: str, astronaut: Pixels) -> None:
    made = {name: rgb for _, name, rgb in families([astronaut], np.random.default_rng(1), every=1)}
    assert not extract(made[kind]).low_information
    assert not unpack(pack(extract(made[kind]))).low_information


def test_what_is_no_signature_is_refused(astronaut: Pixels) -> None:
    whole = pack(extract(astronaut))
    count, width, height = struct.unpack_from("<HHH", whole, 4)
    not_a_number = bytearray(whole)
    not_a_number[12 + SIDE * SIDE + 4 * 512 : 16 + SIDE * SIDE + 4 * 512] = struct.pack("<f", float("nan"))
    for wrong in (
        b"",
        whole[:-1],
        whole + b"\0",
        b"PTS9" + whole[4:],
        whole[:4] + struct.pack("<HHH", count - 1, width, height) + whole[10:],
        whole[:4] + struct.pack("<HHH", 65535, width, height) + whole[10:],
        whole[:4] + struct.pack("<HHH", count, 0, height) + whole[10:],
        bytes(not_a_number),
    ):
        with pytest.raises(ValueError, match="signature"):
            unpack(wrong)


def test_a_large_copy_has_nearly_the_same_signature(astronaut: Pixels) -> None:
    large = cv2.resize(astronaut, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC).astype(np.uint8)
    a, b = extract(astronaut), extract(large)
    assert np.abs(a.gray.astype(int) - b.gray).mean() < 1
    assert correlation(a.histogram, b.histogram) > 0.99


def test_shrinking_averages_every_pixel() -> None:
    """One line in eight is white, so every average is 32, and sampling would see lines or none."""
    line = np.repeat(np.array([255, 0], np.uint8), [1, 7])
    across = np.tile(line, (64, 128))
    down = np.repeat(np.tile(line, 256)[:, np.newaxis], 8, axis=1)
    for striped in (resize_square(across, 16), resize_square(down, 64), resize_longest(across, 16)):
        assert np.abs(striped.astype(int) - 32).max() <= 1
    assert resize_longest(np.zeros((1000, 10), np.uint8), 50).shape == (50, 1)
    assert shrink_to_fit(FLAT, 100) is FLAT


def test_the_hash_holds_under_alterations_and_tells_images_apart(astronaut: Pixels) -> None:
    def bits(rgb: Pixels) -> int:
        digits = perceptual_hash(gray(rgb))
        assert len(digits) == 16
        return int(digits, 16)

    original = bits(astronaut)
    smaller = cv2.resize(astronaut, None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA).astype(np.uint8)
    for copy in (decode(encoded(astronaut, ".jpg", cv2.IMWRITE_JPEG_QUALITY, 20)).rgb, smaller):
        assert (original ^ bits(copy)).bit_count() <= 6
    for other in ("chelsea.png", "coffee.png", "rocket.jpg"):
        assert (original ^ bits(pixels(other))).bit_count() >= 16
    assert bits(np.zeros((1, 1, 3), np.uint8)) >= 0


def test_histogram_correlation_is_opencvs(astronaut: Pixels) -> None:
    a, b = histogram(astronaut), histogram(pixels("coffee.png"))
    assert a.sum() == pytest.approx(1)
    assert correlation(a, b) == pytest.approx(cv2.compareHist(a, b, cv2.HISTCMP_CORREL), abs=1e-6)
    red = histogram(np.full((4, 4, 3), (255, 0, 0), np.uint8))
    assert red[7 * 64] == 1
    assert correlation(red, red) == pytest.approx(1)
    uniform = np.full(512, 1 / 512, np.float32)
    assert correlation(uniform, uniform) == 1.0
    assert correlation(uniform, red) == 0.0


def test_thumbnails_are_small_webps_of_the_same_colours(astronaut: Pixels) -> None:
    wide = np.ascontiguousarray(astronaut[:200])
    small = Image.open(io.BytesIO(thumbnail(wide)))
    assert (small.format, small.size) == ("WEBP", (320, 125))
    wanted = Image.fromarray(wide).resize(small.size, Image.Resampling.BOX)
    assert np.abs(np.asarray(small.convert("RGB")).astype(int) - np.asarray(wanted)).mean() < 6
    assert Image.open(io.BytesIO(thumbnail(FLAT))).size == (70, 50)
    assert Image.open(io.BytesIO(thumbnail(np.zeros((16_000, 1, 3), np.uint8)))).size == (1, 320)


def shown(png: bytes) -> Pixels:
    return np.asarray(Image.open(io.BytesIO(png)))


def test_the_matches_image_draws_lines_only_between_matches(astronaut: Pixels) -> None:
    turned = np.ascontiguousarray(np.rot90(astronaut))
    drawn = shown(matches_image(astronaut, turned))
    assert drawn.shape == (512, 512 + 16 + 512, 3)
    gap = drawn[:, 512:528]
    assert (gap != 255).any(axis=2).sum() > 100
    mirrored = shown(matches_image(astronaut, np.ascontiguousarray(astronaut[:, ::-1])))
    assert (mirrored[:, 512:528] != 255).any(axis=2).sum() > 100
    blank = shown(matches_image(astronaut, FLAT))
    assert (blank[:, 512:528] == 255).all()
    assert np.array_equal(blank[:, :512], astronaut)


def test_the_difference_image_is_bright_where_the_change_is(astronaut: Pixels) -> None:
    changed = astronaut.copy()
    changed[100:200, 300:400] = np.random.default_rng(0).integers(0, 256, (100, 100, 3))
    heat = shown(difference_image(changed, astronaut)).astype(int).sum(axis=2)
    assert heat[110:190, 310:390].mean() > 2 * heat[300:500, 50:250].mean()
    assert shown(difference_image(FLAT, np.zeros((1, 900, 3), np.uint8))).shape == (512, 512, 3)
