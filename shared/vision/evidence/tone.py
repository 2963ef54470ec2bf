"""Bring two images to the same brightness and colour, by robust fits over most of their pixels."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from shared.vision.evidence.fitting import quadratic, robust_fit
from shared.vision.evidence.hues import GRAY, coarse, filtered, monochrome, retinted
from shared.vision.evidence.registration import Mask, Plane
from shared.vision.opencv import cv2
from shared.vision.order_statistics import upper_median
from shared.vision.pixels import Pixels

SAMPLES: Final = 8000
SOFT: Final = 2.0
"""Pixels: sigma of the blur before tone is compared, so that slightly displaced edges do not count."""
LEVELS: Final = 32
ALL_LEVELS: Final = np.arange(256, dtype=np.float32)
FREE: Final = 28.0
"""Maximum distance of the curve from a smooth one, in gray levels: programs change tone smoothly."""
STEADY: Final = 0.15
"""Least range of levels, as a share of all, from which a slope is extrapolated."""
ALIKE: Final = 15
"""Pixels: side of the window in which structure is compared."""
CAST: Final = 24.0
"""Maximum distance in levels of a channel's curve from the middle one, at any level."""
SLOPES: Final = tuple(2 ** (step / 4) for step in range(-6, 7))
PIVOTS: Final = (0.0, 64.0, 128.0, 192.0)
"""Slopes, and levels that do not change, from which the search for a linear change starts."""
MOST_AWAY: Final = 24.0
"""Difference in levels beyond which a pixel counts no more: it may show something else."""
LEAST_FITTED: Final = 0.01
"""Least share of the overlap that is not clipped, to which a channel's curve is fitted."""
MOST_GAIN: Final = 6.0
DARKEST, BRIGHTEST = 5, 250
"""Gray levels at and beyond which an image may be clipped."""
UNCHANGED, MOST_OF_LEVEL, UNCHANGED_SHARE = 3.0, 0.6, 0.7
"""Maximum difference in blurred gray levels of six tenths of a level's pixels, and least share of such levels, if the
tone has not changed: compression leaves 1 to 2."""


def gray(bgr: Pixels) -> Plane:
    levels: Plane = cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY).astype(np.float32)
    return levels


@dataclass(frozen=True, slots=True)
class Toned:
    """The gray levels of two images in one tone.

    Attributes:
        a, b: of the first and the second image. Where one of them is clipped, it has the level nearest to the other's
            that it may have had.
        gain: factor by which the curve amplifies differences, relative to the median; at least 1.
    """

    a: Plane
    b: Plane
    gain: Plane


def tones(moved: Pixels, fixed: Pixels, valid: Mask) -> Iterator[Toned]:
    """Yield both images in one tone, under one hypothesis after another.

    No change where most levels are the same. Otherwise a curve of the gray levels; a curve of each channel, as exposure
    and white balance change them; one linear change of all channels, which brightness and contrast are until they clip;
    and, if a colour filter has been used, a mixture.
    """
    levels, others = gray(moved), gray(fixed)
    if is_same_tone(levels, others, valid):
        # A fit could only follow what differs.
        yield Toned(levels, others, np.ones_like(levels))
        return
    yield _by_gray(levels, others, valid)
    yield by_tables(moved, others, valid, channel_tables(moved, fixed, valid))
    yield by_tables(moved, others, valid, _linear_tables(moved, fixed, valid))
    hues_of = coarse(moved), coarse(fixed)
    by_filter = filtered(*hues_of)
    if by_filter and monochrome(hues_of[0]):
        # The filtered image does not have the colours of which its levels are a mixture.
        toned = _by_gray(_mixed(fixed, levels, valid), levels, valid)
        yield Toned(toned.b, toned.a, toned.gain)
    elif by_filter or retinted(*hues_of):
        yield _by_gray(_mixed(moved, others, valid), others, valid)


