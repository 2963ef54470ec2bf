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
WIDE, SHARP = (3, 4), (4, 1)
"""Number of levels that are counted, and their width in steps of `differences.LEVELS`."""


def is_page(found: Agreement) -> bool:
    """Return whether both images are pages, charts, codes or screens, whose letters are content and not overlays."""
    return _few_levels(found, *WIDE) > FEW_LEVELS and _few_levels(found, *SHARP) > SHARP_LEVELS


def may_be_page(found: Agreement) -> bool:
    """Return whether both images have as few levels as pages of bold text, as some photographs have, too."""
    return _few_levels(found, *WIDE) > DENSE


def _few_levels(found: Agreement, most: int, width: int) -> float:
    """Return the share of the commonest levels, each with its neighbours, of the image that has less."""
    pixels = np.count_nonzero(found.valid)
    return min(_commonest(levels.reshape(-1, width).sum(axis=1) / pixels, most) for levels in found.levels)


def _commonest(shares: npt.NDArray[np.float64], most: int) -> float:
    total = 0.0
    for _ in range(most):
        first = int(shares.argmax())
        near = slice(max(0, first - 1), first + 2)
        total += float(shares[near].sum())
        shares[near] = 0
    return total
