"""Which of two copies of one image is better, and why."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from shared.domain.quality import COARSER, LEAST_STEP, Quality

if TYPE_CHECKING:
    from shared.domain.images import ImageRecord

TOP: Final = 8
"""Bands, two octaves, below the lower of two Nyquist frequencies, in which copies are compared."""
LOST: Final = 13.0
"""dB of the four highest bands above which detail is missing, not smoothed: sharpening reaches 12."""
ROLL_OFF, STEEPER, FLAT, REPEATED = 2.0, 0.5, 2.5, 0.15
"""A copy was reduced if it has at least `ROLL_OFF` dB less than the larger one in its highest bands, `STEEPER` dB less
than in the bands below, and those at most `FLAT` dB less: enlarging does not do that to the larger one, unless at least
`REPEATED` of its lines are repeated. It was so in 90 of 91 pairs."""
LOW: Final = 9
OTHER_FRAME: Final = 1.0
"""Mean size in dB of the second difference of the gain over the `LOW` lowest bands, from which on two images do not
show the same frame: sharpening and smoothing change them evenly."""
SAME_DETAIL: Final = 0.3
SAME_NOISE: Final = 1.5
"""dB in the highest bands, and of noise, up to which two copies have the same detail."""
FINER: Final = 1.08
"""The same where both steps are known well, because they are not small."""
FRAME_DETAIL: Final = 1.0
"""dB in the highest bands from which on one of two images with different frames has more detail."""
ARTEFACT_STEP, ARTEFACT_DETAIL, ARTEFACT_NOISE = 3.5, 2.0, 2.5
"""Step from which on the errors of compression look like detail, and the dB of detail and of noise up to which."""
WHOLE, PART = 0.97, 0.93
"""One image is a part of another if the other shows more than `WHOLE` of it, and it less than `PART` of the other."""
FEWER: Final = 0.97
"""Ratio of the longer sides, or of the pixels, below which one copy is smaller."""


class Reason(StrEnum):
    """Why one copy is better than another."""

    RAW = "raw"
    CAMERA = "camera"
    DETAIL = "detail"
    SHARPENED = "sharpened"
    SMOOTHED = "smoothed"
    COMPRESSED = "compressed"
    SAVED_AGAIN = "saved_again"
    CROPPED = "cropped"
    LARGER = "larger"
    OLDER = "older"
    CHOSEN = "chosen"


SENTENCES: Final = {
    Reason.RAW: "It is the camera's raw file.",
    Reason.CAMERA: "It has the camera's own metadata, and the other copy does not.",
    Reason.DETAIL: "It has more real detail: the other copy was reduced, enlarged or blurred.",
    Reason.SHARPENED: "The other copy was sharpened, and its edges have halos.",
    Reason.SMOOTHED: "It has fine detail that the other copy has lost.",
    Reason.COMPRESSED: "It is less compressed.",
    Reason.SAVED_AGAIN: "The other copy was saved again after stronger compression.",
    Reason.CROPPED: "It shows more of the scene.",
    Reason.LARGER: "It is larger; the quality of at least one copy has not been measured.",
    Reason.OLDER: "The copies are equally good, and it was stored first.",
    Reason.CHOSEN: "It was chosen by hand.",
}


@dataclass(frozen=True, slots=True)
class Preference:
    """The better of two images; `first` says whether it is the first of them."""

    first: bool
    reason: Reason


@dataclass(frozen=True, slots=True)
class _Regression:
    """A logistic regression; `bench/training/fit_quality.py` fitted it."""

    intercept: float
    weights: Sequence[float]

    def holds(self, signals: Sequence[float]) -> bool:
        return self.intercept + sum(w * x for w, x in zip(self.weights, signals, strict=True)) > 0


REAL: Final = _Regression(2.763, (0.428, -0.588, 0.313, 0.151, -12.236))
"""Whether the detail of the larger of two copies is real, and not made up by an enlargement. The weights are those of
its gain in dB in the highest two and in the four bands below of those that both have, of the dB by which its further
bands exceed the trend below them, and the third highest common band, and of its repeated lines. It was right in 865 of
951 pairs."""

SHARPENED: Final = _Regression(-2.154, (0.822, 0.022, 7.584, 1.736, 4.632, -0.312, 0.217))
"""Whether the copy with more fine detail was sharpened, rather than the other one smoothed. The weights are those of
the gain in dB in the lowest and in the highest two of the `TOP` bands, the gain in clipped edges, the halos of the
smoother and of the sharper copy, the gain in noise in dB, and the slope in dB of the smoother copy over these bands. It
was right in 453 of 480 pairs."""


def prefer(a: "ImageRecord", b: "ImageRecord", overlap: tuple[float, float] | None = None) -> Preference:
    """Return which of two near-duplicates to keep, by evidence of quality and not of size.

    Args:
        overlap: shares of `a` and of `b` that the other one shows, if they were compared.
    """
    if a.chosen != b.chosen:
        return Preference(a.chosen > b.chosen, Reason.CHOSEN)
    if (a.raw, a.intact) != (b.raw, b.intact):
        return Preference((a.raw, a.intact) > (b.raw, b.intact), Reason.RAW if a.raw != b.raw else Reason.CROPPED)
    one, other = a.quality, b.quality
    if one is None or other is None:
        return _by_size(a, b)
    if one.original != other.original:
        return Preference(one.original, Reason.CAMERA)
    if overlap is not None and max(overlap) > WHOLE and min(overlap) < PART:
        return Preference(overlap[0] < overlap[1], Reason.CROPPED)
    return _by_detail(one, other, _longest(a) / _longest(b)) or _by_compression(one, other) or _by_origin(a, b)


def _by_detail(one: Quality, other: Quality, ratio: float) -> Preference | None:
    """Compare what the two resolve; return None if it is the same.

    Args:
        ratio: of their longer sides.
    """
    common = min(len(one.spectrum), len(other.spectrum))
    if common <= TOP + 1:
        return None
    gain = [x - y for x, y in zip(one.spectrum[:common], other.spectrum[:common], strict=True)]
    highest = _mean(gain[-4:])
    if abs(highest) > LOST:
        return Preference(highest > 0, Reason.DETAIL)
    if len(one.spectrum) != len(other.spectrum):
        larger, smaller = (one, other) if len(one.spectrum) > common else (other, one)
        return Preference((larger is one) == _is_real(enlargement_signals(larger, smaller)), Reason.DETAIL)
    if not FEWER < ratio < 1 / FEWER and not _reframed(gain):
        larger_has_more = _mean(gain[-2:]) > 0 if ratio > 1 else _mean(gain[-2:]) < 0
        return Preference((ratio > 1) == larger_has_more, Reason.DETAIL)
    if _mean(gain[-TOP:]) < 0:
        found = _by_fine_detail(other, one, [-value for value in gain])
        return Preference(not found.first, found.reason) if found else None
    return _by_fine_detail(one, other, gain)


def _reframed(gain: Sequence[float]) -> bool:
    bends = [gain[at - 1] - 2 * gain[at] + gain[at + 1] for at in range(1, LOW - 1)]
    return _mean([abs(bend) for bend in bends]) > OTHER_FRAME


def _by_fine_detail(sharper: Quality, smoother: Quality, gain: Sequence[float]) -> Preference | None:
    """Compare copies of one size, of which the first has more fine detail: it is better unless it was sharpened."""
    detail, grain = _mean(gain[-TOP:]), _decibels(sharper.noise, smoother.noise)
    if _reframed(gain):
        return Preference(first=True, reason=Reason.DETAIL) if detail >= FRAME_DETAIL else None
    if grain <= -SAME_NOISE and detail < SAME_DETAIL:
        return Preference(first=False, reason=Reason.SMOOTHED)
    if (detail < SAME_DETAIL or (grain < 0 and detail < ARTEFACT_DETAIL)) and grain < SAME_NOISE:
        return None
    coarser = sharper.worst_step >= max(ARTEFACT_STEP, COARSER * smoother.worst_step)
    if coarser and detail < ARTEFACT_DETAIL and grain < ARTEFACT_NOISE:
        return None
    sharpened = SHARPENED.holds(sharpening_signals(sharper, smoother))
    return Preference(not sharpened, Reason.SHARPENED if sharpened else Reason.SMOOTHED)


def _is_real(signals: Sequence[float]) -> bool:
    """Return whether the detail of the larger of two copies is real; see `enlargement_signals`."""
    highest, middle, *_, replicated = signals
    if highest >= max(ROLL_OFF, middle + STEEPER) and middle < FLAT and replicated < REPEATED:
        return True
    return REAL.holds(signals)


def enlargement_signals(larger: Quality, smaller: Quality) -> Sequence[float]:
    """Return the inputs of `REAL` for copies that differ in size by at least one band."""
    common = len(smaller.spectrum)
    gain = [larger.spectrum[at] - smaller.spectrum[at] for at in range(common - 6, common)]
    trend = larger.spectrum[common - 9 : common - 2]
    beyond = _mean(larger.spectrum[common : common + 4])
    steps = [step + 6 for step in range(len(larger.spectrum[common : common + 4]))]
    expected = _mean(trend) + _slope(trend) * _mean(steps)
    last = larger.spectrum[common - 3]
    return _mean(gain[-2:]), _mean(gain[:4]), beyond - expected, beyond - last, larger.replicated


def sharpening_signals(sharper: Quality, smoother: Quality) -> Sequence[float]:
    """Return the inputs of `SHARPENED` for copies of about one size."""
    common = min(len(sharper.spectrum), len(smoother.spectrum))
    gain = [sharper.spectrum[at] - smoother.spectrum[at] for at in range(common - TOP, common)]
    return (
        _mean(gain[:2]),
        _mean(gain[-2:]),
        sharper.clipped_edges - smoother.clipped_edges,
        smoother.halo,
        sharper.halo,
        _decibels(sharper.noise, smoother.noise),
        smoother.spectrum[-1] - smoother.spectrum[-TOP],
    )


def _by_compression(one: Quality, other: Quality) -> Preference | None:
    steps = max(one.worst_step, 1.0), max(other.worst_step, 1.0)
    if max(steps) / min(steps) >= (COARSER if min(steps) < LEAST_STEP else FINER):
        return Preference(steps[0] < steps[1], Reason.COMPRESSED)
    if one.saved_again != other.saved_again:
        return Preference(other.saved_again, Reason.SAVED_AGAIN)
    return None


def _by_origin(a: "ImageRecord", b: "ImageRecord") -> Preference:
    camera = [record.quality is not None and record.quality.camera for record in (a, b)]
    if camera[0] != camera[1]:
        return Preference(camera[0], Reason.CAMERA)
    pixels = a.width * a.height, b.width * b.height
    if min(pixels) < FEWER * max(pixels):
        return Preference(pixels[0] > pixels[1], Reason.CROPPED)
    return Preference((a.created_at, a.image_id) <= (b.created_at, b.image_id), Reason.OLDER)


def _by_size(a: "ImageRecord", b: "ImageRecord") -> Preference:
    sizes = [(record.width * record.height, record.sharpness, record.bytes) for record in (a, b)]
    if sizes[0] != sizes[1]:
        return Preference(sizes[0] > sizes[1], Reason.LARGER)
    return Preference((a.created_at, a.image_id) <= (b.created_at, b.image_id), Reason.OLDER)


def _longest(record: "ImageRecord") -> int:
    return max(record.width, record.height)


def _decibels(one: float, other: float) -> float:
    """Return the ratio of two standard deviations in gray levels in dB; 0.2 is the noise of rounding."""
    return 20 * math.log10((one + 0.2) / (other + 0.2))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _slope(values: Sequence[float]) -> float:
    """Return the slope of the least-squares line through values at 0, 1, 2, ..."""
    middle = (len(values) - 1) / 2
    return sum((x - middle) * y for x, y in enumerate(values)) / sum((x - middle) ** 2 for x in range(len(values)))
