"""Judge by their details whether two images are copies, variants of one image, or neither."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Final

import numpy as np

from shared.domain.matches import Box, Part
from shared.vision.evidence.colours import colour_differences
from shared.vision.evidence.comparison import VARIANT, Compared, compared_exactly, compared_under
from shared.vision.evidence.differences import Region, correlation, merged, share_within
from shared.vision.evidence.digest_cache import cached_by_digest
from shared.vision.evidence.fine import decode_fine
from shared.vision.evidence.geometry import area_within, frames, geometries, is_symmetrical, keypoints_in, refined
from shared.vision.evidence.homography import GUIDED_POINTS
from shared.vision.evidence.overlays import find_overlays
from shared.vision.evidence.pages import is_page, may_be_page
from shared.vision.evidence.registration import Mask, Overlap
from shared.vision.evidence.sides import OverlaidImage
from shared.vision.evidence.tone import gray
from shared.vision.keypoints import MIN_INLIERS, Transform
from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels

ENOUGH_KEYPOINTS: Final = 50
"""If both images have at least this number, copies must agree on a homography."""
COPY: Final = 0.93
"""Least share of the detail that agrees in copies, overlays excluded: charts of a quarter of the size have 0.96, and
specks too small for regions, different pages of small print less than 0.9."""
ALIKE, ALIKE_COPY = 0.4, 0.7
"""Least correlation of the detail, of variants and of copies."""
SURELY_ALIKE: Final = 0.9
"""The same of copies where a drawing may fall upon itself by chance: mirrored and with overlays on what is left, with
more than `FEW_LAID` of them, or where both images go beyond the common part and have few inliers."""
FEW_LAID: Final = 16
MOST_PARTIAL, SURE_INLIERS = 0.85, 80
"""Share of either image up to which both go beyond the common part, and number of inliers that are not few. A mirrored
copy never does: it shows all, or a part."""
MANY_INLIERS: Final = 50
"""Number of inliers that never occurs by chance, whatever else the images show."""
PAGE_INLIERS: Final = 0.1
"""Least share of the keypoints that are inliers on pages that are variants, if they are fewer than `MANY_INLIERS`: the
lines of any two pages of text fall upon each other."""
UNLIKE_PAGE_INLIERS: Final = 0.25
"""The same where their detail is not alike: on screens of one grid, 0.15 fall upon each other."""
CLEAR: Final = 0.8
"""Share of agreeing detail above which the mirror image is not tried as well."""
CLEAR_INLIERS: Final = 0.4
"""The same for the share of the keypoints: of a grid and its mirror image, 0.3 agree."""
MOST_LAID: Final = 0.5
"""Maximum share of the overlap that overlays may cover."""


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


NOTHING: Final = Judgement(Relation.NONE)


def judge(first: bytes, second: bytes) -> Judgement:
    """Judge two images; the order of the arguments does not change the relation.

    Args:
        first, second: JPEGs of `fine.encode_fine`.
    """
    return swapped(_judge(second, first)) if second < first else _judge(first, second)


@cached_by_digest(maxsize=128)
def _judge(first: bytes, second: bytes) -> Judgement:
    a, b = decode_fine(first), decode_fine(second)
    if exact := _exact_copy(a, b):
        return exact
    other = partial(keypoints_in, second)
    found = NOTHING
    for mirrored in (False, True):
        image = np.ascontiguousarray(a[:, ::-1]) if mirrored else a
        own = partial(keypoints_in, first, mirrored=mirrored)
        points = own(None), other(None)
        keypoints = min(map(len, points))
        tried: set[tuple[bytes, int]] = set()
        for given in geometries(image, b, own, other):
            transform, inliers = refined(image, b, *points, given)
            place = transform.tobytes(), inliers
            again = place in tried
            tried.add(place)
            if not again and (inliers >= MIN_INLIERS or keypoints < ENOUGH_KEYPOINTS):
                seen = compared_under(transform, image, b, is_clear=_many_agree(inliers, keypoints))
                judged = _judged(seen, image, b, inliers, keypoints, mirrored) if seen else NOTHING
                found = max(found, judged, key=_standing)
            if found.relation is Relation.COPY or (_is_clear(found, keypoints) and not is_symmetrical(a)):
                return found
    return found


def _exact_copy(a: Pixels, b: Pixels) -> Judgement | None:
    """Judge two images frame onto frame, without keypoints; return None unless nothing differs."""
    compared = (compared_exactly(frame, a, b) for frame in frames(a, b))
    judged = (_judged(seen, a, b, 0, 0, mirrored=False) for seen in compared if seen)
    return next((found for found in judged if found.relation is Relation.COPY), None)


def _is_clear(found: Judgement, keypoints: int) -> bool:
    """Return whether two images are variants in this place; boards and grids also fall upon each other in others.

    Args:
        keypoints: of the image that has fewer.
    """
    many = _many_agree(found.inliers, keypoints)
    return found.relation is Relation.VARIANT and found.agreeing >= CLEAR and many


def _many_agree(inliers: int, keypoints: int) -> bool:
    return inliers >= CLEAR_INLIERS * min(GUIDED_POINTS, keypoints)


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


def _judged(seen: Compared, a: Pixels, b: Pixels, inliers: int, keypoints: int, mirrored: bool) -> Judgement:
    """Judge two images that were compared in one place; `keypoints` are those of the image that has fewer."""
    over, found = seen.over, seen.found
    place, parts, laid = find_overlays(found, seen.parts, (over.moved, over.fixed))
    over_parts = [part for part, here in zip(parts, laid, strict=True) if here]
    covered = np.zeros(found.valid.shape, bool)
    for part in over_parts:
        covered |= part.mask
    covered = cv2.dilate(covered.view(np.uint8), np.ones((15, 15), np.uint8)) > 0
    hidden = int(np.count_nonzero(covered)) / int(np.count_nonzero(found.valid))
    left = found.drawn & ~covered
    agreeing = 1 - share_within(found.differs, left)
    alike = found.correlation(left)
    page, most = may_be_page(found), min(GUIDED_POINTS, keypoints)
    if agreeing < VARIANT or (alike < ALIKE and inliers < max(MANY_INLIERS, page * UNLIKE_PAGE_INLIERS * most)):
        return NOTHING
    differing = [part for part, here in zip(parts, laid, strict=True) if not here]
    if place is OverlaidImage.NEITHER or hidden < MOST_LAID:
        differing += _recoloured_region(over, covered)
    nothing_else = not differing and agreeing >= COPY and hidden <= MOST_LAID
    shares = _shares(over, a, b)
    partial = max(shares) < MOST_PARTIAL
    by_chance = (mirrored and any(laid)) or sum(laid) > FEW_LAID or (partial and inliers < SURE_INLIERS)
    enough = alike >= (SURELY_ALIKE if by_chance else ALIKE_COPY) and not (mirrored and partial)
    is_copy = nothing_else and enough and not _is_inverted_page(seen)
    relation = Relation.COPY if is_copy else Relation.VARIANT
    if relation is Relation.VARIANT and page and inliers < min(MANY_INLIERS, PAGE_INLIERS * keypoints):
        # Letters fall upon each other by chance.
        return NOTHING
    boxes = [_part(box, over, a, b, mirrored) for box in merged([part.box for part in differing])]
    overlays = [_part(box, over, a, b, mirrored) for box in merged([part.box for part in over_parts])]
    return Judgement(relation, agreeing, shares, boxes, overlays, inliers, mirrored, alike)


def _is_inverted_page(seen: Compared) -> bool:
    """Return whether light and dark are exchanged on a page: a logo has a white version and a black one."""
    levels, others = gray(seen.over.moved), gray(seen.over.fixed)
    return is_page(seen.found) and correlation(levels, others, seen.over.valid) < 0


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
        shared = area_within(moved.astype(np.float64), image.shape[1], image.shape[0])
        found.append(min(1.0, shared / (image.shape[0] * image.shape[1])))
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
