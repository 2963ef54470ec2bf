"""A search by hashes sees every image of a collection once, whatever the pages."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pytest

from shared.domain.errors import InvalidCursor
from shared.domain.images import ImageRecord
from shared.domain.perceptual_hashes import HashEntry, HashKind, HashPage
from shared.search import hash_search
from shared.search.hash_search import HashQuery, search_hashes

QUERY = "0" * 16


@dataclass
class Collection:
    """A collection of images whose hashes differ in these numbers of bits from the query (None: without a hash).

    Attributes:
        reads: the limit of each read.
        hidden: images that are removed in the meantime.
    """

    bits: Sequence[int | None]
    reads: list[int]
    hidden: tuple[int, ...] = ()

    def hashes(self, collection: str, kind: HashKind, *, limit: int, after: tuple[str, str] | None) -> HashPage:
        self.reads.append(limit)
        start = int(after[1], 16) + 1 if after else 0
        numbers = range(start, min(start + limit, len(self.bits)))
        return HashPage(
            [HashEntry(f"{number:064x}", "2026-11-29", value(self.bits[number])) for number in numbers],
            more=start + limit < len(self.bits),
        )

    def shown(self, collection: str, image_ids: Sequence[str]) -> Mapping[str, ImageRecord]:
        return {
            image_id: ImageRecord(collection, image_id, "m", 1, 1, "png", 1, "", "2026-11-29")
            for image_id in image_ids
            if int(image_id, 16) not in self.hidden
        }


def value(bits: int | None) -> str | None:
    return None if bits is None else f"{(1 << bits) - 1:016x}"


def query(limit: int = 24, distance: int = 10, *others: str) -> HashQuery:
    return HashQuery(HashKind.PHASH, [QUERY, *others], distance, limit)


def pages(index: Collection, wanted: HashQuery) -> list[list[tuple[int, int]]]:
    """The matches on each page, as image and distance."""
    found = []
    cursor = None
    while True:
        page = search_hashes(index, "c", wanted, cursor)
        found.append([(int(match.record.image_id, 16), match.distance) for match in page.matches])
        cursor = page.cursor
        if cursor is None:
            return found


def test_matches_are_those_within_the_distance_nearest_first() -> None:
    index = Collection([11, 10, None, 0, 64, 3], [])
    found = search_hashes(index, "c", query(), None)
    assert [(match.distance, match.value) for match in found.matches] == [(0, QUERY), (3, QUERY), (10, QUERY)]
    assert (found.examined, found.without_hash, found.cursor) == (6, 1, None)
    assert [match.distance for match in search_hashes(index, "c", query(distance=0), None).matches] == [0]


@pytest.mark.parametrize(
    ("page", "limit", "examined"), [*itertools.product((1, 2, 3, 100), (1, 2, 3, 100), (1, 4, 100))]
)
def test_pages_have_every_match_once(page: int, limit: int, examined: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hash_search, "PAGE", page)
    monkeypatch.setattr(hash_search, "MAX_HASHES_EXAMINED", examined)
    bits = [3, None, 40, 1, 1, None, 2, 40, 40, 5, None, 0]
    found = pages(Collection(bits, []), query(limit))
    expected = sorted((number, bit) for number, bit in enumerate(bits) if bit is not None and bit <= 10)
    assert sorted(itertools.chain.from_iterable(found)) == expected
    assert all(len(one) <= limit for one in found)
    assert all(one == sorted(one, key=lambda match: match[1]) for one in found)


def test_a_search_ends_after_so_many_images(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hash_search, "PAGE", 4)
    monkeypatch.setattr(hash_search, "MAX_HASHES_EXAMINED", 6)
    index = Collection([40] * 9, [])
    found = search_hashes(index, "c", query(), None)
    assert (found.examined, index.reads) == (6, [4, 2])
    assert search_hashes(index, "c", query(), found.cursor).examined == 3


def test_an_image_matches_with_every_hash_that_it_is_near() -> None:
    index = Collection([1, 2], [])
    found = search_hashes(index, "c", query(1, 1, value(2) or "", value(40) or ""), None)
    assert [(match.value, match.distance) for match in found.matches] == [(QUERY, 1), (value(2), 1)]
    assert found.examined == 1
    found = search_hashes(index, "c", query(1, 1, value(2) or ""), found.cursor)
    assert [(match.value, match.distance) for match in found.matches] == [(value(2), 0)]
    assert found.cursor is None


def test_an_image_that_was_removed_meanwhile_is_no_match() -> None:
    found = search_hashes(Collection([0, 1], [], hidden=(0,)), "c", query(), None)
    assert [match.distance for match in found.matches] == [1]


def test_a_cursor_belongs_to_its_collection() -> None:
    found = search_hashes(Collection([0, 0], []), "c", query(1), None)
    with pytest.raises(InvalidCursor):
        search_hashes(Collection([0, 0], []), "other", query(1), found.cursor)
