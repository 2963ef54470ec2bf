"""Backdrops of altered copies: other images, and a window like those of programs.

The other images are those in scikit-image's wheel. They are never among the images searched, so that a copy inside one
of them has a single correct answer.
"""

from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from skimage.data import data_dir

from shared.vision.decode.decoding import decode
from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels

HOSTS: Final = (
    "astronaut.png",
    "chelsea.png",
    "coffee.png",
    "rocket.jpg",
    "motorcycle_left.png",
    "hubble_deep_field.jpg",
)


@cache
def _shipped(name: str) -> Pixels:
    return decode((Path(data_dir) / name).read_bytes()).rgb


def host_image(rng: np.random.Generator) -> Pixels:
    """Draw one of scikit-image's photographs, mirrored half of the time."""
    found = _shipped(HOSTS[int(rng.integers(len(HOSTS)))])
    return np.ascontiguousarray(found[:, ::-1]) if rng.random() < 0.5 else found


def window(rgb: Pixels, rng: np.random.Generator) -> Pixels:
    """Draw a light or dark window around an image: title bar, side panel with lines, buttons and a status line."""
    dark = rng.random() < 0.5
    ground, panel, ink = ((32, 33, 36), (48, 50, 54), (225, 225, 225)) if dark else ((250,) * 3, (232,) * 3, (40,) * 3)
    height, width = rgb.shape[:2]
    unit = max(4, round(max(height, width) / 24))
    left, top, right, bottom = 8 * unit, 4 * unit, 2 * unit, 5 * unit
    canvas = np.full((height + top + bottom, width + left + right, 3), ground, np.uint8)
    canvas[: 2 * unit] = panel
    canvas[2 * unit :, : left - unit] = panel
    size = unit / 28
    for at, colour in enumerate(((237, 106, 94), (245, 191, 79), (98, 197, 84))):
        cv2.circle(canvas, ((at + 1) * 3 * unit // 2, unit), unit // 2, colour, -1, cv2.LINE_AA)
    words = ("File Edit View Help", "Home", "Recent images", "Shared", "Albums", "Settings", "Liked by 241 people")
    cv2.putText(canvas, words[0], (left, round(1.4 * unit)), cv2.FONT_HERSHEY_SIMPLEX, size, ink, 1, cv2.LINE_AA)
    for at in range(3 * unit, len(canvas) - unit, 2 * unit):
        word = words[1 + int(rng.integers(5))]
        cv2.putText(canvas, word, (unit // 2, at), cv2.FONT_HERSHEY_SIMPLEX, size, ink, 1, cv2.LINE_AA)
    foot = top + height
    for at in range(3):
        start = (left + 4 * unit * at, foot + unit)
        cv2.rectangle(canvas, start, (start[0] + 3 * unit, foot + 2 * unit), (66, 133, 244), -1)
    place = (left, foot + 4 * unit)
    cv2.putText(canvas, words[6], place, cv2.FONT_HERSHEY_SIMPLEX, 1.4 * size, ink, 1, cv2.LINE_AA)
    canvas[top:foot, left : left + width] = rgb
    return canvas
