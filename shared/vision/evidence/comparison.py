"""Compare two images in one place, under the change of tone that leaves least of their differences."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from shared.vision.evidence.differences import Agreement, Region, agreement, correlation, regions, window_variance
from shared.vision.evidence.pages import is_page
from shared.vision.evidence.registration import Overlap, overlap, refine_bend
from shared.vision.evidence.shading import shaded
from shared.vision.evidence.sharpness import Blurred, match_lighting, match_sharpness
from shared.vision.evidence.tone import curved, gray, is_same_tone, tones
from shared.vision.keypoints import Transform
from shared.vision.pixels import Pixels

LEAST_OVERLAP: Final = 600
"""Least number of pixels, on the grid of the coarser image, that both show."""
LEAST_DRAWN: Final = 200
"""Least number of pixels with detail; with fewer, agreement means nothing."""
EXACT, EXACTLY_ALIKE = 0.98, 0.95
"""Least share of the detail that agrees, and its least correlation, where neither a bend nor another change of tone is
tried."""
VARIANT: Final = 0.35
"""Least share of the detail that agrees in variants; unrelated images agree on less by chance."""


@dataclass(frozen=True, slots=True)
class Compared:
    """Two images in one place.

    Attributes:
        over: both on one grid.
        found: how they agree under the change of tone that leaves least.
        parts: the regions that then differ, the largest first.
    """

    over: Overlap
    found: Agreement
    parts: Sequence[Region]


def compared_under(transform: Transform, a: Pixels, b: Pixels, *, is_clear: bool) -> Compared | None:
    """Compare two images under a transform from the first one's pixels to the second's.

    Args:
        is_clear: whether so many keypoints agree on the transform that it may be exact.

    Returns:
        None if they have too little in common.
    """
    over = overlap(a, b, transform)
    if np.count_nonzero(over.valid) < LEAST_OVERLAP:
        return None
    seen = (_as_placed(over) if is_clear else None) or _in_best_tone(over)
    return seen if np.count_nonzero(seen.found.drawn) >= LEAST_DRAWN else None


def compared_exactly(transform: Transform, a: Pixels, b: Pixels) -> Compared | None:
    """Compare two images that only compression and scale may have changed; return None if anything else differs.

    No keypoint has to agree on the transform, and neither tone nor lighting is fitted.
    """
    over = overlap(a, b, transform)
    levels, others = gray(over.moved), gray(over.fixed)
    if np.count_nonzero(over.valid) < LEAST_OVERLAP or correlation(levels, others, over.valid) < EXACTLY_ALIKE:
        return None
    if not is_same_tone(levels, others, over.valid):
        return None
    levels, others = match_sharpness(levels, Blurred(others), over.valid)
    found = agreement(levels, others, window_variance(others), over.valid, np.ones_like(others))
    return _without_difference(over, found) if np.count_nonzero(found.drawn) >= LEAST_DRAWN else None


def _as_placed(over: Overlap) -> Compared | None:
    """Compare under the first change of tone, and without a bend; return None if that leaves a difference."""
    tone = next(tones(over.moved, over.fixed, over.valid))
    a, b = match_sharpness(tone.a, Blurred(tone.b), over.valid)
    lit = match_lighting(a, b, over.valid)
    return _without_difference(over, agreement(lit, b, window_variance(b), over.valid, tone.gain))


def _without_difference(over: Overlap, found: Agreement) -> Compared | None:
    if found.agreeing < EXACT or found.correlation(found.drawn) < EXACTLY_ALIKE or any(True for _ in regions(found)):
        return None
    return Compared(over, found, [])


def _in_best_tone(over: Overlap) -> Compared:
    """Compare under one change of tone after another, until one leaves no difference; return the best."""
    fixed = gray(over.fixed)
    over = refine_bend(over, curved(gray(over.moved), fixed, over.valid), fixed)
    best, least = None, float("inf")
    other: Blurred | None = None
    for tone in tones(over.moved, over.fixed, over.valid):
        if other is None or other.plane is not tone.b:
            other = Blurred(tone.b)
        a, b = match_sharpness(tone.a, other, over.valid)
        variance = window_variance(b)
        for levels in (match_lighting(a, b, over.valid), a):
            found = agreement(levels, b, variance, over.valid, tone.gain)
            parts, left = [], 0
            for part in regions(found):
                parts.append(part)
                left += part.area
                if left >= least:
                    break
            else:
                best, least = Compared(over, found, parts), left
            if not left:
                return Compared(over, found, parts)
        if best is None or best.found.agreeing < VARIANT:
            break
    assert best is not None  # noqa: S101 - there is at least one hypothesis
    return _in_best_shading(best) or best


def _in_best_shading(seen: Compared) -> Compared | None:
    """Compare photographs with shading fitted together with their tone; return None if that leaves a difference."""
    over = seen.over
    if seen.found.agreeing < VARIANT or is_page(seen.found):
        return None
    for tone in shaded(over.moved, over.fixed, over.valid):
        a, b = match_sharpness(tone.a, Blurred(tone.b), over.valid)
        found = agreement(match_lighting(a, b, over.valid), b, window_variance(b), over.valid, tone.gain)
        if not any(True for _ in regions(found)):
            return Compared(over, found, [])
    return None
