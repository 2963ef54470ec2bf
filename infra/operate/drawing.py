"""Draw an image that is unique to each run, and an altered copy of it."""

import secrets

import numpy as np
import numpy.typing as npt

from shared.vision.opencv import cv2

WIDTH, HEIGHT, SHAPES = 640, 480, 60

Pixels = npt.NDArray[np.uint8]


def unique_image() -> bytes:
    """Return a PNG of random shapes on a random background: unique, and with enough corners for keypoints."""
    random = np.random.default_rng(secrets.randbits(128))
    coarse = random.integers(64, 192, (6, 8, 3), dtype=np.uint8)
    canvas = cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    for _ in range(SHAPES):
        colour = tuple(map(int, random.integers(0, 256, 3)))
        corners = random.integers(0, 90, (int(random.integers(3, 6)), 2)) + random.integers(
            0, (WIDTH - 90, HEIGHT - 90)
        )
        cv2.fillPoly(canvas, [corners.astype(np.int32)], colour, lineType=cv2.LINE_AA)
    return _encode(canvas, ".png")


def altered_copy(png: bytes) -> bytes:
    """Return the image as a JPEG of three quarters of its size, slightly brighter."""
    canvas = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    if canvas is None:
        raise ValueError("these bytes are not a PNG")
    smaller = cv2.resize(canvas, None, fx=0.75, fy=0.75, interpolation=cv2.INTER_AREA)
    return _encode(cv2.convertScaleAbs(smaller, alpha=1.05, beta=6), ".jpg", cv2.IMWRITE_JPEG_QUALITY, 75)


def _encode(canvas: npt.NDArray[np.integer] | cv2.typing.MatLike, kind: str, *parameters: int) -> bytes:
    encoded, data = cv2.imencode(kind, canvas, list(parameters))
    if not encoded:
        raise RuntimeError(f"OpenCV could not encode the image as {kind}")
    return bytes(data)
