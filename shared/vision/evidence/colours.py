"""Find parts of two images that differ in colour, even if their gray levels are the same.

A change of hue throughout an image counts as a change of tone if it affects several hues, or if it leaves one image
with a single one. If it affects a single hue, an object has another colour.
"""

from typing import Final

import numpy as np

from shared.vision.evidence.fitting import quadratic, robust_fit
from shared.vision.evidence.hues import (
    GRAY,
    VIVID,
    Cells,
    cells,
    chroma,
    coarse,
    filtered,
    hues,
    is_flat,
    retinted,
    turned,
)
from shared.vision.evidence.registration import Mask
from shared.vision.evidence.tone import channel_tables
from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels

SIDE: Final = 128
"""Pixels: colour is compared in coarse cells, because JPEG stores it at a lower resolution."""
LEAST: Final = 22.0
"""Least distance of a cell's chroma from the expected one, of 255; photographs saved twice stay below 10."""
LEAST_FLAT: Final = 16.0
"""The same where both images are drawn: a key that lights up dark yellow among dark gray ones is 20 away."""
SAME: Final = 8.0
"""Distance of two chromas up to which they are the same: no hue of `hues.VIVID` turns by `hues.SAME_HUE` within it."""
LEAST_SHARE: Final = 0.004
"""Least share of all cells that a part of another colour must have."""
STRONG, SAME_STRONG = 40.0, 0.97
"""For chroma of at least 40, a change of hue by 14 degrees counts (cosine 0.97), unless a channel is clipped."""
UNCLIPPED: Final = 0.97
SAME_CHROMA, LEAST_KEPT = 7.0, 0.2
"""Maximum distance of the chroma of cells that have kept it, and least share of them among those with a hue."""
LEAST_NEUTRAL: Final = 0.2
SAME_LEVEL: Final = 0.02
"""Least share of neutral cells, and maximum change of four fifths of them, 0 to 1, if there is no change of tone."""
BLEACHED: Final = 0.25
"""Maximum share of its saturation that a thing has left which is coloured in one image and gray in the other."""
OTHER_LEVEL: Final = 0.06
"""Least difference of gray levels, 0 to 1, of such a thing; a photograph made gray keeps its levels."""


def colour_differences(moved: Pixels, fixed: Pixels, valid: Mask) -> Mask:
    """Return where the images' colours differ, in the images' shape; all False if one change of tone explains them."""
    height, width = valid.shape
    scale = min(1.0, SIDE / max(height, width))
    size = (max(2, round(width * scale)), max(2, round(height * scale)))
    kept = cv2.resize(valid.astype(np.uint8) * 255, size, interpolation=cv2.INTER_AREA) > 250  # noqa: PLR2004
    away = None if kept.sum() < 30 else _differing(moved, fixed, valid, kept)  # noqa: PLR2004
    if away is None:
        return np.zeros((height, width), bool)
    found: Mask = cv2.resize(away.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST) > 0
    return found & valid


def _differing(moved: Pixels, fixed: Pixels, valid: Mask, kept: Mask) -> Mask | None:
    """Return the cells that differ: of a colour that nothing maps to the other one, or of another hue."""
    size = kept.shape[::-1]
    x, y = (chroma(image, size)[kept] for image in (moved, fixed))
    if _part(np.linalg.norm(y - x, axis=1) > SAME, kept) is None:
        return None
    colours = [cells(image, size)[kept] for image in (moved, fixed)]
    drawn = is_flat(moved) and is_flat(fixed)
    least = LEAST_FLAT if drawn else LEAST
    there, back = x, y
    untoned = _kept(x, y)
    if not untoned:
        # A lost colour cannot be mapped back, so both directions must disagree.
        away = _part(np.linalg.norm(y - _mapped(colours[0], y), axis=1) > least, kept)
        if away is not None and _part(np.linalg.norm(x - _mapped(colours[1], x), axis=1) > least, kept) is not None:
            return away
        hues_of = coarse(moved), coarse(fixed)
        if retinted(*hues_of) or filtered(*hues_of):
            recoloured = drawn and min(map(hues, hues_of)) > 0
            return _part(np.linalg.norm(x - y, axis=1) > least, kept) if recoloured else None
        if not _same_ground(x, y, *colours):
            there = chroma(_balanced(moved, fixed, valid), size)[kept]
            back = chroma(_balanced(fixed, moved, valid), size)[kept]
    clipped = np.maximum(*(one.max(axis=1) for one in colours)) > UNCLIPPED
    # A white balance can be fitted to any recolouring of two flat colours.
    weak = turned(x, y) if drawn else turned(there, y) & turned(back, x)
    strong = turned(there, y, STRONG, SAME_STRONG) & turned(back, x, STRONG, SAME_STRONG) & ~clipped
    lost = _bleached(x, y, *colours) | _bleached(y, x, *colours[::-1])
    other = untoned & (np.linalg.norm(x - y, axis=1) > least)
    return _part(weak | strong | lost | other, kept)


