"""Describe the colours of an image: its hues, and whether it has a single one, as after a colour filter."""

from typing import Final

import numpy as np
import numpy.typing as npt

from shared.vision.evidence.digest_cache import cached_by_digest
from shared.vision.evidence.registration import Mask
from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels

SIDE: Final = 64
"""Pixels: colour is looked at in coarse cells, because JPEG stores it at a lower resolution."""
VIVID: Final = 14.0
"""Least chroma, of 255, at which a cell has a hue."""
HUES: Final = 12
SEVERAL: Final = 2
MOST: Final = 0.75
NEARLY_ALL: Final = 0.6
"""Least share of the cells that a filter changes in an image of one hue."""
SAME_HUE: Final = 0.82
"""Cosine of 35 degrees."""
LEAST_HUE: Final = 0.03
"""Least share of the cells with a hue that a further hue must have to count."""
LEAST_COLOURED: Final = 0.004
"""Least share of the cells that must have a hue."""
LEVELS: Final = 32
ALL_BUT, ONE_COLOUR = 0.9, 6.0
"""Share of the cells that have the chroma of their gray level in a monochrome image, and its maximum deviation: 5 for
photographs in sepia, at least 7 for photographs of one hue."""
FLAT_COLOURS, FLAT_WITHIN, LEAST_FLAT = 5, 16, 0.9
"""Number of flat colours, their distance in levels, and least share of the pixels that have one of them."""
GRAY: Final = (0.114, 0.587, 0.299)
"""Shares of blue, green and red in gray levels (ITU-R BT.601)."""

Cells = npt.NDArray[np.float64]


def retinted(moved: Pixels, fixed: Pixels) -> bool:
    """Return whether several hues have all changed or disappeared, as a program's colour filter does it."""
    size = (SIDE, SIDE)
    x, y = (chroma(image, size).reshape(-1, 2) for image in (moved, fixed))
    vivid = np.maximum(np.linalg.norm(x, axis=1), np.linalg.norm(y, axis=1)) > VIVID
    changed = (turned(x, y) | (np.minimum(*(np.linalg.norm(each, axis=1) for each in (x, y))) < VIVID / 2))[vivid]
    return len(changed) > 0 and changed.mean() > MOST and max(hues(moved), hues(fixed)) >= SEVERAL


def filtered(a: Pixels, b: Pixels) -> bool:
    """Return whether a filter has left one of the images with a single hue: gray, sepia or a duotone."""
    if monochrome(a) == monochrome(b):
        return False
    x, y = (chroma(image, (SIDE, SIDE)).reshape(-1, 2) for image in (a, b))
    changed = float((np.linalg.norm(x - y, axis=1) > VIVID / 2).mean())
    # A single thing of another colour, on a neutral ground, is not filtered.
    return changed > NEARLY_ALL or max(hues(a), hues(b)) >= SEVERAL


def coarse(image: Pixels) -> Pixels:
    """Return the image at `SIDE` pixels a side, which suffices for its hues."""
    return cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def monochrome(image: Pixels) -> bool:
    """Return whether an image's colours follow from its gray levels, as in gray, toned and one-hue images."""
    return _monochrome(coarse(image).tobytes())


@cached_by_digest(maxsize=64)
def _monochrome(data: bytes) -> bool:
    image = np.frombuffer(data, np.uint8).reshape(SIDE, SIDE, 3)
    colours = cells(image, (SIDE, SIDE)).reshape(-1, 3)
    found = chroma(image, (SIDE, SIDE)).reshape(-1, 2)
    bins = np.minimum((colours @ np.array(GRAY) * LEVELS).astype(np.intp), LEVELS - 1)
    away = [
        np.linalg.norm(found[bins == level] - np.median(found[bins == level], axis=0), axis=1)
        for level in set(bins.tolist())
    ]
    return float(np.quantile(np.concatenate(away), ALL_BUT)) < ONE_COLOUR


def is_flat(image: Pixels) -> bool:
    """Return whether an image consists of a few flat colours, as flags and icons do: any recolouring would fit them."""
    left = cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_NEAREST).reshape(-1, 3).astype(np.int32)
    most = (1 - LEAST_FLAT) * len(left)
    for _ in range(FLAT_COLOURS):
        if len(left) <= most:
            break
        counts = np.bincount((left // FLAT_WITHIN) @ (1, 16, 256))
        place = int(counts.argmax())
        centre = (np.array([place % 16, place // 16 % 16, place // 256]) + 0.5) * FLAT_WITHIN
        left = left[np.abs(left - centre).max(axis=1) > FLAT_WITHIN]
    return len(left) <= most


def hues(image: Pixels) -> int:
    """Return the number of clearly different hues."""
    found = chroma(image, (SIDE, SIDE)).reshape(-1, 2)
    vivid = found[np.linalg.norm(found, axis=1) > VIVID]
    if len(vivid) < LEAST_COLOURED * len(found):
        return 0
    turns = np.arctan2(vivid[:, 1], vivid[:, 0]) / (2 * np.pi) % 1
    counts = np.bincount((turns * HUES).astype(int) % HUES, minlength=HUES) / len(vivid)
    there = np.roll(counts > LEAST_HUE, -int(np.argmin(counts)))
    count = last = 0
    for place in np.flatnonzero(there).tolist():
        # Neighbouring twelfths of the colour circle are one hue.
        if not count or place - last > 1:
            count, last = count + 1, place
    return count


def cells(image: Pixels, size: tuple[int, int]) -> Cells:
    """Return the colours of coarse cells, (height, width, 3), 0 to 1."""
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    return cv2.GaussianBlur(small, (0, 0), 0.8).astype(np.float64)


def chroma(image: Pixels, size: tuple[int, int]) -> Cells:
    """Return the chroma of coarse cells, (height, width, 2), up to 128 from gray."""
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    both = cv2.cvtColor(small, cv2.COLOR_BGR2YCrCb)[:, :, 1:].astype(np.float32) - 128
    return cv2.GaussianBlur(both, (0, 0), 0.8).astype(np.float64)


def turned(x: Cells, y: Cells, vivid: float = VIVID, same: float = SAME_HUE) -> Mask:
    """Return the cells that have a hue in both images, and not the same one."""
    lengths = np.linalg.norm(x, axis=1) * np.linalg.norm(y, axis=1)
    turned: Mask = (lengths > vivid**2) & ((x * y).sum(axis=1) < same * lengths)
    return turned
