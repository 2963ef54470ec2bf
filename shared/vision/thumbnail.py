"""Thumbnails, and larger images that show no more than the pixels."""

from typing import Final

from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels
from shared.vision.resizing import shrink_to_fit

LONGEST_SIDE: Final = 320
QUALITY: Final = 80


def thumbnail(rgb: Pixels, longest_side: int = LONGEST_SIDE) -> bytes:
    """Return a WebP of at most 320 pixels a side, without metadata; small images keep their size."""
    small = cv2.cvtColor(shrink_to_fit(rgb, longest_side), cv2.COLOR_RGB2BGR)
    succeeded, encoded = cv2.imencode(".webp", small, [cv2.IMWRITE_WEBP_QUALITY, QUALITY])
    if not succeeded:
        raise RuntimeError("OpenCV could not encode a WebP")
    return encoded.tobytes()
