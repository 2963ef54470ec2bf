"""Find parts of two images that differ in colour, even if their gray levels are the same.

A change of hue throughout an image counts as a change of tone if it affects several hues. If it affects a single one,
an object has another colour.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from shared.vision.evidence.registration import Mask, quadratic, robust_fit
from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels

SIDE: Final = 128
"""Pixels: colour is compared in coarse cells, because JPEG stores it at a lower resolution."""
LEAST: Final = 22.0
"""Least distance of a cell's chroma from the expected one, of 255; photographs saved twice stay below 10."""
LEAST_SHARE: Final = 0.004
"""Least share of all cells that a part of another colour must have."""
VIVID: Final = 14.0
"""Least chroma at which a cell has a hue."""
HUES: Final = 12
SEVERAL: Final = 2
MOST: Final = 0.75
SAME_HUE: Final = 0.82
"""Cosine of 35 degrees."""
STRONG, SAME_STRONG = 40.0, 0.97
"""For chroma of at least 40, a change of hue by 14 degrees counts (cosine 0.97), unless a channel is clipped."""
UNCLIPPED: Final = 0.97
LEAST_HUE: Final = 0.03
"""Least share of the cells with a hue that a further hue must have to count."""

Cells = npt.NDArray[np.float64]


def colour_differences(moved: Pixels, fixed: Pixels, valid: Mask) -> Mask:
    """Return where the images' colours differ, in the images' shape; all False if one change of tone explains them."""
    height, width = valid.shape
    scale = min(1.0, SIDE / max(height, width))
    size = (max(2, round(width * scale)), max(2, round(height * scale)))
    nothing = np.zeros((height, width), bool)
    kept = cv2.resize(valid.astype(np.uint8) * 255, size, interpolation=cv2.INTER_AREA) > 250  # noqa: PLR2004
    if kept.sum() < 30:  # noqa: PLR2004
        return nothing
    x, y = _chroma(moved, size)[kept], _chroma(fixed, size)[kept]
    # A lost colour cannot be mapped back, so both directions must disagree.
    away = _part(np.linalg.norm(y - _mapped(_cells(moved, size)[kept], y), axis=1) > LEAST, kept)
    if away is not None:
        back = _part(np.linalg.norm(x - _mapped(_cells(fixed, size)[kept], x), axis=1) > LEAST, kept)
        away = None if back is None else away
    if away is None and not retinted(moved, fixed):
        clipped = np.maximum(*(_cells(image, size)[kept].max(axis=1) for image in (moved, fixed))) > UNCLIPPED
        away = _part(_turned(x, y) | (_turned(x, y, STRONG, SAME_STRONG) & ~clipped), kept)
    if away is None:
        return nothing
    found: Mask = cv2.resize(away.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST) > 0
    return found & valid


def retinted(moved: Pixels, fixed: Pixels) -> bool:
    """Return whether several hues have all changed or disappeared, as a program's colour filter does it."""
    size = (SIDE // 2, SIDE // 2)
    x, y = (_chroma(image, size).reshape(-1, 2) for image in (moved, fixed))
    vivid = np.maximum(np.linalg.norm(x, axis=1), np.linalg.norm(y, axis=1)) > VIVID
    changed = (_turned(x, y) | (np.minimum(*(np.linalg.norm(each, axis=1) for each in (x, y))) < VIVID / 2))[vivid]
    return len(changed) > 0 and changed.mean() > MOST and max(hues(moved), hues(fixed)) >= SEVERAL


def hues(image: Pixels) -> int:
    """Return the number of clearly different hues."""
    cells = _chroma(image, (SIDE // 2, SIDE // 2)).reshape(-1, 2)
    vivid = cells[np.linalg.norm(cells, axis=1) > VIVID]
    if len(vivid) < LEAST_SHARE * len(cells):
        return 0
    turns = np.arctan2(vivid[:, 1], vivid[:, 0]) / (2 * np.pi) % 1
    counts = np.bincount((turns * HUES).astype(int) % HUES, minlength=HUES) / len(vivid)
    there = np.roll(counts > LEAST_HUE, -int(np.argmin(counts)))
    found = last = 0
    for place in np.flatnonzero(there).tolist():
        # Neighbouring twelfths of the colour circle are one hue.
        if not found or place - last > 1:
            found, last = found + 1, place
    return found


def _cells(image: Pixels, size: tuple[int, int]) -> Cells:
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    return cv2.GaussianBlur(small, (0, 0), 0.8).astype(np.float64)


def _chroma(image: Pixels, size: tuple[int, int]) -> Cells:
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    chroma = cv2.cvtColor(small, cv2.COLOR_BGR2YCrCb)[:, :, 1:].astype(np.float32) - 128
    return cv2.GaussianBlur(chroma, (0, 0), 0.8).astype(np.float64)


def _mapped(colours: Cells, y: Cells) -> Cells:
    """Return the chroma that a robust quadratic fit from `colours` to `y` predicts for each cell."""
    terms = quadratic(colours)
    columns = [robust_fit(terms, y[:, axis], np.ones(len(y)), 2) for axis in (0, 1)]
    return terms @ np.stack(columns, axis=1)


def _turned(x: Cells, y: Cells, vivid: float = VIVID, same: float = SAME_HUE) -> Mask:
    """Return the cells that have a hue in both images, and not the same one."""
    lengths = np.linalg.norm(x, axis=1) * np.linalg.norm(y, axis=1)
    turned: Mask = (lengths > vivid**2) & ((x * y).sum(axis=1) < same * lengths)
    return turned


def _part(seen: Mask, kept: Mask) -> Mask | None:
    """Return the connected groups of differing cells that are large enough, or None."""
    far = np.zeros(kept.shape, bool)
    far[kept] = seen
    far = cv2.morphologyEx(far.astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8)) > 0
    count, labels, stats, _ = cv2.connectedComponentsWithStats(far.astype(np.uint8))
    large = [place for place in range(1, count) if stats[place, cv2.CC_STAT_AREA] >= max(6, LEAST_SHARE * kept.sum())]
    return np.isin(labels, large) if large else None
