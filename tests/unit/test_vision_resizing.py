"""Enlarging makes the same pixels on every processor; OpenCV's plain linear interpolation does not."""

import hashlib
from collections.abc import Callable

import numpy as np
import pytest

from shared.vision.pixels import Pixels
from shared.vision.resizing import resize_longest, resize_square


@pytest.mark.parametrize(
    ("enlarged", "digest"),
    [
        (lambda pixels: resize_longest(pixels, 512), "801bc6ceb7fb7295"),
        (lambda pixels: resize_square(pixels, 224), "5c3bca99497e6320"),
    ],
    ids=["longest side", "square"],
)
def test_enlarged_pixels_match_those_computed_on_arm64(enlarged: Callable[[Pixels], Pixels], digest: str) -> None:
    """The digests are what an arm64 processor computes, and an x86_64 one too."""
    y, x = np.mgrid[0:150, 0:190]
    drawn = ((x * x + y * 7) % 251).astype(np.uint8)
    assert hashlib.sha256(enlarged(drawn).tobytes()).hexdigest()[:16] == digest