def is_same_tone(levels: Plane, fixed: Plane, valid: Mask) -> bool:
    """Return whether the tone has not changed, so that what differs is content."""
    at = _sampled(valid)
    kept = valid[at]
    x, y = (cv2.GaussianBlur(one, (0, 0), SOFT)[at][kept] for one in (levels, fixed))
    unchanged = np.abs(x - y) < UNCHANGED
    # Of an image that something dark is laid over, all levels have changed in the same part.
    return any(_share_of_levels(one, unchanged) > UNCHANGED_SHARE for one in (x, y))


def _share_of_levels(levels: npt.NDArray[np.floating | np.integer], unchanged: Mask) -> float:
    """Return the share of the levels of which most pixels are unchanged, those of many pixels counting little more.

    The ground of a page stays white when it is brightened, but its ink does not stay black.
    """
    bins = (np.maximum(levels, 0) / (256 / LEVELS)).astype(np.intp)
    counts = np.bincount(bins, minlength=LEVELS)
    kept = np.bincount(bins[unchanged], minlength=LEVELS)
    weights = np.sqrt(counts)
    return float(weights[kept > MOST_OF_LEVEL * counts].sum() / weights.sum())


def _by_gray(levels: Plane, fixed: Plane, valid: Mask) -> Toned:
    curve = curve_between(levels, fixed, valid)
    table = curve(ALL_LEVELS)
    whole = np.clip(levels, 0, 255).astype(np.uint8)
    toned = _through(curve, levels)
    low, high = toned.copy(), toned.copy()
    darkest, brightest = whole <= DARKEST, whole >= BRIGHTEST
    if table[-1] < table[0]:
        darkest, brightest = brightest, darkest
    low[darkest], high[brightest] = 0, 255
    return Toned(np.clip(fixed, low, high), fixed, _gain(table, whole, valid))


