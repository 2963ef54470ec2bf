"""Methods that a user might try instead; each scores every stored image, and a higher score is a closer match."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

import imagehash
import numpy as np
import numpy.typing as npt
import pdqhash
from PIL import Image

from shared.vision.keypoints import LONGEST_SIDE, LOWE_RATIO, REPROJECTION_PIXELS
from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels
from shared.vision.resizing import resize_longest, resize_square
from shared.vision.ssim import ssim

Scores = npt.NDArray[np.float64]
SEGMENT_ERRORS: Final = 0.25
"""Share of bits that segments may differ by to count as shared: imagehash's default."""


class Method(Protocol):
    def __call__(self, rgb: Pixels) -> Scores: ...


def _bits(value: imagehash.ImageHash) -> npt.NDArray[np.bool_]:
    return np.asarray(value.hash, dtype=bool).reshape(-1)


def _by_bits(hashed: Callable[[Pixels], npt.NDArray[np.bool_]], stored: Sequence[Pixels]) -> Method:
    """Share of equal bits."""
    kept = np.array([hashed(rgb) for rgb in stored])
    return lambda rgb: (kept == hashed(rgb)).mean(axis=1)


def _pdq(rgb: Pixels) -> npt.NDArray[np.bool_]:
    return np.asarray(pdqhash.compute(rgb)[0], dtype=bool)


def _ssim(stored: Sequence[Pixels]) -> Method:
    def gray(rgb: Pixels) -> Pixels:
        return resize_square(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.uint8), 256)

    kept = [gray(rgb) for rgb in stored]
    return lambda rgb: np.array([ssim(query, one) for query in [gray(rgb)] for one in kept])


def _crop_resistant(stored: Sequence[Pixels]) -> Method:
    """imagehash's, of segments: how many of the query's another image has, and then how near these are."""

    def hashed(rgb: Pixels) -> npt.NDArray[np.bool_]:
        return np.array([_bits(one) for one in imagehash.crop_resistant_hash(Image.fromarray(rgb)).segment_hashes])

    def near(a: npt.NDArray[np.bool_], b: npt.NDArray[np.bool_]) -> float:
        lowest = (a[:, np.newaxis] != b).mean(axis=2).min(axis=1)
        shared = lowest[lowest <= SEGMENT_ERRORS]
        return float(len(shared) - shared.sum() / (len(a) + 1))

    kept = [hashed(rgb) for rgb in stored]
    return lambda rgb: np.array([near(query, one) for query in [hashed(rgb)] for one in kept])


def _nearest_two(a: Any, b: Any) -> tuple[Scores, npt.NDArray[np.intp]]:
    """Return the distances of each descriptor of `a` to its two nearest in `b`, and the index of the nearest."""
    if a.dtype == np.uint8:
        distances, nearest = cv2.batchDistance(a, b, cv2.CV_32S, normType=cv2.NORM_HAMMING, K=2)
        return distances.astype(np.float64), nearest[:, 0].astype(np.intp)
    squares = (a**2).sum(axis=1)[:, np.newaxis] + (b**2).sum(axis=1) - 2 * a @ b.T
    two = np.partition(squares, 1, axis=1)[:, :2]
    return np.sqrt(np.maximum(two, 0)).astype(np.float64), squares.argmin(axis=1)


def _by_keypoints(detector: Any, *, geometry: bool) -> Callable[[Sequence[Pixels]], Method]:
    """Match OpenCV's keypoints with Lowe's ratio test; with `geometry`, count the RANSAC inliers of a homography.

    Without geometry, the score is the number of pairs divided by the larger number of keypoints. Divided by the
    smaller one, as is common, images with two keypoints would be the closest match of everything.
    """

    def found(rgb: Pixels) -> tuple[Scores, Any]:
        gray = resize_longest(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.uint8), LONGEST_SIDE)
        points, descriptors = detector.detectAndCompute(gray, None)
        return np.array([point.pt for point in points]), descriptors

    def score(a: tuple[Scores, Any], b: tuple[Scores, Any]) -> float:
        if min(len(a[0]), len(b[0])) < 2:
            return 0.0
        distances, nearest = _nearest_two(a[1], b[1])
        passed = distances[:, 0] < LOWE_RATIO * distances[:, 1]
        if not geometry:
            return float(passed.sum() / max(len(a[0]), len(b[0])))
        if passed.sum() < 4:
            return 0.0
        _, inliers = cv2.findHomography(a[0][passed], b[0][nearest[passed]], cv2.RANSAC, REPROJECTION_PIXELS)
        return 0.0 if inliers is None else float(inliers.sum())

    def prepare(stored: Sequence[Pixels]) -> Method:
        kept = [found(rgb) for rgb in stored]
        return lambda rgb: np.array([score(query, one) for query in [found(rgb)] for one in kept])

    return prepare


QUICK: Final[Mapping[str, Callable[[Sequence[Pixels]], Method]]] = {
    "pHash (imagehash)": lambda stored: _by_bits(lambda rgb: _bits(imagehash.phash(Image.fromarray(rgb))), stored),
    "dHash (imagehash)": lambda stored: _by_bits(lambda rgb: _bits(imagehash.dhash(Image.fromarray(rgb))), stored),
    "PDQ (pdqhash)": lambda stored: _by_bits(_pdq, stored),
}
SLOW: Final[Mapping[str, Callable[[Sequence[Pixels]], Method]]] = {
    "SSIM alone": _ssim,
    "crop-resistant (imagehash)": _crop_resistant,
    "ORB ratio alone": _by_keypoints(cv2.ORB.create(nfeatures=500), geometry=False),
    "ORB + RANSAC": _by_keypoints(cv2.ORB.create(nfeatures=500), geometry=True),
    "SIFT + RANSAC": _by_keypoints(cv2.SIFT.create(nfeatures=500), geometry=True),
}
"""Methods that compare the query with every stored image, and therefore get fewer queries."""
