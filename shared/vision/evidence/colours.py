"""Whether parts of an image have another colour, where their gray levels may be the same.

A change of hue of the whole image is one change of tone, if several hues take part in it. Where a single one does, a
thing of one colour has got another one.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from shared.vision.evidence.registration import Mask, quadratic, robust_fit
from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels

SIDE: Final = 128
"""Pixels: colour is compared in coarse cells, as JPEG keeps it."""
LEAST: Final = 22.0
"""Of 255: how far a cell's chroma must lie from what it is expected to be; photographs saved twice stay under 10."""
LEAST_SHARE: Final = 0.004
"""Of all cells, of a part that has another colour."""
VIVID: Final = 14.0
"""Chroma from which a cell has a hue."""
HUES: Final = 12
SEVERAL: Final = 2
MOST: Final = 0.75
SAME_HUE: Final = 0.82
"""Cosine of 35 degrees."""
STRONG, SAME_STRONG = 40.0, 0.97
"""Of colours as strong as this a turn by 14 degrees is seen, where no channel is clipped."""
UNCLIPPED: Final = 0.97
LEAST_HUE: Final = 0.03
"""Of all cells that have a hue, those that another hue must have to count as one."""

Cells = npt.NDArray[np.float64]


def recoloured(moved: Pixels, fixed: Pixels, valid: Mask) -> Mask:
    """Where the images' colours differ, of the images' shape; all False where one change explains them."""
    height, width = valid.shape
    scale = min(1.0, SIDE / max(height, width))
    size = (max(2, round(width * scale)), max(2, round(height * scale)))
    nothing = np.zeros((height, width), bool)
    kept = cv2.resize(valid.astype(np.uint8) * 255, size, interpolation=cv2.INTER_AREA) > 250  # noqa: PLR2004
    if kept.sum() < 30:  # noqa: PLR2004
        return nothing
    x, y = _chroma(moved, size)[kept], _chroma(fixed, size)[kept]
    # What has lost its colour cannot be mapped back: one direction is enough.
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
    """Whether all of several hues have changed, or gone: then a program has changed them."""
    size = (SIDE // 2, SIDE // 2)
    x, y = (_chroma(image, size).reshape(-1, 2) for image in (moved, fixed))
    vivid = np.maximum(np.linalg.norm(x, axis=1), np.linalg.norm(y, axis=1)) > VIVID
    changed = (_turned(x, y) | (np.minimum(*(np.linalg.norm(each, axis=1) for each in (x, y))) < VIVID / 2))[vivid]
    return len(changed) > 0 and changed.mean() > MOST and max(hues(moved), hues(fixed)) >= SEVERAL


def hues(image: Pixels) -> int:
    """How many clearly different hues there are."""
    cells = _chroma(image, (SIDE // 2, SIDE // 2)).reshape(-1, 2)
    vivid = cells[np.linalg.norm(cells, axis=1) > VIVID]
    if len(vivid) < LEAST_SHARE * len(cells):
        return 0
    turns = np.arctan2(vivid[:, 1], vivid[:, 0]) / (2 * np.pi) % 1
    counts = np.bincount((turns * HUES).astype(int) % HUES, minlength=HUES) / len(vivid)
    there = np.roll(counts > LEAST_HUE, -int(np.argmin(counts)))
    found = last = 0
    for place in np.flatnonzero(there).tolist():
        # Neighbouring twelfths are one hue.
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
    """The chroma that a quadratic map of the colours, the one that most of `y` follows, gives each."""
    terms = quadratic(colours)
    columns = [robust_fit(terms, y[:, axis], np.ones(len(y)), 2) for axis in (0, 1)]
    return terms @ np.stack(columns, axis=1)


def _turned(x: Cells, y: Cells, vivid: float = VIVID, same: float = SAME_HUE) -> Mask:
    """The cells that have a hue in both and not the same one."""
    lengths = np.linalg.norm(x, axis=1) * np.linalg.norm(y, axis=1)
    turned: Mask = (lengths > vivid**2) & ((x * y).sum(axis=1) < same * lengths)
    return turned


def _part(seen: Mask, kept: Mask) -> Mask | None:
    """The cells that are far off, if enough of them hang together."""
    far = np.zeros(kept.shape, bool)
    far[kept] = seen
    far = cv2.morphologyEx(far.astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8)) > 0
    count, labels, stats, _ = cv2.connectedComponentsWithStats(far.astype(np.uint8))
    large = [place for place in range(1, count) if stats[place, cv2.CC_STAT_AREA] >= max(6, LEAST_SHARE * kept.sum())]
    return np.isin(labels, large) if large else None
