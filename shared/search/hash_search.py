"""Find the images of a collection by hashes that somebody else computed.

No index of hashes is needed: the listing index has them, and comparing is fast. Tables of bands (multi-index hashing)
would need 548 reads for one pHash within 10 bits, or 272 for one PDQ hash within 31, where the whole listing of 100,000
images takes about 60 reads, whatever the number of hashes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from shared.domain.cursors import decode_cursor, encode_cursor
from shared.domain.images import ImageRecord
from shared.domain.limits import MAX_HASHES_EXAMINED
from shared.domain.perceptual_hashes import HashEntry, HashKind
from shared.domain.ports.indexes import HashIndex
from shared.vision.hamming import near

PAGE: Final = 2_500
"""Images in one read, which in DynamoDB returns at most 1 MB."""


@dataclass(frozen=True, slots=True)
class HashQuery:
    """Hashes of one kind, hex digits in lower case, and how many bits of an image's hash may differ from one of them.

    Attributes:
        limit: maximum number of matches, except that an image matches with all of the hashes that it is near.
    """

    kind: HashKind
    values: Sequence[str]
    distance: int
    limit: int


@dataclass(frozen=True, slots=True)
class HashMatch:
    """An image near a hash that was asked for; `distance` is the number of bits that differ."""

    record: ImageRecord
    value: str
    distance: int


@dataclass(frozen=True, slots=True)
class FoundHashes:
    """What a search found.

    Attributes:
        matches: nearest first.
        examined: number of images that were looked at.
        without_hash: how many of them have no hash of this kind.
        cursor: where the search goes on; None if it has seen the whole collection.
    """

    matches: Sequence[HashMatch]
    examined: int
    without_hash: int
    cursor: str | None


def search_hashes(index: HashIndex, collection: str, query: HashQuery, cursor: str | None) -> FoundHashes:
    """Compare hashes with those of a collection, newest images first, until there are enough matches.

    Raises:
        InvalidCursor: the cursor is malformed or belongs to another collection.
    """
    after = decode_cursor(cursor, collection) if cursor else None
    found: list[tuple[str, str, int]] = []
    examined = without_hash = 0
    while True:
        page = index.hashes(collection, query.kind, limit=min(PAGE, MAX_HASHES_EXAMINED - examined), after=after)
        nearby, seen = _compare(page.entries, query, query.limit - len(found))
        found += nearby
        examined += len(seen)
        without_hash += sum(entry.value is None for entry in seen)
        more = page.more or len(seen) < len(page.entries)
        if seen:
            after = seen[-1].created_at, seen[-1].image_id
        if not more or len(found) >= query.limit or examined >= MAX_HASHES_EXAMINED:
            break
    records = index.shown(collection, list(dict.fromkeys(image_id for image_id, _, _ in found)))
    matches = [
        HashMatch(records[image_id], value, distance) for image_id, value, distance in found if image_id in records
    ]
    return FoundHashes(
        sorted(matches, key=lambda match: match.distance),
        examined,
        without_hash,
        encode_cursor(collection, *after) if more and after else None,
    )


def _compare(
    entries: Sequence[HashEntry], query: HashQuery, limit: int
) -> tuple[list[tuple[str, str, int]], Sequence[HashEntry]]:
    """Return matches as (image id, hash, distance), and the entries up to the one with which there are enough."""
    places = [place for place, entry in enumerate(entries) if entry.value is not None]
    values = [entries[place].value or "" for place in places]
    found: list[tuple[str, str, int]] = []
    if values:
        rows, columns = near(_bits(values), _bits(query.values), query.distance + 1, len(query.values))
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
            entry = entries[places[row]]
            if len(found) >= limit and entry.image_id != found[-1][0]:
                return found, entries[: places[row]]
            wanted = query.values[column]
            found.append((entry.image_id, wanted, (int(values[row], 16) ^ int(wanted, 16)).bit_count()))
    return found, entries


def _bits(values: Sequence[str]) -> npt.NDArray[np.uint8]:
    return np.frombuffer(bytes.fromhex("".join(values)), np.uint8).reshape(len(values), -1)
