"""Find the transforms under which one image may show the other: by keypoints, or frame onto frame."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from shared.vision.evidence.differences import PixelBox
from shared.vision.evidence.digest_cache import cached_by_digest
from shared.vision.evidence.fine import LONGEST, decode_fine
from shared.vision.evidence.homography import LEVEL_SCALE, refine_homography
from shared.vision.evidence.templates import contained
from shared.vision.evidence.voting import voted_transforms
from shared.vision.keypoints import (
    LONGEST_SIDE,
    MIN_INLIERS,
    ORB_EDGE,
    PART_EDGE,
    KeypointMatches,
    Keypoints,
    Transform,
    detect,
    match_unless_unlike,
)
from shared.vision.long_images import detect_in_parts
from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels
from shared.vision.resizing import is_long

KEYPOINTS: Final = 1500
PROBES: Final = 384
"""Number of them that are looked up first in the other image; see `keypoints.match_unless_unlike`."""
KEYPOINTS_OF_PART: Final = 500
"""The same for each part of a long image."""
SAME_PLACE: Final = 0.01
"""Maximum distance of corners, as a fraction of the longest side, at which two transforms count as the same."""
CERTAIN_INLIERS: Final = 50
"""Number of inliers from which on no other transform is tried: in tables and on boards, a few fall upon each other."""
PARTS: Final = (384, 192)
"""Longest sides in pixels to which an image is scaled if it may be a small part of the other."""
FEW_INLIERS: Final = 150
"""Number of inliers below which keypoints are detected again in the common area: fewer place it to a pixel at best."""
LEAST_PART: Final = 48
"""Least side in pixels of the area that two images have in common if its keypoints are to be detected again."""
SAME_SHAPE: Final = 0.04
"""Maximum relative difference of the proportions of two images with the same frame."""
SAME_FRAME: Final = 0.6
"""Least correlation, at 32 x 32 pixels, of two images with the same frame."""
KeypointsAt = Callable[[int | None], Keypoints]
_CENTRE: Final = np.array([[1, 0, -0.5], [0, 1, -0.5], [0, 0, 1]])
"""From coordinates measured from an image's corner to pixel coordinates, with centres at whole numbers."""


@cached_by_digest(maxsize=64)
def keypoints_in(data: bytes, side: int | None = None, *, mirrored: bool = False) -> Keypoints:
    """Detect the keypoints of `keypoints_of` in a JPEG of `fine.encode_fine`, or in its mirror image."""
    image = decode_fine(data)
    return keypoints_of(np.ascontiguousarray(image[:, ::-1]) if mirrored else image, side)


def keypoints_of(image: Pixels, side: int | None = None) -> Keypoints:
    """Detect keypoints, in pixels of the image.

    Args:
        side: longest side in pixels to which the image is scaled first. None keeps its size, but enlarges small images,
            so that keypoints of its copies have the same size.
    """
    longest = max(image.shape[:2])
    gray = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.uint8)
    size = (image.shape[1], image.shape[0])
    if is_long(*size) and side is None:
        found = detect_in_parts(gray, KEYPOINTS_OF_PART)
    else:
        found = detect(gray, KEYPOINTS, side or max(LONGEST_SIDE, longest), PART_EDGE if side else ORB_EDGE)
    # OpenCV multiplies a position by its level's scale, which moves it by half of what a pixel grows.
    centred = found.points + ((LEVEL_SCALE ** found.scales.astype(np.float32) - 1) / 2)[:, np.newaxis]
    scale = longest / max(found.size)
    return replace(found, points=(centred * scale + (scale - 1) / 2).astype(np.float32), size=size)


def geometries(a: Pixels, b: Pixels, own: KeypointsAt, other: KeypointsAt) -> Iterator[Transform]:
    """Yield plausible transforms: the homography of the keypoints, otherwise frame onto frame.

    Args:
        own, other: return the keypoints of `a` and of `b` at a longest side, see `keypoints_of`.
    """
    same = list(frames(a, b))
    found = _matched(own(None), other(None))
    if found.transform is not None:
        # A homography that maps frame onto frame up to keypoint errors is replaced by the exact one.
        near = [frame for frame in same if _apart(frame, found.transform, a) < SAME_PLACE * max(b.shape)]
        yield near[0] if near else found.transform
        if found.score.inliers >= CERTAIN_INLIERS:
            return
    yield from same
    yield from voted_transforms(own(None), other(None))
    yield from _parts(a, b, own, other)


def _matched(a: Keypoints, b: Keypoints) -> KeypointMatches:
    return match_unless_unlike(a, b, a.sample(PROBES))


def _parts(a: Pixels, b: Pixels, own: KeypointsAt, other: KeypointsAt) -> Iterator[Transform]:
    """Yield transforms under which one image is a small part of the other."""
    for side in PARTS:
        for smaller, larger, turn in ((own, other, False), (other, own, True)):
            if max(smaller(None).size) <= side:
                continue
            found = _matched(smaller(side), larger(None))
            if found.transform is not None:
                yield np.asarray(np.linalg.inv(found.transform), np.float64) if turn else found.transform
                return
    there, back = contained(a, b), contained(b, a)
    if there is not None:
        yield there
    if back is not None:
        yield np.asarray(np.linalg.inv(back), np.float64)


