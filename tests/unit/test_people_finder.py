"""What a listing of a person's images reads of an album."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from functions.api.people_finder import PeopleFinder
from shared.domain.albums import AlbumKey
from shared.domain.filters import ImageFilter, Order, Sort
from shared.domain.images import ImageRecord
from shared.domain.people.records import Person, face_id
from shared.domain.tags import TagMatch
from tests.contract.stores.conftest import make_image

COLLECTION, ALBUM, PERSON = "c", "0" * 32, "1" * 32


@dataclass
class Library:
    """Images that all show one person, some of them in an album; counts what is asked for."""

    records: Sequence[ImageRecord]
    in_album: Collection[str]
    asked: list[int] = field(default_factory=list)

    def person(self, collection: str, person_id: str) -> Person:
        return Person(collection, person_id)

    def faces_of(self, *_: object, limit: int) -> Sequence[str]:
        return [face_id(one.image_id, "m", 0) for one in self.records[:limit]]

    def shown(self, _: str, image_ids: Sequence[str]) -> dict[str, ImageRecord]:
        self.asked.append(len(image_ids))
        return {one.image_id: one for one in self.records if one.image_id in image_ids}

    def held(self, key: AlbumKey, image_ids: Collection[str]) -> Collection[str]:
        assert key == AlbumKey(COLLECTION, ALBUM)
        self.asked.append(len(image_ids))
        return [one for one in image_ids if one in self.in_album]


def test_an_album_is_asked_once_which_images_of_a_person_it_has() -> None:
    times = [f"2026-11-28T12:00:{second:02}.000000+00:00" for second in range(40)]
    records = [make_image(COLLECTION, created_at=time).record for time in times]
    library: Any = Library(records, {one.image_id for one in records[:6]})
    finder = PeopleFinder(library, library, library)
    found, cursor = list[str](), None
    for _ in range(2):
        page = finder.images(
            COLLECTION,
            [PERSON],
            TagMatch.ALL,
            wanted=ImageFilter(album=ALBUM),
            sort=Sort.ADDED,
            order=Order.NEWEST,
            limit=4,
            cursor=cursor,
        )
        found += [one.image_id for one in page.records]
        cursor = page.cursor
    assert found == [one.image_id for one in reversed(records[:6])]
    assert cursor is None
    assert library.asked == [40, 6, 40, 6]
