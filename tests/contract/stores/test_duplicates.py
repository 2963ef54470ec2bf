"""What every store of groups of near-duplicates does."""

from dataclasses import replace
from typing import Any

import pytest

from shared.domain.duplicates import DecidedPair, Decision, DuplicateGroup
from shared.domain.errors import InvalidCursor
from shared.domain.images import ObjectRef
from shared.domain.ledger import ImageKey
from shared.domain.quality import Quality
from tests.contract.stores.conftest import Store, key_of, make_image

SOURCE = ObjectRef("images", "uploads/cats/" + "0" * 32)


def add(store: Store, collection: str, **changes: Any) -> ImageKey:
    image = make_image(collection, **changes)
    assert store.catalogue.add(image, SOURCE)
    return key_of(image)


def add_group(store: Store, collection: str, size: int = 2) -> list[ImageKey]:
    keys = [add(store, collection) for _ in range(size)]
    for key in keys:
        assert store.duplicates.place(key, keys[0].image_id, before=None)
    return keys


def pages(store: Store, collection: str, limit: int) -> list[list[DuplicateGroup]]:
    found, cursor = list[list[DuplicateGroup]](), None
    while not found or cursor:
        page = store.duplicates.page(collection, limit=limit, cursor=cursor)
        found.append(list(page.groups))
        cursor = page.cursor
    return found


def test_a_record_is_read_with_its_quality_group_and_choice(store: Store, collection: str) -> None:
    quality = Quality(spectrum=(1.5, -2.0), noise=0.25, camera=True)
    image = make_image(collection, quality=quality)
    store.catalogue.add(image, SOURCE)
    key, image_id = key_of(image), image.record.image_id
    assert store.duplicates.records(collection, [image_id, "0" * 64]) == {image_id: image.record}
    assert store.duplicates.records("elsewhere", [image_id]) == {}
    store.duplicates.place(key, "f" * 64, before=None)
    store.duplicates.choose(key, chosen=True)
    grouped = replace(image.record, group="f" * 64, chosen=True)
    assert store.duplicates.records(collection, [image_id]) == {image_id: grouped}
    store.duplicates.choose(key, chosen=False)
    store.duplicates.place(key, None, before="f" * 64)
    assert store.duplicates.records(collection, [image_id]) == {image_id: image.record}


def test_an_image_is_placed_only_if_its_group_is_as_expected(store: Store, collection: str) -> None:
    key, first, second = add(store, collection), "1" * 64, "2" * 64
    assert not store.duplicates.place(key, second, before=first)
    assert store.duplicates.place(key, first, before=None)
    assert not store.duplicates.place(key, second, before=None)
    assert store.duplicates.place(key, second, before=first)
    assert store.duplicates.members(ImageKey(collection, first), 9) == []
    assert store.duplicates.members(ImageKey(collection, second), 9) == [key.image_id]


def test_a_removed_image_cannot_be_placed_or_chosen_and_leaves_its_group(store: Store, collection: str) -> None:
    kept, other = add_group(store, collection)
    assert len(pages(store, collection, 9)[0]) == 1
    store.catalogue.delete_record(other)
    assert pages(store, collection, 9) == [[]]
    assert not store.duplicates.place(other, kept.image_id, before=kept.image_id)
    store.duplicates.choose(other, chosen=True)
    assert store.duplicates.records(collection, [other.image_id]) == {}
    assert store.catalogue.find(other.image_id, collection) is None


def test_pages_list_every_group_once_with_the_kept_image_first(store: Store, collection: str) -> None:
    groups = [add_group(store, collection, size) for size in (2, 3, 2, 2, 3)]
    add(store, collection)
    found = pages(store, collection, 2)
    assert [len(page) for page in found] == [2, 2, 1]
    listed = [group for page in found for group in page]
    assert [group.group_id for group in listed] == sorted(group[0].image_id for group in groups)
    for group in listed:
        (members,) = [keys for keys in groups if keys[0].image_id == group.group_id]
        assert group.records[0].image_id == group.group_id
        assert {record.image_id for record in group.records} == {key.image_id for key in members}
        assert not group.truncated


def test_the_best_is_first_in_a_group_whose_kept_image_was_removed(store: Store, collection: str) -> None:
    kept, *others = add_group(store, collection, 3)
    larger = add(store, collection, width=4000, height=3000)
    store.duplicates.place(larger, kept.image_id, before=None)
    store.catalogue.delete_record(kept)
    ((group,),) = pages(store, collection, 9)
    assert group.group_id == kept.image_id
    assert group.records[0].image_id == larger.image_id
    assert {record.image_id for record in group.records[1:]} == {key.image_id for key in others}


def test_decisions_hold_for_both_images_and_outlive_them(store: Store, collection: str) -> None:
    image, other, third = (add(store, collection) for _ in range(3))
    store.duplicates.decide(image, other.image_id, Decision.DIFFERENT)
    store.duplicates.decide(third, image.image_id, Decision.BOTH_KEPT)
    store.catalogue.delete_record(image)
    expected = {other.image_id: Decision.DIFFERENT, third.image_id: Decision.BOTH_KEPT}
    assert store.duplicates.decisions(image) == expected
    assert store.duplicates.decisions(other) == {image.image_id: Decision.DIFFERENT}
    assert store.duplicates.decisions(replace(image, collection="elsewhere")) == {}
    store.duplicates.decide(other, image.image_id, None)
    assert store.duplicates.decisions(image) == {third.image_id: Decision.BOTH_KEPT}


def test_all_decisions_of_a_collection_are_listed(store: Store, collection: str) -> None:
    names = [f"{number:064x}" for number in (1, 2, 3, 4)]
    pairs = [(names[0], names[1]), (names[0], names[3]), (names[1], names[2])]
    for one, other in pairs:
        store.duplicates.decide(ImageKey(collection, other), one, Decision.DIFFERENT)
    store.duplicates.decide(ImageKey(collection, names[0]), names[1], Decision.BOTH_KEPT)
    store.duplicates.decide(ImageKey(f"{collection}x", names[0]), names[1], Decision.DIFFERENT)
    found, cursor = list[DecidedPair](), None
    while not found or cursor:
        page = store.duplicates.decided(collection, limit=2, cursor=cursor)
        found += page.decided
        cursor = page.cursor
    assert [one.images for one in found] == pairs
    assert [one.decision for one in found] == [Decision.BOTH_KEPT, Decision.DIFFERENT, Decision.DIFFERENT]
    store.duplicates.decide(ImageKey(collection, names[1]), names[0], None)
    assert [one.images for one in store.duplicates.decided(collection, limit=9, cursor=None).decided] == pairs[1:]
    with pytest.raises(InvalidCursor):
        store.duplicates.decided(collection, limit=2, cursor="x")


@pytest.mark.parametrize("cursor", ["x", "WyJhIiwiYiJd", "!!"])
def test_an_invalid_cursor_is_refused(store: Store, collection: str, cursor: str) -> None:
    with pytest.raises(InvalidCursor):
        store.duplicates.page(collection, limit=2, cursor=cursor)
