"""Refine the homography of two images by all of their keypoints."""

from typing import Final

import numpy as np
import numpy.typing as npt

from shared.vision.evidence.fitting import robust_fit
from shared.vision.keypoints import MIN_INLIERS, Keypoints, Points, Transform, is_sane
from shared.vision.opencv import cv2

Indices = npt.NDArray[np.intp]

GUIDED: Final = ((10.0, 3.0), (5.0, 2.0))
"""Pixels: search radius around a keypoint's predicted position, and maximum residual after fitting, for each round."""
CLOSE: Final = 1.5
"""Pixels: maximum distance of pairs from their predicted positions by which two transforms are compared."""
AS_GOOD: Final = 0.9
"""Share of the pairs of the better transform with which a simpler one is as good."""
LEVEL_SCALE: Final = 1.2
"""Ratio of one level of ORB's pyramid to the next; the larger ones place keypoints less exactly."""
EXACT: Final = 1e-6
"""Below it, an entry of a transform is zero."""
UPRIGHT: Final = 0.004
"""Maximum distance of corners, relative to the longest side, between a transform and an upright one: a scan that is
rotated by a quarter of a degree is farther."""
GUIDED_BITS: Final = 64
"""Maximum Hamming distance, a quarter of a descriptor; matches at the right position need no ratio test."""
MOST_BITS: Final = 256
"""Bits of a descriptor."""
GUIDED_POINTS: Final = 700
"""Maximum number of keypoints of the first image; all of the second are candidates."""


def refine_homography(a: Keypoints, b: Keypoints, transform: Transform) -> tuple[Transform, int]:
    """Refine a homography by all keypoints near their predicted positions; return it with their number."""
    x, y = a.spread(GUIDED_POINTS), b
    first, near = transform, 0
    for radius, within in GUIDED:
        left, right = guided_matches(x, y, transform, radius)
        if len(left) < MIN_INLIERS:
            return first, near
        found, count = _fitted(x.points[left], y.points[right], within)
        if found is None or count < MIN_INLIERS or not is_sane(found, x.size):
            return first, near
        transform, near = found, count
    as_given, fitted = (len(guided_matches(x, y, each, CLOSE)[0]) for each in (first, transform))
    # If the first transform is as good, keep it: frames that match exactly must not shift by keypoint errors.
    if as_given >= AS_GOOD * fitted and as_given >= MIN_INLIERS:
        transform, near, fitted = first, as_given, as_given
    if _is_upright(transform):
        return transform, near
    upright = _upright(x, y, *guided_matches(x, y, transform, GUIDED[-1][1]), transform)
    if upright is None or len(guided_matches(x, y, upright, CLOSE)[0]) < AS_GOOD * fitted:
        return transform, near
    return upright, near


def _fitted(here: Points, there: Points, within: float) -> tuple[Transform | None, int]:
    """Fit a homography, or an affine transform if that explains nearly as many pairs: it distorts nothing elsewhere."""
    found, inliers = cv2.findHomography(here, there, cv2.USAC_MAGSAC, within, maxIters=2000)
    if found is None:
        return None, 0
    affine, kept = cv2.estimateAffine2D(here, there, method=cv2.RANSAC, ransacReprojThreshold=within)
    if affine is not None and kept.sum() >= AS_GOOD * inliers.sum():
        return np.vstack([affine, [0, 0, 1]]).astype(np.float64), int(kept.sum())
    return found.astype(np.float64), int(inliers.sum())


def _is_upright(transform: Transform) -> bool:
    """Return whether a transform changes scale and place only, in quarter turns."""
    exact = np.abs(transform / transform[2, 2])
    return bool(exact[2, :2].max() < EXACT and min(exact[0, 1] + exact[1, 0], exact[0, 0] + exact[1, 1]) < EXACT)


def _upright(a: Keypoints, b: Keypoints, left: Indices, right: Indices, transform: Transform) -> Transform | None:
    """Return the scales and the translation, in quarter turns, that replace a transform that is nearly so, or None.

    Few things are rotated by less than a degree, and where keypoints are few, such a rotation is an error of theirs.
    """
    width, height = a.size
    corners = np.array([[[0, 0]], [[width, 0]], [[width, height]], [[0, height]]], np.float32)
    moved = cv2.perspectiveTransform(corners, transform).reshape(-1, 2)
    sides = np.roll(moved, -1, axis=0) - moved
    swapped = int(abs(sides[0, 1]) > abs(sides[0, 0]))
    fitted = np.zeros((3, 3))
    fitted[2, 2] = 1
    weight = LEVEL_SCALE ** -(a.scales[left].astype(np.float64) + b.scales[right])
    for axis in (0, 1):
        here, there = a.points[left, axis ^ swapped].astype(np.float64), b.points[right, axis].astype(np.float64)
        offset, scale = robust_fit(np.stack([np.ones_like(here), here], axis=1), there, weight, 0.3)
        fitted[axis, axis ^ swapped], fitted[axis, 2] = scale, offset
    away = cv2.perspectiveTransform(corners, fitted).reshape(-1, 2) - moved
    return fitted if float(np.abs(away).max()) < UPRIGHT * max(a.size) and is_sane(fitted, a.size) else None


def guided_matches(a: Keypoints, b: Keypoints, transform: Transform, radius: float) -> tuple[Indices, Indices]:
    """Return the pairs that are mutual nearest neighbours by descriptor, within `radius` of the predicted position."""
    if min(len(a), len(b)) == 0:  # OpenCV returns None instead of no points
        return np.zeros(0, np.intp), np.zeros(0, np.intp)
    there = (
        cv2.perspectiveTransform(a.points.reshape(-1, 1, 2), transform).reshape(-1, 2).astype(np.float32, copy=False)
    )
    left, right = _within(there, b.points, radius)
    bits = np.bitwise_count(a.descriptors[left] ^ b.descriptors[right]).sum(axis=1, dtype=np.intp)
    best, chosen = _nearest(left, bits, right), _nearest(right, bits, left)
    mutual = best[np.isin(best, chosen, assume_unique=True) & (bits[best] < GUIDED_BITS)]
    return left[mutual], right[mutual]


def _within(a: Points, b: Points, radius: float) -> tuple[Indices, Indices]:
    """Return the indices of the points of `a` and `b` that are at most `radius` apart, found in strips of `b`."""
    order = np.argsort(b[:, 0], kind="stable")
    columns, at = b[order, 0], a[:, 0]
    first, last = np.searchsorted(columns, at - radius, "left"), np.searchsorted(columns, at + radius, "right")
    counts = last - first
    left = np.repeat(np.arange(len(a)), counts)
    right = order[np.arange(counts.sum()) - np.repeat(counts.cumsum() - counts, counts) + np.repeat(first, counts)]
    across, down = at[left] - b[right, 0], a[left, 1] - b[right, 1]
    near = across * across + down * down <= radius**2
    return left[near], right[near]


def _nearest(group: Indices, bits: Indices, other: Indices) -> Indices:
    """Return the positions of the pair of each group with the fewest bits, of several the first by `other`."""
    if not len(group):
        return group
    width = int(other.max()) + 1
    order = np.argsort((group * (MOST_BITS + 1) + bits) * width + other)
    first = np.diff(group[order], prepend=-1) > 0
    return order[first]
