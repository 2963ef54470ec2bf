"""Find patches laid over an image: compact regions with a ground of their own, such as bars, labels and stickers."""

from typing import Final

import numpy as np

from shared.vision.evidence.differences import WINDOW, Agreement, Region
from shared.vision.evidence.histograms import counted
from shared.vision.evidence.masks import dilated, filled
from shared.vision.evidence.registration import Mask, Plane
from shared.vision.evidence.sides import BINS, LEAST_RING, OverlaidImage, Side, share_around
from shared.vision.opencv import cv2

LEAST_PATCH: Final = 0.003
"""Least share of the overlap that the box of a patch on a page covers; icons and digits are smaller."""
LEAST_AREA: Final = 50
COMPACT: Final = 0.4
"""Least share of its box that a patch fills; a disc fills 0.79, a star 0.42."""
GROUND: Final = 14.0
LEAST_SOLID: Final = 0.25
"""Least share of a patch in which its ground is as wide as a fifth of it; strokes of letters are narrower."""
LEAST_COVERED: Final = 0.1
LEAST_DETAIL: Final = 10.0
"""Least share of a patch, on a page, that covers letters or lines, which have at least this standard deviation."""
LEAST_GROUND: Final = 0.45
MOST_ELSEWHERE: Final = 0.25
"""A patch's ground: maximum deviation in gray levels, least share of its rim, maximum share around it as a part of
that. Letters do not fill their outline."""
COVERS: Final = 0.9
"""Least share of the levels under a patch on a page that its surroundings have too, if it covers letters or lines."""
MOST_STRANGE: Final = 0.3
"""Share of a patch's levels that its surroundings have, below which it needs no ground: an image on a page."""


def patched_image(found: Agreement, region: Region, shown: tuple[Side, Side] | None) -> OverlaidImage:
    """Return the image on which a region is a compact patch with a ground that its surroundings do not have.

    Args:
        shown: how both images show the region; None on a page, where other evidence decides.
    """
    page = shown is None
    left, top, width, height = region.box
    if width * height < LEAST_PATCH * found.valid.sum() or min(width, height) < LEAST_RING:
        return OverlaidImage.NEITHER
    rows = slice(max(0, top - 2 * LEAST_RING), top + height + 2 * LEAST_RING)
    columns = slice(max(0, left - 2 * LEAST_RING), left + width + 2 * LEAST_RING)
    valid, whole = found.valid[rows, columns], filled(region.mask[rows, columns])
    inside = (cv2.erode(whole.view(np.uint8), np.ones((5, 5), np.uint8)) > 0) & valid
    ring = dilated(whole, 2 * LEAST_RING + 1) & ~dilated(whole, 9) & valid
    if whole.sum() < COMPACT * width * height or inside.sum() < LEAST_AREA or ring.sum() < LEAST_AREA:
        return OverlaidImage.NEITHER
    planes = [plane[rows, columns] for plane in (found.a, found.b)]
    rim = inside & ~(cv2.erode(whole.view(np.uint8), np.ones((13, 13), np.uint8)) > 0)
    first, second = ((_ground(plane, inside, rim), _ground(plane, inside, ring)) for plane in planes)
    fits = [share_around(plane, inside, ring) for plane in planes]
    solid = [not page or _is_solid(plane, inside, width, height) for plane in planes]
    laid = [
        (rimmed > LEAST_GROUND and there < MOST_ELSEWHERE * rimmed and whole) or (page and strange < MOST_STRANGE)
        for (rimmed, there), strange, whole in zip((first, second), fits, solid, strict=True)
    ]
    around = [there > LEAST_GROUND for _, there in (first, second)]
    if shown is None:
        # What a patch covers on a page goes on around it: letters and lines. A blank place may have been filled in,
        # unless it is at the page's edge.
        covered = [float(_detailed(plane)[inside].mean()) > LEAST_COVERED for plane in planes]
        flush = bool((region.mask[rows, columns] & ~_inner(found.valid)[rows, columns]).any())
        goes_on = [
            (near or fit >= COVERS) and (there or flush) for near, fit, there in zip(around, fits, covered, strict=True)
        ]
    else:
        goes_on = [each.continues for each in shown]
    if laid[0] and goes_on[1]:
        return OverlaidImage.FIRST
    return OverlaidImage.SECOND if laid[1] and goes_on[0] else OverlaidImage.NEITHER


def _inner(valid: Mask) -> Mask:
    inner: Mask = cv2.erode(valid.astype(np.uint8), np.ones((7, 7), np.uint8), borderValue=0) > 0
    return inner


def _detailed(plane: Plane) -> Mask:
    """Return where a page shows letters, lines or edges."""
    mean = cv2.boxFilter(plane, cv2.CV_32F, (WINDOW, WINDOW))
    found: Mask = cv2.boxFilter(plane * plane, cv2.CV_32F, (WINDOW, WINDOW)) - mean * mean > LEAST_DETAIL**2
    return found


def _is_solid(plane: Plane, inside: Mask, width: int, height: int) -> bool:
    """Return whether a region's commonest level fills a part of it, as the strokes of letters do not."""
    at = inside & (np.abs(plane - _commonest(plane, inside)) < GROUND)
    side = max(WINDOW, round(min(width, height) / 5))
    opened = cv2.morphologyEx(at.astype(np.uint8), cv2.MORPH_OPEN, np.ones((side, side), np.uint8))
    return float(opened.sum()) > LEAST_SOLID * float(inside.sum())


def _commonest(plane: Plane, inside: Mask) -> float:
    return float(counted(plane[inside], 2 * BINS).argmax() * 8 + 4)


def _ground(plane: Plane, inside: Mask, at: Mask) -> float:
    """Return how much of `at` has the commonest level of a region, 0 to 1."""
    return float((np.abs(plane[at] - _commonest(plane, inside)) < GROUND).mean()) if at.any() else 0.0
