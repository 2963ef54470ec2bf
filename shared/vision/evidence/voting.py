"""Find a transform by votes, where keypoints repeat: of letters, tables and boards no match is the only good one.

D. Lowe: Distinctive Image Features from Scale-Invariant Keypoints, IJCV 2004, section 7.3.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from shared.vision.hamming import near
from shared.vision.keypoints import MIN_INLIERS, Keypoints, Points, Transform, is_sane
from shared.vision.opencv import cv2

NEIGHBOURS: Final = 5
"""Number of nearest descriptors of each keypoint that vote."""
BITS: Final = 48
"""Maximum Hamming distance of a vote, of 256."""
STEPS: Final = 8
"""Number of scales per doubling that are tried."""
MOST_SCALE: Final = 2.0
CELL: Final = 8.0
"""Pixels of the coarser image: width of a cell of translations."""
TRIED: Final = 3
"""Number of peaks that are verified."""
WITHIN: Final = 3.0
LEAST_SHARE: Final = 0.05
"""Least share of the voting keypoints of the image with fewer that agree on a transform."""
QUARTER: Final = 64
"""Quarter turn, in units of keypoint angles."""


def voted_transforms(a: Keypoints, b: Keypoints) -> Iterator[Transform]:
    """Yield the scales and translations, in quarter turns, on which most keypoints agree."""
    if min(len(a), len(b)) < MIN_INLIERS:
        return
    left, right = near(a.descriptors, b.descriptors, BITS, NEIGHBOURS)
    turns = (b.angles[right].astype(np.intp) - a.angles[left] + QUARTER // 2) % (4 * QUARTER) // QUARTER
    peaks = []
    for turn in range(4):
        at = turns == turn
        if at.sum() >= MIN_INLIERS:
            turned = _turned(a.points[left[at]], turn)
            peaks += [(votes, turn, scale) for votes, scale in _scales(turned, b.points[right[at]])]
    for _, turn, scale in sorted(peaks, reverse=True)[:TRIED]:
        at = turns == turn
        found = _fitted(a, b, left[at], right[at], turn, scale)
        if found is not None:
            yield found


def _turned(points: Points, quarters: int) -> Points:
    x, y = points.T
    return np.stack(((x, y), (-y, x), (-x, -y), (y, -x))[quarters], axis=1).astype(np.float32)


def _scales(here: Points, there: Points) -> list[tuple[int, float]]:
    """Return the number of votes for the best translation at each scale."""
    scales = np.geomspace(1 / MOST_SCALE, MOST_SCALE, 2 * round(STEPS * np.log2(MOST_SCALE)) + 1).tolist()
    return [(_votes(there - np.float32(scale) * here, scale)[0], scale) for scale in scales]


def _votes(moves: Points, scale: float) -> tuple[int, npt.NDArray[np.bool_]]:
    """Return the number of translations in the fullest cell and its neighbours, and which these are."""
    cells = np.floor(moves / np.float32(CELL * max(1.0, scale))).astype(np.int64)
    cells -= cells.min(axis=0)
    keys, counts = np.unique(cells @ (1, 1 << 20), return_counts=True)
    place = int(keys[counts.argmax()])
    centre = np.array([place % (1 << 20), place >> 20])
    near = (np.abs(cells - centre) <= 1).all(axis=1)
    return int(near.sum()), near


def _fitted(
    a: Keypoints,
    b: Keypoints,
    left: npt.NDArray[np.intp],
    right: npt.NDArray[np.intp],
    turn: int,
    scale: float,
) -> Transform | None:
    here, there = _turned(a.points[left], turn), b.points[right]
    _, near = _votes(there - np.float32(scale) * here, scale)
    left, right, here, there = left[near], right[near], here[near], there[near]
    if len(left) < MIN_INLIERS:
        return None
    similar, kept = cv2.estimateAffinePartial2D(
        a.points[left], there, method=cv2.RANSAC, ransacReprojThreshold=WITHIN * max(1.0, scale), maxIters=500
    )
    if similar is None:
        return None
    inliers = len(np.unique(right[kept.reshape(-1).astype(bool)]))
    if inliers < max(MIN_INLIERS, LEAST_SHARE * min(len(a), len(b))):
        return None
    transform = np.vstack([similar, [0, 0, 1]]).astype(np.float64)
    return transform if is_sane(transform, a.size) else None
