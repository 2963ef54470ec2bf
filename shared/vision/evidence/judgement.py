"""Judge by their details whether two images are copies, variants of one image, or neither."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from shared.domain.matches import Box, Part
from shared.vision.evidence.colours import colour_differences
from shared.vision.evidence.differences import Agreement, PixelBox, Region, agreement, merged, regions
from shared.vision.evidence.fine import LONGEST, decode_fine
from shared.vision.evidence.overlays import OverlaidImage, find_overlays, is_page
from shared.vision.evidence.registration import Mask, Overlap, overlap, refine_bend, refine_homography
from shared.vision.evidence.tone import curved, gray, match_lighting, match_sharpness, tones
from shared.vision.keypoints import (
    LONGEST_SIDE,
    MIN_INLIERS,
    ORB_EDGE,
    PART_EDGE,
    Keypoints,
    Transform,
    detect,
    match_keypoints,
)
from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels

KEYPOINTS: Final = 1500
SAME_PLACE: Final = 0.01
"""Maximum distance of corners, as a fraction of the longest side, at which two transforms count as the same."""
PARTS: Final = (384, 192)
"""Longest sides in pixels to which an image is scaled if it may be a small part of the other."""
ENOUGH_KEYPOINTS: Final = 50
"""If both images have at least this number, copies must agree on a homography."""
LEAST_PART: Final = 48
"""Least side in pixels of the area that two images have in common if its keypoints are to be detected again."""
LEAST_OVERLAP: Final = 600
"""Least number of pixels, on the grid of the coarser image, that both show."""
LEAST_DRAWN: Final = 200
"""Least number of pixels with detail; with fewer, agreement means nothing."""
COPY: Final = 0.93
"""Least share of the detail that agrees in copies, overlays excluded: charts of a quarter of the size have 0.96, and
specks too small for regions, different pages of small print less than 0.9."""
VARIANT: Final = 0.35
"""The same for variants; unrelated images agree on less by chance."""
ALIKE, ALIKE_COPY = 0.4, 0.7
"""Least correlation of the detail, of variants and of copies."""
MANY_INLIERS: Final = 50
"""Number of inliers that never occurs by chance, whatever else the images show."""
FEW_INLIERS: Final = 150
"""Number of inliers below which keypoints are detected again in the common area, to place it to a fraction of a pixel."""
PAGE_INLIERS: Final = 0.1
"""Least share of the keypoints that are inliers on pages that are variants, if they are fewer than `MANY_INLIERS`: the
lines of any two pages of text fall upon each other."""
DENSE: Final = 0.7
"""Share of the three commonest gray levels of a page of bold text; photographs have at most 0.68."""
CLEAR: Final = 0.8
"""Share of agreeing detail above which the mirror image is not tried as well."""
MOST_LAID: Final = 0.5
"""Maximum share of the overlap that overlays may cover."""
SAME_SHAPE: Final = 0.04
"""Maximum relative difference of the proportions of two images with the same frame."""
SAME_FRAME: Final = 0.6
"""Least correlation, at 32 x 32 pixels, of two images with the same frame."""


class Relation(StrEnum):
    COPY = "copy"
    VARIANT = "variant"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Judgement:
    """The relation of two images, and its evidence.

    Attributes:
        agreeing: share of the overlap's detail that agrees, overlays excluded, 0 to 1.
        overlap: the shares of the first and of the second image that the other one also shows.
        differences: parts that differ, the largest first.
        overlays: parts in which one image covers content of the other.
        inliers: number of keypoints that agree on the transform.
        mirrored: whether the first image was mirrored.
        alike: correlation of the detail of both, -1 to 1.
    """

    relation: Relation
    agreeing: float = 0.0
    overlap: tuple[float, float] = (0.0, 0.0)
    differences: Sequence[Part] = ()
    overlays: Sequence[Part] = ()
    inliers: int = 0
    mirrored: bool = False
    alike: float = 0.0


_CENTRE: Final = np.array([[1, 0, -0.5], [0, 1, -0.5], [0, 0, 1]])
"""From coordinates measured from an image's corner to pixel coordinates, with centres at whole numbers."""

NOTHING: Final = Judgement(Relation.NONE)


