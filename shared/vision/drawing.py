"""Comparisons as pictures, for people."""

from typing import Final

import numpy as np

from shared.vision.channels import Pixels
from shared.vision.keypoints import LONGEST_SIDE, Keypoints, detect, match_keypoints
from shared.vision.opencv import cv2
from shared.vision.resizing import scaled, squeezed
from shared.vision.structure import WINDOW, ssim_map

SIDE: Final = 512
GAP: Final = 16
_LINES: Final = ((46, 204, 113), (52, 152, 219), (241, 196, 15), (231, 76, 60), (155, 89, 182), (26, 188, 156))


def matches_picture(a: Pixels, b: Pixels) -> bytes:
    """A PNG with the pictures side by side and a line for each pair of keypoints that one geometry explains.

    Where none does, the pairs of the first one's mirror image, drawn where they are in the picture.
    """
    left, right = (scaled(rgb, LONGEST_SIDE) for rgb in (a, b))
    stored = _keypoints(right)
    for mirrored in (False, True):
        query = _keypoints(np.ascontiguousarray(left[:, ::-1]) if mirrored else left)
        matched = match_keypoints(query, stored)
        if matched.transform is not None:
            break
    points = query.points * (-1, 1) + (left.shape[1] - 1, 0) if mirrored else query.points
    offset = left.shape[1] + GAP
    canvas = np.full((max(len(left), len(right)), offset + right.shape[1], 3), 255, np.uint8)
    canvas[: len(left), : left.shape[1]] = left
    canvas[: len(right), offset:] = right
    for index, (first, second) in enumerate(matched.pairs if matched.transform is not None else ()):
        x, y = stored.points[second]
        start, end = (tuple(int(value) for value in point) for point in (points[first], (x + offset, y)))
        colour = _LINES[index % len(_LINES)]
        cv2.line(canvas, start, end, colour, 1, cv2.LINE_AA)
        cv2.circle(canvas, start, 3, colour, 1, cv2.LINE_AA)
        cv2.circle(canvas, end, 3, colour, 1, cv2.LINE_AA)
    return _png(canvas)


def _keypoints(rgb: Pixels) -> Keypoints:
    return detect(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.uint8))


def difference_picture(a: Pixels, b: Pixels) -> bytes:
    """A PNG heat map over the second picture: dark where they are alike, bright where their structure differs."""
    first, second = (cv2.cvtColor(squeezed(rgb, SIDE), cv2.COLOR_RGB2GRAY).astype(np.uint8) for rgb in (a, b))
    heat = np.clip((1 - ssim_map(first, second)) * 127.5, 0, 255).astype(np.uint8)
    pad = WINDOW // 2
    heat = cv2.copyMakeBorder(heat, pad, pad, pad, pad, cv2.BORDER_REPLICATE).astype(np.uint8)
    coloured = cv2.cvtColor(cv2.applyColorMap(heat, cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB)
    below = cv2.cvtColor(second, cv2.COLOR_GRAY2RGB)
    return _png(cv2.addWeighted(coloured, 0.75, below, 0.25, 0).astype(np.uint8))


def _png(rgb: Pixels) -> bytes:
    done, encoded = cv2.imencode(".png", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
    if not done:
        raise RuntimeError("OpenCV could not encode a PNG")
    return encoded.tobytes()
