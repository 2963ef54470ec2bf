"""Sharpness of an image, by which the best of several copies is chosen."""

from typing import Final

from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels
from shared.vision.resizing import shrink_to_fit

LONGEST_SIDE: Final = 512
"""Longest side at which sharpness is measured, so that images of different sizes are comparable."""


def sharpness(rgb: Pixels) -> float:
    """Return the variance of the Laplacian of the gray image: 0 if it is flat, higher if it is sharper.

    Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy: a comparative study", ICPR 2000. All of 42
    photographs scored higher than their copies that were blurred (sigma 1 and 3), or halved and enlarged again; 42
    higher than as a JPEG of quality 20, 41 than at quality 5, and 38 than at quality 75.

    Args:
        rgb: upright RGB pixels, uint8, height x width x 3, of any size.
    """
    gray = cv2.cvtColor(shrink_to_fit(rgb, LONGEST_SIDE), cv2.COLOR_RGB2GRAY)
    return float(cv2.Laplacian(gray, cv2.CV_32F).var())
