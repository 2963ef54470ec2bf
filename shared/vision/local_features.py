"""Local features: the ORB descriptors of an image, aggregated by visual word into one vector (VLAD).

H. Jegou, M. Douze, C. Schmid, P. Perez: Aggregating local descriptors into a compact image representation, CVPR 2010
(VLAD). The residuals of each word are projected onto its own leading axes (J. Delhumeau, P.-H. Gosselin, H. Jegou,
P. Perez: Revisiting the VLAD image representation, ACM Multimedia 2013), and normalised for each word
(R. Arandjelovic, A. Zisserman: All about VLAD, CVPR 2013).
"""

from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from shared.domain.features import LOCAL_DIMENSIONS, LocalVector, normalise

VOCABULARY: Final = Path(__file__).with_name("vlad_vocabulary.npz")
"""`words`, int8 (W, 256): the mean bits of each word, -1 to 1 in hundredths. `axes`, int8 (W, 256, A): the directions
of most variance of the word's residuals, in 1/400. Written by `python -m bench.training.fit_vlad_vocabulary`."""

WORDS_SCALE, AXES_SCALE = 100, 400

Values = npt.NDArray[np.float32]

_SIGNS: Final[Values] = np.unpackbits(np.arange(256, dtype=np.uint8)[:, np.newaxis], axis=1).astype(np.float32) * 2 - 1
"""The bits of each byte as -1 and 1: (256, 8)."""


def vlad_encode(descriptors: npt.NDArray[np.uint8]) -> LocalVector:
    """Return the local features of descriptors (N, 32): a vector of unit length, or of zeros if N is 0.

    Every word has the same weight however many keypoints it has, so that text or foliage does not drown out the rest.
    """
    words, nearest_bits, axes = _vocabulary()
    out = np.zeros((len(words), LOCAL_DIMENSIONS // len(words)), np.float32)
    if len(descriptors):
        bits = to_signs(descriptors)
        nearest = (bits @ nearest_bits.T).argmax(axis=1)
        member = np.zeros((len(words), len(bits)), np.float32)
        member[nearest, np.arange(len(bits))] = 1
        used = np.unique(nearest)
        sums = (member @ bits - member.sum(axis=1, keepdims=True) * words)[used]
        parts = (sums[:, np.newaxis] @ axes[used])[:, 0]
        out[used] = normalise_rows(parts)
    return normalise(out.reshape(-1))


def normalise_rows(parts: Values) -> Values:
    """Return the parts of words (..., D) after signed square roots, which damp frequent patterns, at unit length."""
    roots: Values = np.sign(parts) * np.sqrt(np.abs(parts))
    roots /= np.maximum(np.linalg.norm(roots, axis=-1, keepdims=True), np.float32(1e-9))
    return roots


def to_signs(descriptors: npt.NDArray[np.uint8]) -> Values:
    """Return the bits of descriptors (N, 32) as -1 and 1: float32 (N, 256)."""
    return _SIGNS[descriptors].reshape(len(descriptors), -1)


@cache
def _vocabulary() -> tuple[Values, Values, Values]:
    """Return the words, their nearest bits, and their axes."""
    with np.load(VOCABULARY) as file:
        words = file["words"].astype(np.float32) / WORDS_SCALE
        axes = file["axes"].astype(np.float32) / AXES_SCALE
    return words, np.where(words > 0, 1, -1).astype(np.float32), axes
