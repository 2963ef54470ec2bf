"""Register two images: refine the homography of their keypoints, then correct a slight bend."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from shared.vision.keypoints import MIN_INLIERS, Keypoints, Points, Transform, is_sane
from shared.vision.opencv import cv2
from shared.vision.order_statistics import quantile, upper_median
from shared.vision.pixels import Pixels

Plane = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.intp]

GUIDED: Final = ((10.0, 3.0), (5.0, 2.0))
"""Pixels: search radius around a keypoint's predicted position, and maximum residual after fitting, for each round."""
CLOSE: Final = 1.5
AS_GOOD: Final = 0.9
LEVEL_SCALE: Final = 1.2
"""Ratio of one level of ORB's pyramid to the next; the larger ones place keypoints less exactly."""
EXACT: Final = 1e-6
UPRIGHT: Final = 0.004
"""Maximum distance of corners, relative to the longest side, between a transform and an upright one: a scan that is
rotated by a quarter of a degree is farther."""
GUIDED_BITS: Final = 64
"""Maximum Hamming distance, a quarter of a descriptor; matches at the right position need no ratio test."""
MOST_BITS: Final = 256
"""Bits of a descriptor."""
GUIDED_POINTS: Final = 700
"""Maximum number of keypoints of the first image; all of the second are candidates."""
EDGE: Final = 7
"""Width in pixels of the overlap's edge that is not compared, because images end there."""
MAX_SHIFT: Final = 1.5
"""Maximum shift of a point, in pixels, in one step of the final refinement."""
SHIFT_SAMPLES: Final = 8_000
"""Number of pixels that the final refinement samples."""
WORTH: Final = 0.95
"""A bend is kept only if it reduces the difference to this share."""
LEAST_BENT: Final = 64
"""Least side in pixels, at the scale of the flow, of an image that a bend is fitted to: OpenCV's DIS flow
crashes on images of 30 x 103 pixels."""
SETTLED: Final = 1e-3
"""A robust fit has settled once no residual changes by more than this share of the residuals' scale."""
BEND: Final = 6.0
"""Maximum shift of a point, in pixels, by a bend."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two images on the grid of the coarser one.

    Attributes:
        moved, fixed: BGR, uint8, of one shape.
        valid: where both images have pixels.
        to_first, to_second: 3 x 3, from the grid to either image's pixels, in the order of the arguments.
        first_moved: whether the first image is the one that was moved.
    """

    moved: Pixels
    fixed: Pixels
    valid: Mask
    to_first: Transform
    to_second: Transform
    first_moved: bool


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


def overlap(a: Pixels, b: Pixels, transform: Transform) -> Overlap:
    """Warp the finer image onto the grid of the coarser one.

    Args:
        transform: from the first's pixels to the second's.
    """
    scale = _scale(transform, a)
    first_moved = scale <= 1
    source, fixed = (a, b) if first_moved else (b, a)
    onto = transform if first_moved else np.asarray(np.linalg.inv(transform), np.float64)
    moved, valid = _warped(source, onto, fixed, min(scale, 1 / scale))
    back, stay = np.asarray(np.linalg.inv(onto), np.float64), np.eye(3)
    to_first, to_second = (back, stay) if first_moved else (stay, back)
    return Overlap(moved, fixed, _inner(valid), to_first, to_second, first_moved)


def _scale(transform: Transform, image: Pixels) -> float:
    """Return the average factor by which the transform enlarges lengths."""
    height, width = image.shape[:2]
    corners = np.array([[[0, 0]], [[width, 0]], [[width, height]], [[0, height]]], np.float32)
    area = abs(cv2.contourArea(cv2.perspectiveTransform(corners, transform)))
    return float(np.sqrt(area / (width * height)))


