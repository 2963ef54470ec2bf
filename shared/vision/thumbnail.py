"""Thumbnails."""

from typing import Final

from shared.vision.channels import Pixels
from shared.vision.opencv import cv2

LONGEST_SIDE: Final = 320
QUALITY: Final = 80


def thumbnail(rgb: Pixels) -> bytes:
    """A WebP of at most 320 pixels a side; small pictures keep their size."""
    height, width = rgb.shape[:2]
    scale = min(1.0, LONGEST_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    done, encoded = cv2.imencode(".webp", small[:, :, ::-1], [cv2.IMWRITE_WEBP_QUALITY, QUALITY])
    if not done:
        raise RuntimeError("OpenCV could not encode a WebP")
    return encoded.tobytes()
