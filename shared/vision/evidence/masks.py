"""Regions of pixels, filled and widened."""

import numpy as np

from shared.vision.evidence.registration import Mask
from shared.vision.opencv import cv2


def filled(mask: Mask) -> Mask:
    """Return a mask, bool height x width, with the holes of its regions."""
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return cv2.drawContours(np.zeros(mask.shape, np.uint8), outlines, -1, 1, cv2.FILLED) > 0


def dilated(mask: Mask, side: int) -> Mask:
    """Return where a square of `side` pixels, an odd number, around a pixel has one of a mask."""
    return cv2.dilate(mask.astype(np.uint8), np.ones((side, side), np.uint8)) > 0