def _kept(x: Cells, y: Cells) -> bool:
    """Return whether clear colours are the same in both images, so that no other one has changed with the tone."""
    vivid = np.maximum(np.linalg.norm(x, axis=1), np.linalg.norm(y, axis=1)) > VIVID
    same = np.linalg.norm(x - y, axis=1) < SAME_CHROMA
    return bool(vivid.any() and same[vivid].mean() > LEAST_KEPT)


def _same_ground(x: Cells, y: Cells, colours: Cells, others: Cells) -> bool:
    """Return whether what is neutral has kept its colour and level, so that there is no change of tone to allow for."""
    neutral = np.maximum(np.linalg.norm(x, axis=1), np.linalg.norm(y, axis=1)) < VIVID / 2
    away = np.abs(colours - others).max(axis=1)
    return neutral.mean() > LEAST_NEUTRAL and float(np.quantile(away[neutral], 0.8)) < SAME_LEVEL


def _bleached(x: Cells, y: Cells, colours: Cells, others: Cells) -> Mask:
    """Return the cells that have a hue, and neither it nor the gray level in the other image, which is not clipped."""
    levels, other_levels = colours @ np.array(GRAY), others @ np.array(GRAY)
    before, after = (
        np.linalg.norm(one, axis=1) / (255 * np.maximum(of, 0.05)) for one, of in ((x, levels), (y, other_levels))
    )
    vivid = (
        (np.linalg.norm(x, axis=1) > 2 * VIVID) & (after < BLEACHED * before) & (np.linalg.norm(y, axis=1) < VIVID / 2)
    )
    inside = (others.max(axis=1) < UNCLIPPED) & (others.max(axis=1) > 1 - UNCLIPPED)
    bleached: Mask = vivid & inside & (np.abs(levels - other_levels) > OTHER_LEVEL)
    return bleached


def _balanced(moved: Pixels, fixed: Pixels, valid: Mask) -> Pixels:
    """Return the moved image in the exposure and white balance of the fixed one."""
    tables = channel_tables(moved, fixed, valid)
    channels = [table.round().astype(np.uint8)[levels] for table, levels in zip(tables, cv2.split(moved), strict=True)]
    balanced: Pixels = np.dstack(channels)
    return balanced


def _mapped(colours: Cells, y: Cells) -> Cells:
    """Return the chroma that a robust quadratic fit from `colours` to `y` predicts for each cell."""
    terms = quadratic(colours)
    columns = [robust_fit(terms, y[:, axis], np.ones(len(y)), 2) for axis in (0, 1)]
    return terms @ np.stack(columns, axis=1)


def _part(seen: Mask, kept: Mask) -> Mask | None:
    """Return the connected groups of differing cells that are large enough, or None."""
    far = np.zeros(kept.shape, bool)
    far[kept] = seen
    far = cv2.morphologyEx(far.astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8)) > 0
    count, labels, stats, _ = cv2.connectedComponentsWithStats(far.astype(np.uint8))
    large = [place for place in range(1, count) if stats[place, cv2.CC_STAT_AREA] >= max(6, LEAST_SHARE * kept.sum())]
    return np.isin(labels, large) if large else None
