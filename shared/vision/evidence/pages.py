"""Recognise pages, charts, codes and screens, whose letters are content."""

from typing import Final

import numpy as np
import numpy.typing as npt

from shared.vision.evidence.differences import Agreement

FEW_LEVELS: Final = 0.8
"""Share of pixels in the three commonest gray levels: at least 0.84 for the pages, charts, codes and screens of
`bench.negatives`, at most 0.68 for 45 photographs."""
SHARP_LEVELS: Final = 0.65
"""Share of the pixels in four levels of a page, each 6 of 256 wide: at least 0.7 for 88 of 100 drawn and scanned pages,
charts and screens, at most 0.5 for 95 of 100 photographs, of which 9 have the three wider levels of a page."""
DENSE: Final = 0.7
"""Share of the three commonest gray levels of a page of bold text; photographs have at most 0.68."""
WIDE, SHARP = (3, 32), (4, 128)
"""Number of levels that are counted, and of bins of the histogram."""


def is_page(found: Agreement) -> bool:
    """Return whether both images are pages, charts, codes or screens, whose letters are content and not overlays."""
    return _few_levels(found, *WIDE) > FEW_LEVELS and _few_levels(found, *SHARP) > SHARP_LEVELS


def may_be_page(found: Agreement) -> bool:
    """Return whether both images have as few levels as pages of bold text, as some photographs have, too."""
    return _few_levels(found, *WIDE) > DENSE


def _few_levels(found: Agreement, most: int, bins: int) -> float:
    """Return the share of the commonest levels, each with its neighbours, of the image that has less."""
    return min(_commonest(plane[found.valid], most, bins) for plane in (found.a, found.b))


def _commonest(values: npt.NDArray[np.float32], most: int, bins: int) -> float:
    counts = np.histogram(values, bins, (0, 256))[0] / len(values)
    total = 0.0
    for _ in range(most):
        first = int(counts.argmax())
        near = slice(max(0, first - 1), first + 2)
        total += float(counts[near].sum())
        counts[near] = 0
    return total
