"""Encode and decode the JPEG in which details are compared: colour, at most 1,024 pixels a side."""

from functools import lru_cache
from typing import Final

import numpy as np

from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels
from shared.vision.resizing import LONG, longest_side, shrink_to_fit

LONGEST: Final = 1024
"""Pixels: a digit in the small print of an A4 page is 7 pixels high, enough to tell it from another one. A long image
has more (`resizing.longest_side`)."""

QUALITY: Final = 80
"""Quality of the JPEG: 30 KB for a photograph of 500 pixels, 90 KB for one of the maximum size."""


DECODED: Final = 8
"""Decoded images that are kept, of up to 3 MB each: a query, and those that it is compared with at the same time."""


def encode_fine(rgb: Pixels) -> bytes:
    """Encode upright RGB pixels of any size as a JPEG."""
    longest = longest_side(rgb.shape[1], rgb.shape[0], LONGEST)
    small = np.ascontiguousarray(shrink_to_fit(rgb, longest)[:, :, ::-1])
    done, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if not done:
        raise ValueError("OpenCV could not encode a JPEG")
    return data.tobytes()


@lru_cache(maxsize=DECODED)
def decode_fine(data: bytes) -> Pixels:
    """Decode a JPEG that `encode_fine` wrote into BGR pixels, read-only.

    Raises:
        ValueError: the bytes are not such a JPEG.
    """
    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if found is None or max(found.shape[:2]) > longest_side(found.shape[1], found.shape[0], LONGEST) + LONG:
        raise ValueError("not an image to compare in detail")
    found.flags.writeable = False
    return found.astype(np.uint8, copy=False)