@lru_cache(maxsize=128)
def judge(first: bytes, second: bytes) -> Judgement:
    """Judge two images; the order of the arguments does not change the relation.

    Args:
        first, second: JPEGs of `fine.encode_fine`.
    """
    if second < first:
        return swapped(judge(second, first))
    a, b = decode_fine(first), decode_fine(second)
    points = _keypoints(b)
    found = NOTHING
    for mirrored in (False, True):
        image = np.ascontiguousarray(a[:, ::-1]) if mirrored else a
        own = _keypoints(image)
        for transform in _geometries(image, b, own, points):
            seen = _judged(image, b, own, points, transform, mirrored)
            found = max(found, seen, key=_standing)
            if found.relation is Relation.COPY or (found.relation is Relation.VARIANT and found.agreeing >= CLEAR):
                return found
    return found


def _standing(found: Judgement) -> tuple[int, float]:
    return (Relation.NONE, Relation.VARIANT, Relation.COPY).index(found.relation), found.agreeing


def swapped(found: Judgement) -> Judgement:
    """Return the judgement with the images in the other order."""

    def other(parts: Sequence[Part]) -> list[Part]:
        return [Part(part.second, part.first) for part in parts]

    return Judgement(
        found.relation,
        found.agreeing,
        found.overlap[::-1],
        other(found.differences),
        other(found.overlays),
        found.inliers,
        found.mirrored,
        found.alike,
    )


def _keypoints(image: Pixels, side: int | None = None) -> Keypoints:
    """Detect keypoints, in pixels of the image.

    Args:
        side: longest side in pixels to which the image is scaled first. None keeps its size, but enlarges small images,
            so that keypoints of its copies have the same size.
    """
    longest = max(image.shape[:2])
    gray = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.uint8)
    edge = PART_EDGE if side else ORB_EDGE
    found = detect(gray, KEYPOINTS, side or max(LONGEST_SIDE, longest), edge)
    size = (image.shape[1], image.shape[0])
    return replace(found, points=found.points * np.float32(longest / max(found.size)), size=size)


def _geometries(a: Pixels, b: Pixels, own: Keypoints, other: Keypoints) -> Iterator[Transform]:
    """Yield plausible transforms: the homography of the keypoints, otherwise frame onto frame."""
    frames = list(_frames(a, b))
    found = match_keypoints(own, other)
    if found.transform is not None:
        # A homography that maps frame onto frame up to keypoint errors is replaced by the exact one.
        near = [frame for frame in frames if _apart(frame, found.transform, a) < SAME_PLACE * max(b.shape)]
        yield near[0] if near else found.transform
        return
    yield from frames
    # One image may be a small part of the other.
    for side in PARTS:
        for smaller, larger, image, turn in ((own, other, a, False), (other, own, b, True)):
            if max(smaller.size) <= side:
                continue
            found = match_keypoints(_keypoints(image, side), larger)
            if found.transform is not None:
                yield np.asarray(np.linalg.inv(found.transform), np.float64) if turn else found.transform
                return


def _frames(a: Pixels, b: Pixels) -> Iterator[Transform]:
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
    found = _keypoints(np.ascontiguousarray(image[top : top + height, left : left + width]), side)
    offset = np.array([left, top], np.float32)
    return replace(found, points=found.points + offset, size=(image.shape[1], image.shape[0]))


def _apart(one: Transform, other: Transform, image: Pixels) -> float:
    """Return the largest distance in pixels between the positions of a corner under two transforms."""
    height, width = image.shape[:2]
    corners = np.array([[[0, 0]], [[width, 0]], [[width, height]], [[0, height]]], np.float32)
    moved = [cv2.perspectiveTransform(corners, each) for each in (one, other)]
    return float(np.linalg.norm(moved[0] - moved[1], axis=2).max())


