"""Describe a region in which two images differ as each of them shows it, beside its surroundings."""

from dataclasses import dataclass, replace
from enum import IntEnum
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from shared.vision.evidence.differences import Agreement, Region
from shared.vision.evidence.histograms import counted
from shared.vision.evidence.layers import Levels, flat_share, translucent_share
from shared.vision.evidence.masks import dilated
from shared.vision.evidence.registration import Mask, Plane
from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels

BINS: Final = 16
COLOUR_BINS, USUAL = 8, 0.004
"""Bins of each of three colour channels, and share of the surroundings from which on a colour is usual there."""
CHANGED: Final = 18.0
"""Least difference in gray levels of a pixel that counts as part of an overlay."""
RING: Final = 0.35
"""Width of a region's surroundings, as a fraction of its smaller side; at least `LEAST_RING` pixels."""
LEAST_RING: Final = 12
CONTINUES: Final = 0.8
"""Least share of a region's levels that also occur in its surroundings, if it continues them."""
NO_SEAM: Final = 0.3
"""Maximum of `Side.seam` of what continues its surroundings: a gradient a third higher."""


class OverlaidImage(IntEnum):
    """The image that an overlay is on."""

    NEITHER = -1
    FIRST = 0
    SECOND = 1


@dataclass(frozen=True)
class Side:
    """A region as one image shows it.

    Attributes:
        fits: share of its levels that also occur in its surroundings, 0 to 1.
        plain: share of its two commonest levels, high for letters and boxes, 0 to 1.
        seam: logarithm of the ratio of the gradient on its outline to that of its surroundings.
        on, under: the levels that have changed, in this image and in the other one.
        colours: the image, what has changed of its region and what is around that; None if only gray levels are
            compared.
    """

    fits: float
    plain: float
    seam: float
    on: Levels
    under: Levels
    colours: tuple[Pixels, Mask, Mask] | None = None

    @cached_property
    def flat(self) -> float:
        """The share that is up to three flat layers over the other image, 0 to 1."""
        return flat_share(self.on, self.under)

    @cached_property
    def through(self) -> float:
        """The share that is one translucent layer over the other image, 0 to 1."""
        return translucent_share(self.on, self.under)

    @cached_property
    def known(self) -> float:
        """The share of its colours that also occur in its surroundings, 0 to 1; 1 if only gray levels are compared."""
        return known_share(*self.colours) if self.colours else 1.0

    @property
    def foreign(self) -> float:
        return self.seam + 0.8 * self.plain - 1.5 * self.fits

    @property
    def continues(self) -> bool:
        return self.fits >= CONTINUES and self.seam <= NO_SEAM


def sides_of(found: Agreement, region: Region, colours: tuple[Pixels, Pixels] | None = None) -> tuple[Side, Side]:
    """Return how both images show a region, in gray levels or in the colour channel in which it differs most."""
    left, top, width, height = region.box
    margin = max(LEAST_RING, round(RING * min(width, height)))
    rows = slice(max(0, top - 2 * margin), top + height + 2 * margin)
    columns = slice(max(0, left - 2 * margin), left + width + 2 * margin)
    mask, valid = region.mask[rows, columns], found.valid[rows, columns]
    ring = dilated(mask, 2 * margin + 1) & ~dilated(mask, 5) & valid & ~found.differs[rows, columns]
    planes = [(found.a[rows, columns], found.b[rows, columns])]
    if colours:
        planes = list(zip(*(cv2.split(image[rows, columns].astype(np.float32)) for image in colours), strict=True))
    a, b = max(planes, key=lambda pair: float(np.abs(pair[0] - pair[1])[mask].mean()))
    changed = mask & (np.abs(a - b) > CHANGED)
    if np.count_nonzero(ring) < 50 or np.count_nonzero(changed) < 10:  # noqa: PLR2004 - too little to judge by
        nothing = Side(0.0, 0.0, 0.0, a[:0, 0], b[:0, 0])
        return nothing, nothing
    outline = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((9, 9), np.uint8)) > 0
    outline &= valid
    first, second = _side(a, b, changed, ring, outline), _side(b, a, changed, ring, outline)
    if colours is None:
        return first, second
    images = [image[rows, columns] for image in colours]
    recoloured = mask & (cv2.absdiff(*images).max(axis=2) > CHANGED)
    return replace(first, colours=(images[0], recoloured, ring)), replace(second, colours=(images[1], recoloured, ring))


def known_share(image: Pixels, inside: Mask, ring: Mask) -> float:
    """Return the share of a region's colours, 0 to 1, that also occur in its surroundings."""
    usual = _palette(image[ring])
    for axis in range(3):
        wide = np.pad(usual, [(1, 1) if each == axis else (0, 0) for each in range(3)], mode="edge")
        below, above = (np.take(wide, range(start, start + COLOUR_BINS), axis) for start in (0, 2))
        usual = usual / 2 + (below + above) / 4
    return float((_palette(image[inside]) * np.minimum(1.0, usual / USUAL)).sum())


def _palette(colours: Pixels) -> npt.NDArray[np.float64]:
    red, green, blue = (colours // (256 // COLOUR_BINS)).astype(np.intp).T
    counts = np.bincount((red * COLOUR_BINS + green) * COLOUR_BINS + blue, minlength=COLOUR_BINS**3)
    return counts.reshape((COLOUR_BINS,) * 3) / max(1, len(colours))


def _side(plane: Plane, other: Plane, changed: Mask, ring: Mask, outline: Mask) -> Side:
    on = plane[changed]
    inside, fits = _levels(on), share_around(plane, changed, ring)
    spread = np.convolve(inside, np.ones(3), "same")
    first = int(spread.argmax())
    rest = inside.copy()
    rest[max(0, first - 1) : first + 2] = 0
    plain = float(spread[first] + np.convolve(rest, np.ones(3), "same").max())
    slope = np.hypot(cv2.Sobel(plane, cv2.CV_32F, 1, 0), cv2.Sobel(plane, cv2.CV_32F, 0, 1))
    seam = float(np.log((slope[outline].mean() + 10) / (slope[ring].mean() + 10)))
    return Side(fits, min(1.0, plain), seam, on, other[changed])


def share_around(plane: Plane, inside: Mask, ring: Mask) -> float:
    """Return the share of a region's levels that also occur in its surroundings, 0 to 1."""
    # How much of a level there is varies from place to place.
    usual = np.minimum(1.0, _levels(plane[ring]) / 0.02)
    return float((_levels(plane[inside]) * usual).sum())


def _levels(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    counts = counted(values, BINS) / len(values)
    return np.convolve(np.pad(counts, 1, mode="symmetric"), (0.25, 0.5, 0.25), "valid")