def refined(a: Pixels, b: Pixels, own: Keypoints, other: Keypoints, transform: Transform) -> tuple[Transform, int]:
    """Refine a transform by the keypoints near it; return it with the number of those that agree."""
    transform, inliers = refine_homography(own, other, transform)
    return _closer(a, b, transform, inliers) if inliers < FEW_INLIERS else (transform, inliers)


def _closer(a: Pixels, b: Pixels, transform: Transform, inliers: int) -> tuple[Transform, int]:
    """Refine a transform by keypoints of the common area alone, at one scale; return the better one with its inliers.

    An image inside a page or a screenshot has few of its keypoints, and at another scale.
    """
    parts = _common_area(a, b, transform), _common_area(b, a, np.asarray(np.linalg.inv(transform), np.float64))
    if min(min(width, height) for _, _, width, height in parts) < LEAST_PART:
        return transform, inliers
    side = min(max(LONGEST_SIDE, min(max(part[2:]) for part in parts)), LONGEST)
    own, other = (_keypoints_of_part(image, part, side) for image, part in zip((a, b), parts, strict=True))
    if min(len(own), len(other)) < MIN_INLIERS:
        return transform, inliers
    refined, found = refine_homography(own, other, transform)
    return (refined, found) if found > inliers else (transform, inliers)


def _common_area(image: Pixels, other: Pixels, transform: Transform) -> PixelBox:
    """Return the box of the part of `image` that `other` shows."""
    height, width = other.shape[:2]
    corners = np.array([[[0, 0]], [[width, 0]], [[width, height]], [[0, height]]], np.float32)
    moved = cv2.perspectiveTransform(corners, np.linalg.inv(transform)).reshape(-1, 2)
    limit = np.array([image.shape[1], image.shape[0]])
    low, high = (np.clip(moved.min(axis=0), 0, limit), np.clip(moved.max(axis=0), 0, limit))
    left, top = (int(value) for value in low)
    right, bottom = (int(value) for value in np.ceil(high))
    return left, top, right - left, bottom - top


def _keypoints_of_part(image: Pixels, part: PixelBox, side: int) -> Keypoints:
    left, top, width, height = part
    found = keypoints_of(np.ascontiguousarray(image[top : top + height, left : left + width]), side)
    offset = np.array([left, top], np.float32)
    return replace(found, points=found.points + offset, size=(image.shape[1], image.shape[0]))


def area_within(corners: npt.NDArray[np.float64], width: int, height: int) -> float:
    """Return the area of the part of a convex polygon that lies within an image.

    I. Sutherland, G. Hodgman: Reentrant Polygon Clipping, CACM 17(1), 1974. OpenCV's intersection of two polygons is
    wrong for some with edges that nearly coincide, as those of a copy do.

    Args:
        corners: (N, 2), pixels of the image.
    """
    polygon = list(corners)
    for axis, limit, side in ((0, 0, 1), (0, width, -1), (1, 0, 1), (1, height, -1)):
        kept = []
        for one, other in zip(polygon, polygon[1:] + polygon[:1], strict=True):
            here, there = (side * (point[axis] - limit) for point in (one, other))
            if here >= 0:
                kept.append(one)
            if here * there < 0:
                kept.append(one + (other - one) * here / (here - there))
        polygon = kept
    if not polygon:
        return 0.0
    x, y = np.array(polygon).T
    return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2


def is_symmetrical(image: Pixels) -> bool:
    """Return whether an image looks much like its mirror image."""
    small = cv2.resize(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), (32, 32), interpolation=cv2.INTER_AREA)
    values = _standard(small.astype(np.float64))
    return float((values * values[:, ::-1]).mean()) >= SAME_FRAME


def frames(a: Pixels, b: Pixels) -> Iterator[Transform]:
    """Yield transforms of the whole frame onto the other, in quarter turns, if the images look alike."""
    small = [
        cv2.resize(cv2.cvtColor(one, cv2.COLOR_BGR2GRAY), (32, 32), interpolation=cv2.INTER_AREA) for one in (a, b)
    ]
    x, y = (_standard(one.astype(np.float64)) for one in small)
    height, width = b.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    own = np.array([[0, 0], [a.shape[1], 0], [a.shape[1], a.shape[0]], [0, a.shape[0]]], np.float32)
    shape = a.shape[1] / a.shape[0] * height / width, a.shape[0] / a.shape[1] * height / width
    for quarters in range(4):
        alike = abs(float((np.rot90(x, quarters) * y).mean()))
        if abs(shape[quarters % 2] - 1) <= SAME_SHAPE and alike >= SAME_FRAME:
            # A counter-clockwise quarter turn takes the top left corner to the bottom left.
            edges = cv2.getPerspectiveTransform(own, np.roll(corners, quarters, axis=0)).astype(np.float64)
            yield _CENTRE @ edges @ np.linalg.inv(_CENTRE)


def _apart(one: Transform, other: Transform, image: Pixels) -> float:
    """Return the largest distance in pixels between the positions of a corner under two transforms."""
    height, width = image.shape[:2]
    corners = np.array([[[0, 0]], [[width, 0]], [[width, height]], [[0, height]]], np.float32)
    moved = [cv2.perspectiveTransform(corners, each) for each in (one, other)]
    return float(np.linalg.norm(moved[0] - moved[1], axis=2).max())


def _standard(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray((values - values.mean()) / (values.std() + 1e-6))
