"""Resizing of images: by averaging all pixels to shrink them, by interpolation to enlarge them.

Averaging makes an image and a smaller copy of it nearly equal once both are reduced: linear interpolation would read
at most four pixels for each result and alias the rest.

Interpolation is OpenCV's exact variant: the plain one rounds as the processor's vector instructions do, and of the 500
keypoints of an enlarged photograph, arm64 and x86_64 had only a fifth in common.
"""

from typing import Final

from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels

LONG: Final = 4
"""Ratio of the sides above which an image is long, such as a panorama or a scrolling screenshot."""
LONGEST: Final = 8
"""How many times more pixels along its longest side a long image keeps, at most: up to a ratio of 32, its shortest side
then has a quarter of the usual longest one."""

PART: Final = 4 / 3
"""Ratio of the sides of the parts in which the keypoints of a long image are detected."""
MAX_PARTS: Final = round(LONG * LONGEST / PART)
"""Number of these parts from the ratio on at which an image has `LONGEST` times more pixels."""


def is_long(width: int, height: int) -> bool:
    return max(width, height) > LONG * min(width, height)


def parts_of(width: int, height: int) -> int:
    """Return the number of parts along the longest side of a long image; 1 for other images."""
    if not is_long(width, height):
        return 1
    return min(MAX_PARTS, round(max(width, height) / max(1, min(width, height)) / PART))


def longest_side(width: int, height: int, ordinary: int) -> int:
    """Return the longest side to which an image is reduced, in pixels: `ordinary`, or more if the image is long.

    Otherwise too little would be left of its shortest side to find its parts by.
    """
    ratio = max(width, height) / max(1, min(width, height))
    return round(ordinary * min(LONGEST, max(1.0, ratio / LONG)))


def resize_square(pixels: Pixels, side: int) -> Pixels:
    """Return the whole image as a square of `side` pixels, without keeping its proportions."""
    height, width = pixels.shape[:2]
    # In two steps, because OpenCV averages only if neither axis is enlarged.
    smaller = cv2.resize(pixels, (min(width, side), min(height, side)), interpolation=cv2.INTER_AREA)
    return cv2.resize(smaller, (side, side), interpolation=cv2.INTER_LINEAR_EXACT)  # type: ignore[return-value]


def resize_longest(pixels: Pixels, longest: int) -> Pixels:
    """Return the image in its own proportions, with a longest side of `longest` pixels and no side under 1 pixel."""
    height, width = pixels.shape[:2]
    scale = longest / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    if size == (width, height):
        return pixels
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR_EXACT)  # type: ignore[return-value]


def shrink_to_fit(pixels: Pixels, longest: int) -> Pixels:
    """Return the image reduced to a longest side of `longest` pixels; smaller images are returned as they are."""
    return resize_longest(pixels, longest) if max(pixels.shape[:2]) > longest else pixels
