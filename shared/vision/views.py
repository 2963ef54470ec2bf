"""What of a query's image is searched for by its keypoints: the whole, its mirror image, windows of both."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from shared.domain.features import LocalVector
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
from shared.vision.pixels import Pixels
from shared.vision.signature import Signature, extract

WINDOW: Final = 0.5
"""Side of a window, in shares of the image's sides."""
STEPS: Final = (0.0, 0.25, 0.5)
"""Where windows begin, across and down: nine of them, so that a small inset lies whole in one."""
WINDOW_KEYPOINTS: Final = 400


@dataclass(frozen=True, slots=True)
class View:
    """One way to look at a query.

    Attributes:
        signature: what a stored image that this view finds is compared with; only the view's keypoints are in it.
        keypoints: all that the vector is made of; of the whole they may be more than are compared.
        vector: the local features that are searched for.
        mirrored: whether the image was mirrored first.
    """

    signature: Signature
    keypoints: Keypoints
    vector: LocalVector
    mirrored: bool = False


def whole(signature: Signature, *, mirrored: bool = False) -> View:
    """All of an image. Every keypoint is in the vector, and the 500 that are best spread are compared."""
    found = signature.keypoints
    return View(
        replace(signature, keypoints=found.spread(MAX_KEYPOINTS)), found, vlad_encode(found.descriptors), mirrored
    )


def finer(pixels: Pixels, view: View) -> View:
    """The same view with keypoints of a larger version of the image, where there is one; not to be searched for."""
    if max(pixels.shape[:2]) <= LONGEST_SIDE:
        return view
    return replace(view, keypoints=detect(_gray(pixels, view), FINE_KEYPOINTS, max(pixels.shape[:2])))


def part(pixels: Pixels, view: View) -> View:
    """The same view as if the image was a small part of a stored one: with the keypoints that it would have there."""
    small = detect(_gray(pixels, view), MAX_KEYPOINTS, PART_SIDE, PART_EDGE)
    return View(replace(view.signature, keypoints=small), small, vlad_encode(small.descriptors), view.mirrored)


def windows(view: View) -> list[View]:
    """Nine windows of half the width and height, but for those with too few keypoints to be recognised by."""
    found = []
    for top in STEPS:
        for left in STEPS:
            inside = view.keypoints.in_window(left, top, WINDOW, WINDOW_KEYPOINTS)
            if len(inside) >= MIN_INLIERS:
                compared = replace(view.signature, keypoints=inside)
                found.append(View(compared, inside, vlad_encode(inside.descriptors), view.mirrored))
    return found


def _gray(pixels: Pixels, view: View) -> Pixels:
    gray = cv2.cvtColor(pixels[:, ::-1] if view.mirrored else pixels, cv2.COLOR_RGB2GRAY)
    return np.ascontiguousarray(gray, np.uint8)


def for_second_pass(pixels: Pixels | None, side: View) -> list[View]:
    """Return the views of the second pass: parts of the image, and, if there are pixels, the image as a part."""
    if pixels is None:
        return windows(side)
    return [part(pixels, side), *windows(finer(pixels, side))]


def mirror(rgb: Pixels, signature: Signature) -> Signature:
    """The signature of an image's mirror image; its features stay those of the image as it is."""
    return extract(np.ascontiguousarray(rgb[:, ::-1]), signature.features, QUERY_KEYPOINTS)