def _gain(table: Plane, whole: Pixels, valid: Mask) -> Plane:
    slope = cv2.GaussianBlur(np.gradient(table)[np.newaxis].astype(np.float32), (0, 0), 3)[0]
    steep = np.abs(slope)
    order = np.argsort(steep)
    ends = np.bincount(whole[valid], minlength=256)[order].cumsum()
    middle = np.searchsorted(ends, ((ends[-1] - 1) // 2, ends[-1] // 2), "right")
    usual = max(0.2, float(steep[order[middle]].mean()))
    return _looked_up(np.clip(steep / usual, 1, MOST_GAIN).astype(np.float32), whole)


def _looked_up(table: Plane, levels: Pixels) -> Plane:
    return cv2.LUT(levels, table)  # type: ignore[return-value]


def _through(curve: Callable[[Plane], Plane], levels: Plane) -> Plane:
    """Return the levels that a curve takes others to: by a table if all of them are whole."""
    whole = np.clip(levels, 0, 255).astype(np.uint8)
    return _looked_up(curve(ALL_LEVELS), whole) if np.array_equal(whole, levels) else curve(levels)


def by_tables(moved: Pixels, fixed: Plane, valid: Mask, tables: Sequence[Plane], shading: Plane | float = 1.0) -> Toned:
    """Bring an image to the tone of another one by a curve of each channel, at 256 levels, and by a factor."""
    low, high = np.zeros(valid.shape, np.float32), np.zeros(valid.shape, np.float32)
    for share, table, levels in zip(GRAY, tables, cv2.split(moved), strict=True):
        floor, ceiling = table.copy(), table.copy()
        floor[: DARKEST + 1], ceiling[BRIGHTEST:] = 0, 255
        whole = levels.astype(np.uint8, copy=False)
        low += _looked_up(share * floor, whole)
        high += _looked_up(share * ceiling, whole)
    whole = cv2.cvtColor(moved, cv2.COLOR_BGR2GRAY).astype(np.uint8)
    usual = np.asarray(sum(share * table for share, table in zip(GRAY, tables, strict=True)), np.float32)
    return Toned(np.clip(fixed, low * shading, high * shading), fixed, _gain(usual, whole, valid))


def channel_tables(moved: Pixels, fixed: Pixels, valid: Mask) -> list[Plane]:
    """Return the curves of blue, green and red that take most of the moved image to the fixed one, at 256 levels.

    They are fitted where neither image is clipped, and stay within `CAST` of each other: one object of another colour
    must not pass for a white balance.
    """
    tables = []
    for x, y in zip(cv2.split(moved), cv2.split(fixed), strict=True):
        clipped = (np.minimum(x, y) <= DARKEST) | (np.maximum(x, y) >= BRIGHTEST)
        # The curve is fitted to blurred levels, which clipped ones nearby would change.
        inside = valid & ~(cv2.dilate(clipped.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0)
        fitted = inside if inside.sum() > LEAST_FITTED * valid.sum() else valid
        tables.append(curve_between(x.astype(np.float32), y.astype(np.float32), fitted)(ALL_LEVELS))
    middle = np.median(tables, axis=0)
    return [np.clip(table, middle - CAST, middle + CAST).astype(np.float32) for table in tables]


def _linear_tables(moved: Pixels, fixed: Pixels, valid: Mask) -> list[Plane]:
    """Return the linear change of all channels, clipped to 0..255, that takes most of the moved image to the fixed one.

    Pages, charts and screens have too few unclipped levels for a curve.
    """
    at = _sampled(valid)
    kept = valid[at]
    x, y = (image[at][kept].astype(np.intp).ravel() for image in (moved, fixed))
    pairs = np.bincount(x * 256 + y, minlength=256 * 256).reshape(256, 256)
    # The commonest level is often a page's ground, which says little.
    counts = pairs.reshape(32, -1).sum(axis=1)
    x, y = np.nonzero(pairs)
    weight = (pairs[x, y] / np.sqrt(counts[x // 8])).astype(np.float32)
    x, y = x.astype(np.float32), y.astype(np.float32)
    least = np.where(x >= BRIGHTEST, np.float32(0), np.float32(-256))
    most = np.where(x <= DARKEST, np.float32(0), np.float32(256))
    away = np.empty_like(x)

    def cost(slope: float, offset: float) -> float:
        np.multiply(x, np.float32(slope), out=away)
        np.add(away, np.float32(offset), out=away)
        np.minimum(np.maximum(away, np.float32(0), out=away), np.float32(255), out=away)
        np.subtract(away, y, out=away)
        np.minimum(np.maximum(away, least, out=away), most, out=away)
        np.abs(away, out=away)
        np.minimum(away, np.float32(MOST_AWAY), out=away)
        np.multiply(weight, away, out=away)
        return float(away.sum())

    best = min((cost(slope, (1 - slope) * pivot), slope, (1 - slope) * pivot) for slope in SLOPES for pivot in PIVOTS)
    for step in (0.04, 0.01):
        _, slope, offset = best
        near = (((1 + i * step) * slope, offset + 100 * j * step) for i in range(-3, 4) for j in range(-3, 4))
        best = min(best, *((cost(*one), *one) for one in near))
    table = np.clip(best[1] * ALL_LEVELS + np.float32(best[2]), 0, 255).astype(np.float32)
    return [table] * 3


def _sampled(valid: Mask) -> tuple[slice, slice]:
    step = max(1, int((valid.sum() / SAMPLES) ** 0.5))
    return slice(None, None, step), slice(None, None, step)


def curved(levels: Plane, fixed: Plane, valid: Mask) -> Plane:
    """Map `levels` by the monotonic curve that takes most of them to `fixed`."""
    return _through(curve_between(levels, fixed, valid), levels)


def curve_between(levels: Plane, fixed: Plane, valid: Mask) -> Callable[[Plane], Plane]:
    """Return the monotonic curve that takes most of `levels` to `fixed`."""
    at = _sampled(valid)
    kept = valid[at]
    x = cv2.GaussianBlur(levels, (0, 0), SOFT)[at][kept].astype(np.float64) / 255
    y = cv2.GaussianBlur(fixed, (0, 0), SOFT)[at][kept].astype(np.float64)
    trust = _alike(levels, fixed, at, kept)
    smooth = robust_fit(np.stack([np.ones_like(x), x, x * x], axis=1), y, trust, 2)
    expected = smooth[0] + smooth[1] * x + smooth[2] * x * x
    away = np.abs(y - expected)
    near = np.flatnonzero(away < 3 * (1.5 * upper_median(away) + 2) + 12)
    bins = np.minimum((x[near] * LEVELS).astype(np.intp), LEVELS - 1)
    ends = np.bincount(bins, minlength=LEVELS).cumsum()
    levels_of = np.split(near[np.argsort(bins, kind="stable")], ends[:-1])
    points = [
        (upper_median(x[chosen]), upper_median(y[chosen]), upper_median(expected[chosen]), len(chosen))
        for chosen in levels_of
        if len(chosen) > max(8, len(x) // 2000)
    ]
    if len(points) < 2:  # noqa: PLR2004 - no curve through one point
        c = smooth.astype(np.float32)
        return lambda z: np.asarray(np.clip(c[0] + c[1] * z / 255 + c[2] * (z / 255) ** 2, 0, 255), np.float32)
    xs, ys, around, counts = np.array(points).T
    ys = np.clip(ys, around - FREE, around + FREE)
    rising = float(np.sum(counts * (xs - np.average(xs, weights=counts)) * (ys - np.average(ys, weights=counts)))) >= 0
    ys = _isotonic(ys if rising else -ys, counts) * (1 if rising else -1)
    # Fine strokes lose their darkest levels in the blur, so the curve is extrapolated with its overall slope.
    slope = (ys[-1] - ys[0]) / (xs[-1] - xs[0]) if xs[-1] - xs[0] > STEADY else 255.0 if rising else -255.0
    xs = np.array([0.0, *xs, 1.0])
    ys = np.array([ys[0] - slope * xs[1], *ys, ys[-1] + slope * (1 - xs[-2])])
    return lambda z: np.asarray(np.clip(np.interp(z / 255, xs, ys), 0, 255), np.float32)


def _alike(a: Plane, b: Plane, at: tuple[slice, slice], kept: Mask) -> npt.NDArray[np.float64]:
    """Return the weight of the pixels `kept` of a sample for fitting tone.

    It is high where both show the same structure, even if inverted.
    """

    def around(plane: Plane) -> Plane:
        return cv2.boxFilter(plane, cv2.CV_32F, (ALIKE, ALIKE))[at][kept]  # type: ignore[return-value]

    x, y = around(a), around(b)
    both = around(a * b) - x * y
    own = [np.maximum(around(one * one) - m * m, 0) for one, m in ((a, x), (b, y))]
    found: npt.NDArray[np.float64] = (both * both / ((own[0] + 9) * (own[1] + 9))).astype(np.float64) ** 2 + 0.03
    return found


def _isotonic(values: npt.NDArray[np.float64], weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the nearest non-decreasing sequence, by the pool-adjacent-violators algorithm."""
    blocks: list[tuple[float, float, int]] = []
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        blocks.append((value, weight, 1))
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (v, w, n), (v2, w2, n2) = blocks.pop(), blocks.pop()
            blocks.append(((v * w + v2 * w2) / (w + w2), w + w2, n + n2))
    return np.concatenate([np.full(count, value) for value, _, count in blocks])


def _mixed(moved: Pixels, fixed: Plane, valid: Mask) -> Plane:
    """Return the quadratic mixture of the moved image's colours that fits most of `fixed` best."""
    at = _sampled(valid)
    kept = valid[at]
    soft = cv2.GaussianBlur(moved, (0, 0), SOFT)[at][kept].astype(np.float64) / 255
    y = cv2.GaussianBlur(fixed, (0, 0), SOFT)[at][kept].astype(np.float64)
    trust = _alike(gray(moved), fixed, at, kept)
    c = robust_fit(quadratic(soft), y, trust, 1).astype(np.float32)
    b, g, r = (moved[:, :, channel].astype(np.float32) / 255 for channel in range(3))
    mixed = (
        c[0] + b * (c[1] + c[4] * b + c[7] * g + c[8] * r) + g * (c[2] + c[5] * g + c[9] * r) + r * (c[3] + c[6] * r)
    )
    return np.asarray(np.clip(mixed, 0, 255), np.float32)
