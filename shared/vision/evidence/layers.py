"""Recognise layers that a program has laid over an image: flat colours, opaque or translucent.

Where a layer lies, each pixel is a mixture of the image underneath and of the layer's colour, in the same proportion
everywhere (T. Porter, T. Duff: Compositing Digital Images, SIGGRAPH 1984). What was photographed is no such mixture.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from shared.vision.evidence.fitting import robust_fit

Levels = npt.NDArray[np.float32]

COLOURS: Final = 3
"""Number of colours that graphics have: letters with an outline on a ground."""
SHARES: Final = (0.0, 0.25, 0.4, 0.55, 0.7)
"""Shares of the image underneath that are tried; 0 is an opaque layer."""
PREFERENCE: Final = 0.15
"""By how much fewer pixels an opaque layer may explain than one that is nearly transparent."""
WITHIN: Final = 12.0
"""Gray levels by which compression, and the soft edges of a layer, may change a pixel."""
SAMPLES: Final = 4000
LEAST_LEFT: Final = 0.02
LOWEST, STEP, STEPS = -200, 5.0, 110
"""Lowest colour that a layer may have, width of the bins in which colours are counted, and their number."""
MOST_SHARE: Final = 0.85
"""Share of the image underneath above which a layer is a change of light."""
LEAST_CONTRAST: Final = 10.0
"""Standard deviation of gray levels below which nothing shows through a layer."""


def flat_share(on: Levels, under: Levels) -> float:
    """Return the share of the pixels of `on`, 0 to 1, that are up to three colours laid over `under`."""
    if not len(on):
        return 0.0
    step = len(on) // SAMPLES + 1
    x, y = under[::step], on[::step]
    left = np.ones(len(x), bool)
    steps = [_steps(y - share * x) for share in SHARES]
    for _ in range(COLOURS):
        if left.sum() < LEAST_LEFT * len(x):
            break
        best, chosen = 0.0, (0.0, 0.0)
        for share, places in zip(SHARES, steps, strict=True):
            counts = np.bincount(places[left], minlength=STEPS + 2)[1:-1]
            wide = np.convolve(counts, np.ones(5), "same")
            place = int(wide.argmax())
            if (value := float(wide[place]) * (1 - PREFERENCE * share)) > best:
                best, chosen = value, (share, STEP * place + LOWEST + STEP / 2)
        left &= np.abs(y - chosen[0] * x - chosen[1]) > WITHIN
    return 1 - float(left.mean())


def _steps(colours: Levels) -> npt.NDArray[np.intp]:
    """Return the bin of each colour, from 1 to `STEPS`; those beyond the ends get 0 and `STEPS` + 1."""
    places = np.floor((colours.astype(np.float64) - LOWEST) / STEP)
    places[colours == LOWEST + STEP * STEPS] = STEPS - 1
    steps: npt.NDArray[np.intp] = np.clip(places + 1, 0, STEPS + 1).astype(np.intp)
    return steps


def translucent_share(on: Levels, under: Levels) -> float:
    """Return the share of the pixels of `on`, 0 to 1, that one translucent layer over `under` explains.

    It is 0 if the layer would be opaque, or would not lower the contrast.
    """
    if not len(on):
        return 0.0
    step = len(on) // SAMPLES + 1
    x, y = under[::step].astype(np.float64), on[::step].astype(np.float64)
    if x.std() < LEAST_CONTRAST:
        return 0.0
    offset, share = robust_fit(np.stack([np.ones_like(x), x], axis=1), y, np.ones_like(x), 2)
    if not SHARES[1] <= share <= MOST_SHARE:
        return 0.0
    return float((np.abs(y - share * x - offset) <= WITHIN).mean())
