"""What a picture's keypoints look like, as one vector: ORB descriptors gathered by visual word.

H. Jegou, M. Douze, C. Schmid, P. Perez: Aggregating local descriptors into a compact image representation, CVPR 2010
(VLAD), with each word's part of unit length (R. Arandjelovic, A. Zisserman: All about VLAD, CVPR 2013), and the
128 x 256 components folded into 2048 by a signed permutation of each word's part, which keeps dot products on average.
"""

from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from shared.domain.features import LOCAL_DIMENSIONS, LocalVector, normalise

WORDS: Final = Path(__file__).with_name("words.npy")
"""int8 (128, 256): the mean bits of each word, -1 to 1 in hundredths. `python -m bench.fit_words` makes it."""

HUNDREDTHS: Final = 100
BITS: Final = 256
_BLOCKS: Final = LOCAL_DIMENSIONS // BITS

Values = npt.NDArray[np.float32]


def gathered(descriptors: npt.NDArray[np.uint8]) -> LocalVector:
    """The local features of descriptors (N, 32): unit length, all zero for none.

    Every word counts the same however many keypoints it has, so that lines of text or leaves do not drown the rest.
    """
    out = np.zeros((_BLOCKS, BITS), np.float32)
    if len(descriptors):
        words, nearest_bits, signs, places = _vocabulary()
        bits = as_signs(descriptors)
        nearest = (bits @ nearest_bits.T).argmax(axis=1)
        member = np.zeros((len(words), len(bits)), np.float32)
        member[nearest, np.arange(len(bits))] = 1
        used = np.unique(nearest)
        parts = (member @ bits - member.sum(axis=1, keepdims=True) * words)[used]
        parts = np.sign(parts) * np.sqrt(np.abs(parts))
        parts /= np.maximum(np.linalg.norm(parts, axis=1, keepdims=True), np.float32(1e-9))
        np.add.at(out, used % _BLOCKS, np.take_along_axis(parts * signs[used], places[used], axis=1))
    return normalise(out.reshape(-1))


def as_signs(descriptors: npt.NDArray[np.uint8]) -> Values:
    """The bits of descriptors (N, 32) as -1 and 1: float32 (N, 256)."""
    return np.unpackbits(descriptors, axis=1).astype(np.float32) * 2 - 1


@cache
def _vocabulary() -> tuple[Values, Values, Values, npt.NDArray[np.intp]]:
    """Words, their nearest bits, and for each component of each word a sign and a place."""
    words = np.load(WORDS).astype(np.float32) / HUNDREDTHS
    drawn = _mixed(np.arange(words.size, dtype=np.uint64)).reshape(words.shape)
    # The low bit, since the places follow the high ones.
    signs = np.where(drawn & np.uint64(1), 1, -1).astype(np.float32)
    return words, np.where(words > 0, 1, -1).astype(np.float32), signs, np.argsort(drawn, axis=1)


def _mixed(numbers: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """SplitMix64's finaliser: the same numbers with every version of NumPy."""
    mixed = (numbers + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
