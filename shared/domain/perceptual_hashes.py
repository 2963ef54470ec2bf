"""Perceptual hashes, which programs exchange that have no images in common."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class HashKind(StrEnum):
    """A definition of a hash; hashes of different kinds cannot be compared."""

    PHASH = "phash"
    PDQ = "pdq"


HASH_BITS: Final[Mapping[HashKind, int]] = {HashKind.PHASH: 64, HashKind.PDQ: 256}
"""Length of a hash; it is written in hex digits."""

PHASH_PATTERN: Final = "^[0-9a-fA-F]{16}$"
PDQ_PATTERN: Final = "^[0-9a-fA-F]{64}$"
HASH_PATTERNS: Final[Mapping[HashKind, str]] = {HashKind.PHASH: PHASH_PATTERN, HashKind.PDQ: PDQ_PATTERN}

DEFAULT_DISTANCES: Final[Mapping[HashKind, int]] = {HashKind.PHASH: 10, HashKind.PDQ: 31}
"""How many bits of copies may differ. 31 of 256 is what the authors of PDQ recommend."""

MAX_DISTANCES: Final[Mapping[HashKind, int]] = {kind: bits // 4 for kind, bits in HASH_BITS.items()}
"""The largest distance that can be asked for; half of the bits of images that have nothing in common differ."""


@dataclass(frozen=True, slots=True)
class Pdq:
    """The PDQ hash of an image.

    Attributes:
        value: 256 bits, 64 lower-case hex digits, as ThreatExchange writes them.
        quality: how much there is to recognise, 0 to 100; the authors advise against exchanging hashes below 50.
    """

    value: str
    quality: int


@dataclass(frozen=True, slots=True)
class HashEntry:
    """An image of a collection, in the order of the listing, with one of its hashes (None if it has none)."""

    image_id: str
    created_at: str
    value: str | None


@dataclass(frozen=True, slots=True)
class HashPage:
    """A page of the hashes of a collection, newest first, and whether there are more."""

    entries: Sequence[HashEntry]
    more: bool
