"""The nearest descriptors are those of OpenCV's brute-force search, also where distances are equal."""

import numpy as np
import pytest

from shared.vision.hamming import near, nearest_two
from shared.vision.opencv import cv2


@pytest.mark.parametrize(("own", "others", "levels"), [(500, 1500, 256), (3, 2, 256), (1, 40, 2), (200, 300, 2)])
def test_distances_are_those_of_brute_force(own: int, others: int, levels: int) -> None:
    rng = np.random.default_rng(own)
    a, b = (rng.integers(0, levels, (count, 32), dtype=np.uint8) for count in (own, others))
    expected, at = cv2.batchDistance(a, b, cv2.CV_32S, normType=cv2.NORM_HAMMING, K=2)
    nearest, distances = nearest_two(a, b)
    assert np.array_equal(distances, expected)
    assert np.array_equal(nearest, at[:, 0])


def test_the_first_of_equals_is_the_nearest() -> None:
    a = np.zeros((1, 32), np.uint8)
    nearest, distances = nearest_two(a, np.repeat(a, 3, axis=0))
    assert nearest.tolist() == [0]
    assert distances.tolist() == [[0, 0]]


def test_the_nearest_of_those_that_are_near_are_kept() -> None:
    rng = np.random.default_rng(1)
    a, b = (rng.integers(0, 2, (count, 32), dtype=np.uint8) for count in (60, 80))
    expected, at = cv2.batchDistance(a, b, cv2.CV_32S, normType=cv2.NORM_HAMMING, K=5)
    left, right = near(a, b, 10, 5)
    assert 0 < len(left) < expected.size
    assert np.array_equal(left, np.nonzero(expected < 10)[0])
    assert np.array_equal(right, at[expected < 10])
