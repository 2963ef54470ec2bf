"""The image that two are compared by in detail: in colour, at most 1,024 pixels long, as a JPEG."""

from functools import lru_cache
from typing import Final

import numpy as np

from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels
from shared.vision.resizing import shrink_to_fit

LONGEST: Final = 1024
"""Pixels: a figure of an A4 page's small print is 7 of them high, and differs from another one."""

QUALITY: Final = 80
"""Of the JPEG: 30 KB for a photograph of 500 pixels, 90 KB for one that fills the size."""


def encode_fine(rgb: Pixels) -> bytes:
    """A JPEG of upright RGB pixels, of whatever size."""
    small = np.ascontiguousarray(shrink_to_fit(rgb, LONGEST)[:, :, ::-1])
    done, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if not done:
        raise ValueError("OpenCV could not encode a JPEG")
    return data.tobytes()


@lru_cache(maxsize=32)
def decode_fine(data: bytes) -> Pixels:
    """The BGR pixels of what `encode_fine` wrote, read-only.

    Raises:
        ValueError: the bytes are not such a JPEG.
    """
    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if found is None or max(found.shape[:2]) > LONGEST:
        raise ValueError("not an image to compare in detail")
    found.flags.writeable = False
    return found.astype(np.uint8, copy=False)
