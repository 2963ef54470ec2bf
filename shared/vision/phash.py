"""Perceptual hash: the signs of an image's lowest frequencies.

C. Zauner: Implementation and Benchmarking of Perceptual Image Hash Functions, 2010, section 3.2.1 (DCT based).
"""

import numpy as np

from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels


def perceptual_hash(gray: Pixels) -> str:
    """Return 64 bits, as 16 hex digits, of a gray image of any size; hashes are compared by Hamming distance."""
    small = cv2.resize(gray, (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32)
    low = cv2.dct(small)[:8, :8].reshape(-1)
    # The first coefficient is the mean brightness, so the threshold leaves it out.
    return np.packbits(low > np.median(low[1:])).tobytes().hex()
