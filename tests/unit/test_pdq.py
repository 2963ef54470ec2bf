"""PDQ hashes are those of the reference implementation."""

from itertools import product

import numpy as np
import pdqhash
import pytest

from shared.vision.decode.decoding import decode
from shared.vision.opencv import cv2
from shared.vision.pdq import pdq_hash
from tests.images import Pixels, encoded, pixels

PHOTOS = (
    "astronaut.png",
    "brick.png",
    "camera.png",
    "chelsea.png",
    "coffee.png",
    "coins.png",
    "grass.png",
    "gravel.png",
    "hubble_deep_field.jpg",
    "ihc.png",
    "motorcycle_left.png",
    "retina.jpg",
    "rocket.jpg",
)
HEIGHTS = (64, 65, 127, 128, 129, 640, 1003)


def reference(rgb: Pixels) -> tuple[str, int]:
    bits, quality = pdqhash.compute(np.ascontiguousarray(rgb))
    return np.packbits(bits).tobytes().hex(), int(quality)


def ours(rgb: Pixels) -> tuple[str, int]:
    found = pdq_hash(rgb)
    return found.value, found.quality


@pytest.mark.parametrize("name", PHOTOS)
def test_photographs_have_the_hash_and_quality_of_pdqhash(name: str) -> None:
    assert ours(pixels(name)) == reference(pixels(name))


def test_so_they_have_in_any_size() -> None:
    """A bit may differ where two frequencies are equal but for the rounding of sums."""
    differing = []
    for name, (height, width) in product(("chelsea.png", "rocket.jpg"), zip(HEIGHTS, reversed(HEIGHTS), strict=True)):
        rgb = cv2.resize(pixels(name), (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8)
        (value, quality), (expected, expected_quality) = ours(rgb), reference(rgb)
        assert abs(quality - expected_quality) <= 1
        differing.append((int(value, 16) ^ int(expected, 16)).bit_count())
    assert max(differing) <= 2
    assert np.mean(differing) < 0.5


def test_a_large_photograph_is_hashed_from_a_smaller_size_within_a_few_bits() -> None:
    """Ingest decodes it to at most 1,024 pixels a side; PDQ's authors call hashes within 31 bits the same image."""
    rgb = cv2.resize(pixels("motorcycle_left.png"), (4000, 2700), interpolation=cv2.INTER_CUBIC).astype(np.uint8)
    decoded = decode(encoded(rgb, ".jpg"), patience=None).rgb
    assert max(decoded.shape) <= 1024
    (value, _), (expected, _) = ours(decoded), reference(rgb)
    assert (int(value, 16) ^ int(expected, 16)).bit_count() <= 12


@pytest.mark.parametrize("shape", [(4, 640), (640, 4), (1, 1)])
def test_an_image_too_small_to_be_told_from_others_has_zeros(shape: tuple[int, int]) -> None:
    rgb = np.random.default_rng(1).integers(0, 256, (*shape, 3), dtype=np.uint8)
    assert ours(rgb) == reference(rgb) == ("0" * 64, 0)


def test_an_image_of_one_colour_has_no_quality() -> None:
    assert pdq_hash(np.full((300, 200, 3), 90, np.uint8)).quality == 0
