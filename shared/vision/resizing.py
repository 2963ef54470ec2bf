"""Images made smaller by averaging all their pixels, and larger by interpolation.

Averaging is what makes a shrunken copy of an image nearly equal to the shrunken image: linear interpolation
reads at most four pixels for each result and aliases the rest.

Interpolation is OpenCV's exact kind: the plain one rounds as the processor's vectors do, and 500 keypoints of a
photograph enlarged on arm64 and on x86_64 had a fifth in common.
"""

from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels


def resize_square(pixels: Pixels, side: int) -> Pixels:
    """The whole image as a square of `side` pixels, its proportions given up."""
    height, width = pixels.shape[:2]
    # Each axis on its own: OpenCV averages only where both shrink.
    smaller = cv2.resize(pixels, (min(width, side), min(height, side)), interpolation=cv2.INTER_AREA)
    return cv2.resize(smaller, (side, side), interpolation=cv2.INTER_LINEAR_EXACT)  # type: ignore[return-value]


def resize_longest(pixels: Pixels, longest: int) -> Pixels:
    """The image with its longest side of `longest` pixels, in its own proportions (no side under 1 pixel)."""
    height, width = pixels.shape[:2]
    scale = longest / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    if size == (width, height):
        return pixels
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR_EXACT)  # type: ignore[return-value]


def shrink_to_fit(pixels: Pixels, longest: int) -> Pixels:
    """The same, but never larger than it is."""
    return resize_longest(pixels, longest) if max(pixels.shape[:2]) > longest else pixels
