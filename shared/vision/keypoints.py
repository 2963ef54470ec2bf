"""ORB keypoints, and the geometry on which two pictures' keypoints agree.

E. Rublee, V. Rabaud, K. Konolige, G. Bradski: ORB: an efficient alternative to SIFT or SURF, ICCV 2011.
"""

import threading
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from shared.domain.matches import OrbScore
from shared.vision.channels import Pixels
from shared.vision.opencv import cv2

MAX_KEYPOINTS: Final = 500
LONGEST_SIDE: Final = 512
"""Keypoints are found on the gray picture with this longest side, in its own proportions."""

LOWE_RATIO: Final = 0.8
"""D. Lowe: Distinctive Image Features from Scale-Invariant Keypoints, IJCV 2004, section 7.1."""

MIN_INLIERS: Final = 10
"""Fewer agree by chance: a homography always explains the four pairs that made it, and some more."""

REPROJECTION_PIXELS: Final = 4.0
MAX_SCALE: Final = 8.0
MAX_PERSPECTIVE: Final = 4.0

Points = npt.NDArray[np.float32]
Transform = npt.NDArray[np.float64]

_local = threading.local()


@dataclass(frozen=True, slots=True)
class Keypoints:
    """Up to 500 keypoints of one picture.

    Attributes:
        points: float32 (N, 2), x and y in pixels of the picture whose longest side is `LONGEST_SIDE`.
        scales: uint8 (N,), pyramid level.
        angles: uint8 (N,), orientation in 1/256 turns.
        descriptors: uint8 (N, 32), the 256 bits of each.
        size: width and height in pixels of the picture that `points` refer to.
    """

    points: Points
    scales: npt.NDArray[np.uint8]
    angles: npt.NDArray[np.uint8]
    descriptors: npt.NDArray[np.uint8]
    size: tuple[int, int]

    def __len__(self) -> int:
        return len(self.points)


@dataclass(frozen=True, slots=True)
class KeypointMatches:
    """Where two pictures agree.

    Attributes:
        pairs: int (M, 2), indices of the pairs that the transform explains; empty without one.
        transform: 3 x 3 homography from the first picture's points to the second's; None if there is no sane one.
    """

    score: OrbScore
    pairs: npt.NDArray[np.intp]
    transform: Transform | None


def detect(gray: Pixels) -> Keypoints:
    """The strongest keypoints of a gray picture of any size; none on flat ones."""
    height, width = gray.shape
    scale = LONGEST_SIDE / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    if size != (width, height):
        gray = cv2.resize(gray, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)  # type: ignore[assignment]
    found, descriptors = cv2.ORB_create(nfeatures=MAX_KEYPOINTS).detectAndCompute(gray, None)
    if descriptors is None or not len(found):
        nothing = np.zeros(0, np.uint8)
        return Keypoints(np.zeros((0, 2), np.float32), nothing, nothing, np.zeros((0, 32), np.uint8), size)
    found, descriptors = found[:MAX_KEYPOINTS], descriptors[:MAX_KEYPOINTS]
    return Keypoints(
        points=np.array([point.pt for point in found], dtype=np.float32),
        scales=np.array([point.octave & 0xFF for point in found], dtype=np.uint8),
        angles=np.array([int(point.angle * 256 / 360) & 0xFF for point in found], dtype=np.uint8),
        descriptors=descriptors.astype(np.uint8, copy=False),
        size=size,
    )


def match(a: Keypoints, b: Keypoints) -> KeypointMatches:
    """Pairs that pass Lowe's ratio test, and the one geometry that explains most of them."""
    smaller = min(len(a), len(b))
    if smaller < 2:  # noqa: PLR2004 - the ratio test needs a second-best
        return KeypointMatches(OrbScore(0, 0, 0.0), np.zeros((0, 2), np.intp), None)
    candidates = _matcher().knnMatch(a.descriptors, b.descriptors, k=2)
    pairs = np.array(
        [(best.queryIdx, best.trainIdx) for best, second in candidates if best.distance < LOWE_RATIO * second.distance],
        dtype=np.intp,
    ).reshape(-1, 2)
    transform, kept = _geometry(a, b, pairs)
    score = OrbScore(matches=len(pairs), inliers=len(kept), ratio=min(1.0, len(pairs) / smaller))
    return KeypointMatches(score, kept, transform)


def _matcher() -> "cv2.BFMatcher":
    if not hasattr(_local, "matcher"):
        _local.matcher = cv2.BFMatcher(cv2.NORM_HAMMING)
    matcher: cv2.BFMatcher = _local.matcher
    return matcher


def _geometry(a: Keypoints, b: Keypoints, pairs: npt.NDArray[np.intp]) -> tuple[Transform | None, npt.NDArray[np.intp]]:
    nothing = np.zeros((0, 2), np.intp)
    if len(pairs) < 4:  # noqa: PLR2004 - a homography has eight unknowns
        return None, nothing
    try:
        transform, mask = cv2.findHomography(
            a.points[pairs[:, 0]], b.points[pairs[:, 1]], cv2.USAC_MAGSAC, REPROJECTION_PIXELS, maxIters=1000
        )
    except cv2.error:
        return None, nothing
    if transform is None or mask is None:
        return None, nothing
    kept = pairs[mask.reshape(-1).astype(bool)]
    # One point of a picture can be paired with many of another; only distinct ends are evidence.
    kept = kept[np.sort(np.unique(kept[:, 1], return_index=True)[1])]
    sane = len(kept) >= MIN_INLIERS and is_sane(transform.astype(np.float64), a.size)
    return (transform.astype(np.float64), kept) if sane else (None, kept if len(kept) < MIN_INLIERS else nothing)


def is_sane(transform: Transform, size: tuple[int, int]) -> bool:
    """Whether a picture of `size` stays a convex, unmirrored quadrilateral, not shrunk or stretched beyond reason."""
    width, height = size
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float64)
    weights = corners @ transform[2, :2] + transform[2, 2]
    if weights.min() <= 0 or weights.max() / weights.min() > MAX_PERSPECTIVE:
        return False
    moved = (corners @ transform[:2, :2].T + transform[:2, 2]) / weights[:, np.newaxis]
    edges = np.roll(moved, -1, axis=0) - moved
    turns = edges[:, 0] * np.roll(edges, -1, axis=0)[:, 1] - edges[:, 1] * np.roll(edges, -1, axis=0)[:, 0]
    if turns.min() <= 0:
        return False
    stretch = np.linalg.norm(edges, axis=1) / np.array([width, height, width, height])
    return bool(stretch.min() > 1 / MAX_SCALE and stretch.max() < MAX_SCALE)
