"""What a user would try instead, each as a list of scores of every stored picture, higher is nearer."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

import imagehash
import numpy as np
import numpy.typing as npt
import pdqhash
from PIL import Image

from shared.vision.channels import Pixels
from shared.vision.keypoints import LOWE_RATIO
from shared.vision.opencv import cv2
from shared.vision.resizing import scaled, squeezed
from shared.vision.structure import ssim

Scores = npt.NDArray[np.float64]


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
        return squeezed(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.uint8), 256)

    kept = [gray(rgb) for rgb in stored]
    return lambda rgb: np.array([ssim(query, one) for query in [gray(rgb)] for one in kept])


def _orb_ratio(stored: Sequence[Pixels]) -> Method:
    """OpenCV's ORB as it comes, 500 keypoints; the share that passes Lowe's ratio test, no geometry.

    By the larger number of the two: by another, stored pictures with two keypoints are nearest to everything.
    """
    orb = cv2.ORB.create(nfeatures=500)

    def descriptors(rgb: Pixels) -> Any:
        return orb.detectAndCompute(scaled(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.uint8), 512), None)[1]

    def ratio(a: Any, b: Any) -> float:
        if a is None or b is None or min(len(a), len(b)) < 2:
            return 0.0
        distances = cv2.batchDistance(a, b, cv2.CV_32S, normType=cv2.NORM_HAMMING, K=2)[0]
        return float((distances[:, 0] < LOWE_RATIO * distances[:, 1]).sum() / max(len(a), len(b)))

    kept = [descriptors(rgb) for rgb in stored]
    return lambda rgb: np.array([ratio(query, one) for query in [descriptors(rgb)] for one in kept])


QUICK: Final[Mapping[str, Callable[[Sequence[Pixels]], Method]]] = {
    "pHash (imagehash)": lambda stored: _by_bits(lambda rgb: _bits(imagehash.phash(Image.fromarray(rgb))), stored),
    "dHash (imagehash)": lambda stored: _by_bits(lambda rgb: _bits(imagehash.dhash(Image.fromarray(rgb))), stored),
    "PDQ (pdqhash)": lambda stored: _by_bits(_pdq, stored),
}
SLOW: Final[Mapping[str, Callable[[Sequence[Pixels]], Method]]] = {
    "SSIM alone": _ssim,
    "ORB ratio alone": _orb_ratio,
}
"""These compare the query with every stored picture, so they are asked fewer queries."""
