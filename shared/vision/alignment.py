"""SSIM after undoing the transform that the keypoints agree on."""

from typing import Final

import numpy as np

from shared.vision.keypoints import KeypointMatches
from shared.vision.opencv import cv2
from shared.vision.signature import SIDE, Signature
from shared.vision.ssim import ssim

MIN_OVERLAP: Final = 0.05
"""The least share of the second image that the moved first one must cover for SSIM to mean anything."""


def aligned_ssim(a: Signature, b: Signature, matches: KeypointMatches) -> float | None:
    """SSIM of `b` and of `a` moved onto it, over the pixels that both cover; None without a transform."""
    if matches.transform is None:
        return None
    between = _to_square(b).dot(matches.transform).dot(np.linalg.inv(_to_square(a)))
    moved = cv2.warpPerspective(a.gray, between, (SIDE, SIDE), flags=cv2.INTER_LINEAR)
    covered = cv2.warpPerspective(np.full((SIDE, SIDE), 255, np.uint8), between, (SIDE, SIDE)) == 255  # noqa: PLR2004
    if covered.mean() < MIN_OVERLAP:
        return None
    return ssim(moved.astype(np.uint8, copy=False), b.gray, covered)


def _to_square(signature: Signature) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
    """From the keypoints' pixels to the 256 x 256 square's."""
    width, height = signature.keypoints.size
    return np.diag([SIDE / width, SIDE / height, 1.0])