def _warped(source: Pixels, onto: Transform, fixed: Pixels, scale: float) -> tuple[Pixels, Mask]:
    height, width = source.shape[:2]
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(source, size, interpolation=cv2.INTER_AREA)
    # Pixel centres lie at whole numbers, so shrinking an image also shifts it.
    grown = np.diag([width / size[0], height / size[1], 1.0])
    grown[:2, 2] = (grown[0, 0] - 1) / 2, (grown[1, 1] - 1) / 2
    grid = (fixed.shape[1], fixed.shape[0])
    moved = cv2.warpPerspective(small, onto @ grown, grid, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    inside = cv2.warpPerspective(np.full(small.shape[:2], 255, np.uint8), onto @ grown, grid, flags=cv2.INTER_NEAREST)
    return moved.astype(np.uint8, copy=False), inside > 0


def _inner(valid: Mask) -> Mask:
    padded = cv2.copyMakeBorder(valid.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    size = 2 * max(EDGE, round(0.008 * max(valid.shape))) + 1
    inner: Mask = cv2.erode(padded, np.ones((size, size), np.uint8))[1:-1, 1:-1] > 0
    return inner


def refine_bend(over: Overlap, moved: Plane, fixed: Plane) -> Overlap:
    """Correct a bend of second degree, such as that of a lens or of a page that does not lie flat.

    Args:
        moved, fixed: gray levels of both, brought to the same tone.
    """
    height, width = fixed.shape
    step = max(1, round(max(height, width) / 512))
    if min(height, width) < LEAST_BENT * step:
        return over
    small = [
        np.clip(cv2.resize(plane, None, fx=1 / step, fy=1 / step, interpolation=cv2.INTER_AREA), 0, 255).astype(
            np.uint8
        )
        for plane in (np.where(over.valid, moved, fixed).astype(np.float32), fixed)
    ]
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST).calc(small[1], small[0], None) * step  # type: ignore[call-overload]
    rows, columns = np.mgrid[0 : flow.shape[0] : 4, 0 : flow.shape[1] : 4]
    there = over.valid[np.minimum(rows * step, height - 1), np.minimum(columns * step, width - 1)]
    edges = np.abs(cv2.Sobel(small[1], cv2.CV_32F, 1, 0)), np.abs(cv2.Sobel(small[1], cv2.CV_32F, 0, 1))
    if there.sum() < 100:  # noqa: PLR2004 - too little to fit a bend to
        return over
    x, y = columns[there] / flow.shape[1] - 0.5, rows[there] / flow.shape[0] - 0.5
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=1)
    xs, ys = np.arange(width, dtype=np.float32)[np.newaxis], np.arange(height, dtype=np.float32)[:, np.newaxis]
    u, v = xs / np.float32(width) - np.float32(0.5), ys / np.float32(height) - np.float32(0.5)
    moves = []
    for axis in (0, 1):
        weight = np.minimum(edges[axis][rows, columns][there], 200).astype(np.float64) + 1
        c = robust_fit(terms, flow[rows, columns, axis][there].astype(np.float64), weight, 0.3).astype(np.float32)
        bend = c[0] + c[1] * u + c[2] * v + c[3] * u * u + c[4] * u * v + c[5] * v * v
        moves.append(np.clip(bend, -BEND, BEND))
    # A bend is only kept where it helps what is drawn: on what differs altogether it would follow noise.
    slope = np.hypot(cv2.Sobel(fixed, cv2.CV_32F, 1, 0), cv2.Sobel(fixed, cv2.CV_32F, 0, 1))
    drawn = over.valid & (slope > max(20.0, quantile(slope[over.valid], 0.8)))
    if not drawn.any():
        return over
    place = np.empty((height, width, 6), np.float32)
    for term, values in enumerate((np.float32(1), u, v, u * u, u * v, v * v)):
        place[:, :, term] = values
    levels = fixed[drawn]
    best = WORTH * _apart(moved, levels, drawn)
    maps = np.tile(xs, (height, 1)), np.tile(ys, (1, width))
    bend = maps[0] + moves[0], maps[1] + moves[1]
    if (left := _apart(_remapped(moved, bend), levels, drawn)) < best:
        best, maps = left, bend
    shifted = _shifted(moved, fixed, drawn, maps, place)
    if _apart(_remapped(moved, shifted), levels, drawn) < best:
        maps = shifted
    x_map, y_map = maps
    image = cv2.remap(over.moved, x_map, y_map, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.uint8)
    valid = cv2.remap(over.valid.astype(np.uint8), x_map, y_map, cv2.INTER_NEAREST) > 0
    return Overlap(image, over.fixed, valid & over.valid, over.to_first, over.to_second, over.first_moved)


