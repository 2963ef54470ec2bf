"""Vectors mixed from those of photographs, so that they lie as the vectors of many photographs do.

The bench of the build of November 2026 runs this file with that build's modules, so it imports only what both have.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from shared.domain.features import FeatureVector, normalise

BURST: Final = 20
"""Made images that resemble each other."""
SPREAD: Final = 0.5
"""Largest length of what is added to the vectors of a burst, which have length 1."""


@dataclass(frozen=True, slots=True)
class Mixture:
    """How a made image is mixed from photographs.

    Attributes:
        parts: the numbers of the photographs; the first is the one whose record and signature it has.
        shares: how much it has of each.
        noise: length of the random vector that is added.
        random: where that vector comes from.
    """

    parts: tuple[int, int, int]
    shares: tuple[float, float, float]
    noise: float
    random: np.random.Generator

    def of(self, rows: npt.NDArray[np.float32]) -> FeatureVector:
        """Return the vector of length 1 that is mixed from rows (N, D); what is 0 or not negative in all stays so."""
        out = np.asarray(self.shares) @ rows[list(self.parts)]
        added = self.random.standard_normal(out.size) * (out != 0)
        out = out + self.noise * added / np.linalg.norm(added)
        return normalise(np.maximum(out, 0) if (rows[list(self.parts)] >= 0).all() else out)


def mixture(number: int, count: int) -> Mixture:
    """Return how the made image of a number is mixed from so many photographs."""
    burst, own = (np.random.default_rng([seed, number // size]) for seed, size in ((1, BURST), (2, 1)))
    first, second = map(int, burst.integers(0, count, 2))
    share, spread = burst.random(), SPREAD * own.random()
    third = int(own.integers(0, count))
    return Mixture((first, second, third), (share, 1 - share, spread / 2), spread / 2, own)
