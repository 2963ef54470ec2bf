"""Synthetic images of the kinds that photographs do not cover and a fit must have seen."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels
from shared.vision.resizing import shrink_to_fit

SMOOTH_SIGMA: Final = 0.04
"""Relative to the longest side: the result is like an image of the sky, or out of focus."""

_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz      "


def smooth(rgb: Pixels) -> Pixels:
    """Blur the image until it has hardly any keypoints."""
    return cv2.GaussianBlur(rgb, (0, 0), SMOOTH_SIGMA * max(rgb.shape[:2]))  # type: ignore[return-value]


def on_white(rgb: Pixels, rng: np.random.Generator) -> Pixels:
    """Put the image, reduced, in the middle of a white square, as shops show their products."""
    small = shrink_to_fit(rgb, int(rng.integers(60, 260)))
    height, width = small.shape[:2]
    canvas = np.full((512, 512, 3), 255, np.uint8)
    top, left = (512 - height) // 2, (512 - width) // 2
    canvas[top : top + height, left : left + width] = small
    return canvas


def captioned(rgb: Pixels) -> Pixels:
    """Add a caption bar, the same for every image, as publishers do."""
    out = rgb.copy()
    height, width = out.shape[:2]
    bar = max(8, round(height * 0.15))
    cv2.rectangle(out, (0, height - bar), (width, height), (245, 245, 240), -1)
    place = (round(width * 0.04), height - round(bar * 0.3))
    cv2.putText(out, "The Daily Image - www.example.org", place, cv2.FONT_HERSHEY_SIMPLEX, width / 600, (30, 30, 90), 1)
    return out


def document(rng: np.random.Generator) -> Pixels:
    """Draw lines of small black letters on white."""
    page = np.full((512, 400, 3), 255, np.uint8)
    for line in range(int(rng.integers(2, 16))):
        text = "".join(rng.choice(list(_LETTERS), 30))
        cv2.putText(page, text, (24, 40 + 30 * line), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (0, 0, 0), 1)
    return page


def shape(rng: np.random.Generator) -> Pixels:
    """Draw a disk or a box of one colour on another, like a logo or an icon."""
    ground, ink = ((*(int(value) for value in rng.integers(0, 256, 3)),) for _ in range(2))
    icon = np.full((400, 400, 3), ground, np.uint8)
    x, y = (int(value) for value in rng.integers(140, 260, 2))
    size = int(rng.integers(60, 130))
    if rng.random() < 0.5:
        cv2.circle(icon, (x, y), size, ink, -1, cv2.LINE_AA)
    else:
        cv2.rectangle(icon, (x - size, y - size), (x + size, y + size), ink, -1)
    return icon


def flat(rng: np.random.Generator) -> Pixels:
    """Return an image of a single colour."""
    return np.full((300, 400, 3), rng.integers(0, 256, 3), np.uint8)


Synthetic = tuple[int, str, Pixels]
"""The index of the photograph that it belongs to, its kind, and the image."""

DEFINED_BY_COLOUR: Final = {"shape", "flat"}
"""Kinds whose copies in other colours, or with text over them, are different images."""


def families(photographs: Sequence[Pixels], rng: np.random.Generator, every: int) -> list[Synthetic]:
    """Return an image of each kind for every `every`-th photograph."""
    found: list[Synthetic] = []
    for place in range(0, len(photographs), every):
        rgb = photographs[place]
        found += [
            (place, "smooth", smooth(rgb)),
            (place, "on white", on_white(rgb, rng)),
            (place, "captioned", captioned(rgb)),
            (place, "document", document(rng)),
            (place, "shape", shape(rng)),
            (place, "flat", flat(rng)),
        ]
    return found