def _shifted(
    moved: Plane, fixed: Plane, drawn: Mask, maps: tuple[Plane, Plane], place: npt.NDArray[np.float32]
) -> tuple[Plane, Plane]:
    """Shift the maps by a fraction of a pixel along the image gradients.

    B. Lucas, T. Kanade: An Iterative Image Registration Technique with an Application to Stereo Vision, IJCAI 1981.

    Args:
        place: (H, W, 6), the terms of a polynomial of the second degree at each pixel.
    """
    rows, columns = np.nonzero(drawn)
    step = max(1, len(rows) // SHIFT_SAMPLES)
    rows, columns = rows[::step], columns[::step]
    terms = place[rows, columns].astype(np.float64)
    x_map, y_map = maps
    for sigma in (2.0, 1.0):
        here = cv2.GaussianBlur(_remapped(moved, (x_map, y_map)), (0, 0), sigma)
        soft = cv2.GaussianBlur(fixed, (0, 0), sigma)
        left = (soft[rows, columns] - here[rows, columns]).astype(np.float64)
        across, down = (cv2.Sobel(here, cv2.CV_32F, *axis)[rows, columns] / 8 for axis in ((1, 0), (0, 1)))
        slopes = np.hstack([terms * across[:, np.newaxis], terms * down[:, np.newaxis]])
        moves = robust_fit(slopes, left, np.ones(len(left)), 1).astype(np.float32)
        x_map = (x_map + np.clip(place @ moves[:6], -MAX_SHIFT, MAX_SHIFT)).astype(np.float32)
        y_map = (y_map + np.clip(place @ moves[6:], -MAX_SHIFT, MAX_SHIFT)).astype(np.float32)
    return x_map, y_map


def _remapped(plane: Plane, maps: tuple[Plane, Plane]) -> Plane:
    return cv2.remap(plane, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.float32)


def _apart(plane: Plane, levels: Plane, drawn: Mask) -> float:
    """Return how far a plane is from the levels that another one has where something is drawn."""
    return float(np.minimum(np.abs(plane[drawn] - levels), 40).mean())


def robust_fit(
    terms: npt.NDArray[np.float64], values: npt.NDArray[np.float64], weight: npt.NDArray[np.float64], least: float
) -> npt.NDArray[np.float64]:
    """Solve least squares with Cauchy weights, so that outliers do not count."""
    columns = np.ascontiguousarray(terms.T)
    trust, before = np.ones_like(values), np.zeros_like(values)
    steady = 1e-3 * np.eye(len(columns))
    for _ in range(10):
        weighted = columns * (weight * trust)
        solution = np.asarray(np.linalg.solve(weighted @ terms + steady, weighted @ values), np.float64)
        away = np.abs(values - solution @ columns)
        scale = 1.5 * upper_median(away) + least
        if np.abs(away - before).max() < SETTLED * scale:
            break
        trust, before = 1 / (1 + (away / scale) ** 2), away
    return solution


def quadratic(colours: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the ten terms of a quadratic function of three channels, (N, 3) to (N, 10)."""
    b, g, r = colours.T
    return np.stack([np.ones_like(b), b, g, r, b * b, g * g, r * r, b * g, b * r, g * r], axis=1)
