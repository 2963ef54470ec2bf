"""Bring two images onto one grid, and correct a slight bend."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from shared.vision.evidence.fitting import robust_fit
from shared.vision.keypoints import Transform
from shared.vision.opencv import cv2
from shared.vision.order_statistics import quantile
from shared.vision.pixels import Pixels

Plane = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

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
