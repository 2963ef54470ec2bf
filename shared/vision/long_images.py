"""Detect the keypoints of panoramas and scrolling screenshots in parts, so that each part of them can be found."""

from itertools import pairwise
from typing import Final

import numpy as np

from shared.vision.keypoints import ORB_EDGE, Keypoints, detect
from shared.vision.pixels import Pixels
from shared.vision.resizing import longest_side, parts_of, resize_longest

SIDE: Final = 1024
"""Longest side in pixels, before it is extended (`resizing.longest_side`), at which keypoints are detected: the
shortest one then has 256, about what a part of the image has as a query."""


def detect_in_parts(gray: Pixels, count: int) -> Keypoints:
    """Detect up to `count` keypoints in each part of a long gray image, the strongest of each part in turn.

    Otherwise the parts with most contrast would have them all.
    """
    gray = resize_longest(gray, longest_side(gray.shape[1], gray.shape[0], SIDE))
    height, width = gray.shape
    axis = int(height > width)
    places = np.linspace(0, max(width, height), parts_of(width, height) + 1).round().astype(int).tolist()
    found = []
    for start, end in pairwise(places):
        # ORB finds nothing close to an edge: neighbouring parts overlap by that.
        first, last = max(0, start - ORB_EDGE), end + ORB_EDGE
        part = np.ascontiguousarray(gray[first:last] if axis else gray[:, first:last])
        inside = detect(part, count, max(part.shape))
        inside.points[:, axis] += first
        found.append(inside)
    order = np.argsort(np.concatenate([np.arange(len(part)) for part in found]), kind="stable")
    return Keypoints(
        np.concatenate([part.points for part in found]),
        np.concatenate([part.scales for part in found]),
        np.concatenate([part.angles for part in found]),
        np.concatenate([part.descriptors for part in found]),
        (width, height),
    ).select(order)
