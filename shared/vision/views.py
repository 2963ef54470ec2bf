"""Views of a query whose local features are searched for: the image, its mirror image, windows and panes of both."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from shared.domain.features import LocalVector, normalise
from shared.vision.keypoints import (
    FINE_KEYPOINTS,
    LONGEST_SIDE,
    MAX_KEYPOINTS,
    MIN_INLIERS,
    PART_EDGE,
    PART_SIDE,
    QUERY_KEYPOINTS,
    Keypoints,
    detect,
)
from shared.vision.local_features import vlad_encode
from shared.vision.opencv import cv2
from shared.vision.panes import panes
from shared.vision.pixels import Pixels
from shared.vision.signature import Signature, extract, mirrored

WINDOW: Final = 0.5
"""Side of a window, as a fraction of the image's sides."""
STEPS: Final = (0.0, 0.25, 0.5)
"""Offsets of the windows, across and down: nine windows, so that a small inset lies entirely in one."""
WINDOW_KEYPOINTS: Final = 400
_NEAR_GROUND: Final = 48
"""Levels by which a pixel of the ground may differ from white or black: pages for dark rooms are dark gray."""
_ON_GROUND: Final = 0.95
"""Least share of an image's edge that is ground."""
_GRAY: Final = 4
"""Mean difference of a pixel's largest and smallest channel up to which an image has no colours."""


@dataclass(frozen=True, slots=True)
class View:
    """The query, its mirror image, or a part of either.

    Attributes:
        signature: compared with the stored images that this view finds; has only the view's keypoints.
        keypoints: those that the vector is computed from; those of the whole image may be more than are compared.
        vector: the local features to search for.
        mirrored: whether the image was mirrored first.
        inverted: whether its brightness was inverted first.
        is_pane: whether it is one of the images of a collage, as far as its seams show.
    """

    signature: Signature
    keypoints: Keypoints
    vector: LocalVector
    mirrored: bool = False
    inverted: bool = False
    is_pane: bool = False


def local_features(signature: Signature) -> LocalVector | None:
    """Return the vector of all keypoints, or the mean of the pages' vectors; None if there are no keypoints."""
    of_pages = [page.signature.keypoints for page in signature.several if page.signature]
    vectors = [vlad_encode(each.descriptors) for each in of_pages or [signature.keypoints] if len(each)]
    return normalise(np.sum(vectors, axis=0)) if vectors else None


def whole(signature: Signature, *, mirrored: bool = False) -> View:
    """Return the view of a whole image. Its vector has every keypoint; those most evenly spread are compared."""
    found = signature.keypoints
    vector = local_features(signature) if signature.several else None
    if vector is None:
        vector = vlad_encode(found.descriptors)
    return View(replace(signature, keypoints=found.sample()), found, vector, mirrored)


def finer(pixels: Pixels, view: View) -> View:
    """Return the view with keypoints of the full-resolution image, if that is larger; the vector stays the same."""
    if max(pixels.shape[:2]) <= LONGEST_SIDE:
        return view
    return replace(view, keypoints=detect(_gray(pixels, view), FINE_KEYPOINTS, max(pixels.shape[:2])))


def part(pixels: Pixels, view: View) -> View:
    """Return the view with the keypoints that the image would have as a small part of a stored one."""
    return _part(view, detect(_gray(pixels, view), MAX_KEYPOINTS, PART_SIDE, PART_EDGE))


def windows(view: View) -> list[View]:
    """Return up to nine windows of half the width and height; those with too few keypoints are omitted."""
    places = [(left, top) for top in STEPS for left in STEPS]
    found = [view.keypoints.in_window(left, top, WINDOW, WINDOW_KEYPOINTS) for left, top in places]
    return [_part(view, inside) for inside in found if len(inside) >= MIN_INLIERS]


def in_panes(pixels: Pixels, view: View) -> list[View]:
    """Return the images of a collage, with the keypoints that each would have as a stored one; none without seams."""
    shown = _shown(pixels, view)
    height, width = shown.shape[:2]
    found = []
    for pane in panes(shown):
        left, top = round(pane.left * width), round(pane.top * height)
        right, bottom = round((pane.left + pane.width) * width), round((pane.top + pane.height) * height)
        inside = detect(cv2.cvtColor(shown[top:bottom, left:right], cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False))
        if len(inside) < MIN_INLIERS:
            continue
        scale = np.divide(inside.size, (right - left, bottom - top))
        size = round(width * scale[0]), round(height * scale[1])
        moved = (inside.points + (left, top) * scale).astype(np.float32)
        found.append(replace(_part(view, replace(inside, points=moved, size=size)), is_pane=True))
    return found


def _part(view: View, inside: Keypoints) -> View:
    compared = replace(view.signature, keypoints=inside)
    return View(compared, inside, vlad_encode(inside.descriptors), view.mirrored)


def _shown(pixels: Pixels, view: View) -> Pixels:
    return np.ascontiguousarray(pixels[:, ::-1]) if view.mirrored else pixels


def _gray(pixels: Pixels, view: View) -> Pixels:
    return np.ascontiguousarray(cv2.cvtColor(_shown(pixels, view), cv2.COLOR_RGB2GRAY), np.uint8)


def for_second_pass(pixels: Pixels | None, side: View) -> list[View]:
    """Return the views of the second pass: windows, and, if there are pixels, panes and the image as a part."""
    if pixels is None:
        return windows(side)
    return [part(pixels, side), *in_panes(pixels, side), *windows(finer(pixels, side))]


def inverted(rgb: Pixels, signature: Signature) -> View | None:
    """Return the view of the image with its brightness inverted, if it is a drawing in gray on white or black.

    A logo has a white version for dark pages and a black one. Keypoints of the one never match those of the other.
    """
    edge = np.concatenate([rgb[0], rgb[-1], rgb[:, 0], rgb[:, -1]])
    grounds = (edge.min(axis=1) >= 255 - _NEAR_GROUND).mean(), (edge.max(axis=1) <= _NEAR_GROUND).mean()
    if max(grounds) < _ON_GROUND or np.ptp(rgb[::4, ::4].astype(np.int16), axis=2).mean() > _GRAY:
        return None
    changed = replace(extract(255 - rgb, signature.features, QUERY_KEYPOINTS), pixels_hash=b"")
    return replace(whole(changed), inverted=True)


def mirror(rgb: Pixels, signature: Signature) -> View:
    """Return the view of the mirror image."""
    return whole(mirrored(rgb, signature, QUERY_KEYPOINTS), mirrored=True)