def _standard(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray((values - values.mean()) / (values.std() + 1e-6))


def _judged(a: Pixels, b: Pixels, own: Keypoints, other: Keypoints, transform: Transform, mirrored: bool) -> Judgement:
    transform, inliers = refine_homography(own, other, transform)
    if MIN_INLIERS <= inliers < FEW_INLIERS:
        transform, inliers = _closer(a, b, transform, inliers)
    if inliers < MIN_INLIERS and min(len(own), len(other)) >= ENOUGH_KEYPOINTS:
        return NOTHING
    over = overlap(a, b, transform)
    if over.valid.sum() < LEAST_OVERLAP:
        return NOTHING
    over, found = _compared(over)
    if found.drawn.sum() < LEAST_DRAWN:
        return NOTHING
    parts = regions(found)
    place, laid = find_overlays(found, parts, (over.moved, over.fixed))
    over_parts = [part for part, here in zip(parts, laid, strict=True) if here]
    covered = np.zeros(found.valid.shape, bool)
    for part in over_parts:
        covered |= cv2.dilate(part.mask.astype(np.uint8), np.ones((15, 15), np.uint8)) > 0
    left = found.drawn & ~covered
    agreeing = 1 - float((found.differs & left).sum()) / max(1, int(left.sum()))
    differing = [part for part, here in zip(parts, laid, strict=True) if not here]
    if place is OverlaidImage.NEITHER or covered.sum() < MOST_LAID * found.valid.sum():
        differing += _recoloured_region(over, covered)
    shares = _shares(over, a, b)
    boxes = [_part(box, over, a, b, mirrored) for box in merged([part.box for part in differing])]
    overlays = [_part(box, over, a, b, mirrored) for box in merged([part.box for part in over_parts])]
    alike = found.alike(covered)
    if agreeing < VARIANT or (alike < ALIKE and inliers < MANY_INLIERS):
        return NOTHING
    by_chance = is_page(found, DENSE) and inliers < min(MANY_INLIERS, PAGE_INLIERS * min(len(own), len(other)))
    nothing_else = not differing and agreeing >= COPY and covered.sum() <= MOST_LAID * found.valid.sum()
    relation = Relation.COPY if nothing_else and alike >= ALIKE_COPY else Relation.VARIANT
    if relation is Relation.VARIANT and by_chance:
        return NOTHING
    return Judgement(relation, agreeing, shares, boxes, overlays, inliers, mirrored, alike)


def _compared(over: Overlap) -> tuple[Overlap, Agreement]:
    """Compare under one change of tone after another, until one leaves no difference; return the best."""
    fixed = gray(over.fixed)
    over = refine_bend(over, curved(gray(over.moved), fixed, over.valid), fixed)
    best, least = None, float("inf")
    for tone in tones(over.moved, over.fixed, over.valid):
        a, b = match_sharpness(tone.a, tone.b, over.valid)
        for levels in (match_lighting(a, b, over.valid), a):
            found = agreement(levels, b, over.valid, tone.gain)
            left = sum(part.area for part in regions(found))
            if best is None or left < least:
                best, least = found, left
            if not left:
                return over, found
        if best is None or best.agreeing < VARIANT:
            break
    assert best is not None  # noqa: S101 - there is at least one hypothesis
    return over, best


def _recoloured_region(over: Overlap, covered: Mask) -> list[Region]:
    other = colour_differences(over.moved, over.fixed, over.valid & ~covered)
    if not other.any():
        return []
    _, labels, stats, _ = cv2.connectedComponentsWithStats(other.astype(np.uint8))
    largest = int(stats[1:, cv2.CC_STAT_AREA].argmax()) + 1
    left, top, width, height, area = (int(value) for value in stats[largest])
    return [Region(labels == largest, (left, top, width, height), area, 1.0)]


def _shares(over: Overlap, a: Pixels, b: Pixels) -> tuple[float, float]:
    """Return the share of each image that the other one shows."""
    found = []
    for image, other, there, back in (
        (a, b, over.to_first, over.to_second),
        (b, a, over.to_second, over.to_first),
    ):
        height, width = other.shape[:2]
        corners = np.array([[[0, 0]], [[width, 0]], [[width, height]], [[0, height]]], np.float32)
        moved = cv2.perspectiveTransform(corners, there @ np.linalg.inv(back)).reshape(-1, 2)
        frame = np.array(
            [[0, 0], [image.shape[1], 0], [image.shape[1], image.shape[0]], [0, image.shape[0]]], np.float32
        )
        shared, _ = cv2.intersectConvexConvex(moved.astype(np.float32), frame)
        found.append(min(1.0, float(shared) / (image.shape[0] * image.shape[1])))
    return found[0], found[1]


def _part(box: tuple[int, int, int, int], over: Overlap, a: Pixels, b: Pixels, mirrored: bool) -> Part:
    first, second = _box(box, over.to_first, a), _box(box, over.to_second, b)
    if mirrored:
        first = Box(1 - first.left - first.width, first.top, first.width, first.height)
    return Part(first, second)


def _box(box: tuple[int, int, int, int], there: Transform, image: Pixels) -> Box:
    left, top, width, height = box
    corners = np.array(
        [[[left, top]], [[left + width, top]], [[left + width, top + height]], [[left, top + height]]], np.float32
    )
    moved = cv2.perspectiveTransform(corners, there).reshape(-1, 2) / (image.shape[1], image.shape[0])
    low, high = np.clip(moved.min(axis=0), 0, 1), np.clip(moved.max(axis=0), 0, 1)
    return Box(float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1]))
