"""The power spectrum of an image, in frequencies that do not depend on its size."""

from typing import Final

import numpy as np

from shared.domain.quality import BAND, FIRST_BAND
from shared.vision.quality.lines import Lines

LAST_BAND: Final = 13.0
"""Base-2 logarithm of the highest frequency: half of the longest side that is accepted."""
_EDGES: Final = 2.0 ** np.arange(FIRST_BAND, LAST_BAND + BAND / 2, BAND)
_FLOOR: Final = 1e-7


def spectrum(lines: Lines) -> tuple[float, ...]:
    """Return the power in dB in each quarter octave of cycles per longer side, up to the Nyquist frequency.

    The spectrum is that of lines, windowed with Hann's window, averaged over rows and columns. It is normalised so that
    an image and its reduced or enlarged copy agree where both have detail.
    """
    longest = lines.longest
    count = int(np.searchsorted(_EDGES[1:], longest / 2 * 1.01, side="right"))
    total, known = np.zeros(count), np.zeros(count)
    for sampled in lines.both:
        length = sampled.shape[1]
        window = np.hanning(length).astype(np.float32)
        values = sampled - sampled.mean(axis=1, keepdims=True, dtype=np.float32)
        power = (np.abs(np.fft.rfft(values * window)) ** 2).mean(axis=0) / window.sum(dtype=np.float64) ** 2
        band = np.digitize(np.arange(len(power)) * longest / length, _EDGES) - 1
        inside = (band >= 0) & (band < count)
        sums = np.bincount(band[inside], power[inside], count)
        members = np.bincount(band[inside], minlength=count)
        there = members > 0
        total[there] += sums[there] / members[there] * length / longest
        known[there] += 1
    mean = np.divide(total, known, out=np.zeros(count), where=known > 0)
    return tuple(round(float(value), 1) for value in 10 * np.log10(mean + _FLOOR))
