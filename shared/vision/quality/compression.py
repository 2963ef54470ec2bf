"""The quantisation that the pixels of an image went through, whatever its file says."""

from typing import Final

import numpy as np

from shared.vision.quality.lines import BLOCK, Lines

LOW: Final = ((0, 1), (1, 0), (2, 0), (1, 1), (0, 2), (0, 3), (1, 2), (2, 1), (3, 0))
"""Rows and columns of the lowest frequencies of a block, in the zigzag order of JPEG, without the first."""
STEPS: Final = np.arange(3, 61)
"""Quantisation steps that are looked for; the rounding of pixels hides smaller ones."""
AGREEMENT: Final = 0.5
"""Least mean of cos(2 pi c / step) over the coefficients c from which on they are multiples of a step."""
LEAST_COEFFICIENTS: Final = 30
LEAST_FREQUENCIES: Final = 4
"""Frequencies, of those in `LOW`, that must show a step."""

_K, _N = np.mgrid[0:BLOCK, 0:BLOCK]
_DCT: Final = np.where(_K == 0, np.sqrt(1 / BLOCK), np.sqrt(2 / BLOCK)) * np.cos((2 * _N + 1) * _K * np.pi / 16)
_LOW_BASIS: Final = np.stack([np.outer(_DCT[u], _DCT[v]).ravel() for u, v in LOW], axis=1).astype(np.float32)
"""What a block's pixels are multiplied with for the coefficients of `LOW`: BLOCK * BLOCK x len(LOW)."""
_HALF_STEPS: Final = (STEPS / 2).astype(np.float32)
_ANGLES: Final = (2 * np.pi / STEPS).astype(np.float32)


def earlier_step(lines: Lines) -> float:
    """Return the mean quantisation step that the low frequencies of the blocks show; 0 if they show none.

    After JPEG, the coefficients of each frequency are multiples of its step (Fan and de Queiroz, "Identification of
    bitmap compression history", IEEE Trans. Image Processing 12 (2), 2003). The blocks must be where JPEG put them, so
    nothing is found in cropped or resized copies.
    """
    rows = lines.rows
    width = rows.shape[1] // BLOCK * BLOCK
    blocks = rows[:, :width].astype(np.float32).reshape(-1, BLOCK, width // BLOCK, BLOCK).transpose(0, 2, 1, 3)
    coefficients = blocks.reshape(-1, BLOCK * BLOCK) @ _LOW_BASIS
    found = [step for values in coefficients.T if (step := _step(values))]
    return round(float(np.mean(found)), 1) if len(found) >= LEAST_FREQUENCIES else 0.0


def _step(values: "np.ndarray[tuple[int], np.dtype[np.float32]]") -> int:
    """Return the largest step that coefficients are multiples of, judging by those of at least half a step; or 0."""
    size = np.abs(values)
    size = size[size >= _HALF_STEPS[0], np.newaxis]
    large = size >= _HALF_STEPS
    counts = np.count_nonzero(large, axis=0)
    cosines = np.cos(size * _ANGLES)
    cosines *= large
    found = np.flatnonzero((counts >= LEAST_COEFFICIENTS) & (cosines.sum(axis=0) >= AGREEMENT * counts))
    return int(STEPS[found[-1]]) if len(found) else 0
