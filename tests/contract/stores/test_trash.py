"""What every store does with images in the trash."""

from dataclasses import replace
from typing import Any

import pytest

from shared.domain.annotations import NO_ANNOTATIONS, Annotations
from shared.domain.errors import InvalidCursor
from shared.domain.filters import EVERYTHING, ImageFilter
from shared.domain.images import IndexedImage, Label, ObjectRef
from shared.domain.ledger import ConflictError, ImageKey
from shared.domain.tags import TagDecisions
from tests.contract.stores.conftest import Store, described_by, key_of, make_image

SOURCE = ObjectRef("images", "uploads/cats/" + "0" * 32)
OTHER = ObjectRef("images", "uploads/cats/" + "1" * 32)
NOTED = Annotations("id-1", "a note", {"place": "Rome"})


def at(second: int) -> str:
    return f"2026-11-28T12:00:{second:02}.000000+00:00"


def add(store: Store, collection: str, **changes: Any) -> IndexedImage:
    image = make_image(collection, **changes)
    assert store.catalogue.add(image, SOURCE)
    return image


def listed(store: Store, collection: str, wanted: ImageFilter = EVERYTHING) -> list[str]:
    page = store.catalogue.page(collection, wanted=wanted, limit=50, cursor=None)
    return [record.image_id for record in page.records]


def trashed(store: Store, collection: str) -> list[tuple[str, str]]:
    page = store.trash.page(collection, limit=50, cursor=None)
    return [(image.record.image_id, image.trashed_at) for image in page.images]


def test_nothing_finds_an_image_in_the_trash_until_it_is_restored(store: Store, collection: str) -> None:
    image, other = add(store, collection), add(store, collection)
    key, image_id = key_of(image), image.record.image_id
    store.hold(key, "a.jpg")
    store.catalogue.annotate(key, NO_ANNOTATIONS, NOTED)
    store.duplicates.place(key, other.record.image_id, before=None)
    store.duplicates.place(key_of(other), other.record.image_id, before=None)
    rome = ImageFilter(fields={"place": "Rome"})
    before = store.catalogue.find(image_id, collection)
    assert listed(store, collection, rome) == [image_id]

    assert store.trash.put(key, at(1))
    assert not store.trash.put(key, at(2))
    assert store.trash.holds(key)
    assert store.catalogue.find(image_id, collection) is None
    assert store.catalogue.existing([image_id, other.record.image_id], collection).keys() == {other.record.image_id}
    assert listed(store, collection) == [other.record.image_id]
    assert listed(store, collection, rome) == []
    assert store.catalogue.count(collection) == (1, True)
    assert store.duplicates.records(collection, [image_id]) == {}
    assert list(store.duplicates.page(collection, limit=9, cursor=None).groups) == []
    near = store.catalogue.nearest(image.features, collection=collection, model="m", label=None, limit=9).found
    assert [entry.record.image_id for entry in near] == [other.record.image_id]
    assert image.local_features is not None
    local = store.catalogue.nearest_local(image.local_features, collection=collection, model="m", limit=9).found
    assert [entry.record.image_id for entry in local] == [other.record.image_id]
    assert trashed(store, collection) == [(image_id, at(1))]

    assert store.trash.take_out(key)
    assert not store.trash.take_out(key)
    assert not store.trash.holds(key)
    assert store.catalogue.find(image_id, collection) == before
    assert set(listed(store, collection)) == {image_id, other.record.image_id}
    assert listed(store, collection, rome) == [image_id]
    ((group),) = store.duplicates.page(collection, limit=9, cursor=None).groups
    assert {record.image_id for record in group.records} == {image_id, other.record.image_id}
    near = store.catalogue.nearest(image.features, collection=collection, model="m", label=None, limit=1).found
    assert [entry.record.image_id for entry in near] == [image_id]
    assert trashed(store, collection) == []


def test_a_trashed_image_is_no_orphan_and_knows_its_first_source(store: Store, collection: str) -> None:
    image = add(store, collection)
    key = key_of(image)
    (source,) = store.hold(key, "a.jpg")
    store.trash.put(key, at(1))
    assert store.catalogue.occurrences(key.image_id).collections == [collection]
    assert store.catalogue.occurrences(key.image_id, collection).sources == [(collection, source)]
    assert store.catalogue.described(key, ["m", "n"])
    assert store.catalogue.is_first_source(key, ["m", "n"], SOURCE) is True
    assert store.catalogue.is_first_source(key, ["m"], OTHER) is False


def test_storing_the_image_again_restores_it(store: Store, collection: str) -> None:
    image = add(store, collection)
    key = key_of(image)
    store.trash.put(key, at(1))
    assert store.catalogue.add(image, OTHER) is True
    assert not store.trash.holds(key)
    assert not store.trash.take_out(key)
    assert listed(store, collection) == [key.image_id]
    assert trashed(store, collection) == []
    assert key not in store.trash.due(at(59), 1000)


@pytest.mark.parametrize("model", ["m", "n"])
@pytest.mark.parametrize("condemned", [False, True])
def test_storing_the_image_again_keeps_what_people_wrote(
    store: Store, collection: str, model: str, *, condemned: bool
) -> None:
    image, other = add(store, collection, filename="old.jpg", low_information=True), add(store, collection)
    key = key_of(image)
    written = replace(NOTED, favourite=True, tags=TagDecisions(frozenset({"rex"}), frozenset({"dog"})))
    store.catalogue.annotate(key, NO_ANNOTATIONS, written)
    store.duplicates.place(key, other.record.image_id, before=None)
    store.duplicates.choose(key, chosen=True)
    store.trash.put(key, at(1))
    if condemned:
        assert store.trash.condemn(key, at(2))
    again = described_by(image, model, Label("spoon", 0.5))
    again = replace(again, record=replace(again.record, filename=None, low_information=False, created_at=at(5)))
    assert store.catalogue.add(again, OTHER)

    record = store.catalogue.find(key.image_id, collection)
    assert record == replace(again.record, annotations=written)
    rated = store.duplicates.records(collection, [key.image_id])[key.image_id]
    assert (rated.chosen, rated.group, rated.quality) == (True, other.record.image_id, None)
    for wanted in (
        ImageFilter(external_id="id-1"),
        ImageFilter(fields={"place": "Rome"}),
        ImageFilter(favourite=True),
        ImageFilter(tags=frozenset({"rex"})),
        ImageFilter(labels=frozenset({"spoon"})),
    ):
        assert listed(store, collection, wanted) == [key.image_id]
    assert store.catalogue.described(key, [model])
    assert store.catalogue.is_first_source(key, [model], OTHER) is True
    near = store.catalogue.nearest(again.features, collection=collection, model=model, label=None, limit=1).found
    assert [entry.record.image_id for entry in near] == [key.image_id]
    store.catalogue.annotate(key, written, NO_ANNOTATIONS)
    assert store.trash.put(key, at(9))
    assert store.trash.take_out(key)


def test_an_image_without_annotations_has_none_when_it_is_stored_again(store: Store, collection: str) -> None:
    image = add(store, collection)
    store.trash.put(key_of(image), at(1))
    assert store.catalogue.add(image, OTHER)
    assert store.catalogue.find(image.record.image_id, collection) == image.record
    store.catalogue.annotate(key_of(image), NO_ANNOTATIONS, NOTED)


def test_a_purged_image_is_gone(store: Store, collection: str) -> None:
    image = add(store, collection)
    key = key_of(image)
    store.trash.put(key, at(1))
    store.catalogue.delete_record(key)
    store.catalogue.delete_record(key)  # may be repeated
    assert not store.trash.holds(key)
    assert trashed(store, collection) == []
    assert not store.catalogue.occurrences(key.image_id)
    assert store.catalogue.add(image, SOURCE)


def test_pages_of_the_trash_list_the_last_deleted_first(store: Store, collection: str) -> None:
    keys = [key_of(add(store, collection)) for _ in range(5)]
    for second, key in enumerate(keys):
        store.trash.put(key, at(second))
    store.trash.put(key_of(add(store, f"{collection}-x")), at(9))
    found, cursor = list[str](), None
    while not found or cursor:
        page = store.trash.page(collection, limit=2, cursor=cursor)
        found += [image.record.image_id for image in page.images]
        cursor = page.cursor
    assert found == [key.image_id for key in reversed(keys)]
    with pytest.raises(InvalidCursor):
        store.trash.page(collection, limit=2, cursor="x")


def test_images_are_due_when_they_were_deleted_before_a_time(store: Store, collection: str) -> None:
    first, second = (key_of(add(store, collection)) for _ in range(2))
    store.trash.put(first, at(10))
    store.trash.put(second, at(20))
    assert [key for key in store.trash.due(at(20), 1000) if key.collection == collection] == [first]
    assert {key for key in store.trash.due(at(21), 1000) if key.collection == collection} == {first, second}


def test_no_more_images_are_due_than_are_asked_for_and_each_once(store: Store, collection: str) -> None:
    images = [add(store, collection) for _ in range(7)]
    other = add(store, f"{collection}-b")
    keys = [key_of(image) for image in images]
    for second, key in enumerate(keys):
        store.trash.put(key, at(second))
    store.trash.put(key_of(other), at(1))
    for image in images[:2]:
        store.catalogue.add(image, OTHER)  # this leaves an entry of the former deletion
    store.trash.put(keys[0], at(30))
    assert store.trash.due(at(30), 2, collection) == keys[2:4]
    assert store.trash.due(at(30), 9, collection) == keys[2:]
    assert store.trash.due(at(31), 9, collection) == [*keys[2:], keys[0]]
    everywhere = store.trash.due(at(5), 1000)
    assert [key for key in everywhere if key.collection == collection] == keys[2:5]
    assert [key for key in everywhere if key.collection == f"{collection}-b"] == [key_of(other)]
    assert len(store.trash.due(at(5), 1)) == 1


def test_an_image_that_the_collection_does_not_have_cannot_be_trashed(store: Store, collection: str) -> None:
    assert not store.trash.put(ImageKey(collection, "0" * 64), at(1))
    assert not store.trash.holds(ImageKey(collection, "0" * 64))
    assert store.trash.page(collection, limit=9, cursor=None).images == []


def test_a_restored_image_is_described_by_the_model_of_its_record(store: Store, collection: str) -> None:
    image = add(store, collection)
    key = key_of(image)
    store.catalogue.add_secondary(described_by(image, "n"))
    store.trash.put(key, at(1))
    store.trash.take_out(key)
    assert store.catalogue.described(key, ["m"])
    assert store.catalogue.find(key.image_id, collection) == replace(image.record)


def test_a_purge_that_has_begun_cannot_be_undone_but_by_an_upload(store: Store, collection: str) -> None:
    image, restored = add(store, collection), add(store, collection)
    key = key_of(image)
    assert not store.trash.condemn(key, at(59))
    store.trash.put(key, at(1))
    assert not store.trash.condemn(key, at(1))
    assert store.trash.condemn(key, at(2))
    assert not store.trash.take_out(key)
    assert store.trash.holds(key)
    assert trashed(store, collection) == []
    assert key in store.trash.due(at(2), 1000, collection)
    assert store.trash.condemn(key, at(2))  # a purge that died is repeated

    assert store.catalogue.add(image, OTHER)
    assert not store.trash.condemn(key, at(59))
    assert key.image_id in listed(store, collection)

    store.trash.put(key_of(restored), at(1))
    store.trash.take_out(key_of(restored))
    assert not store.trash.condemn(key_of(restored), at(59))


def test_an_image_in_the_trash_is_not_annotated(store: Store, collection: str) -> None:
    key = key_of(add(store, collection))
    store.trash.put(key, at(1))
    with pytest.raises(ConflictError):
        store.catalogue.annotate(key, NO_ANNOTATIONS, NOTED)
    assert listed(store, collection, ImageFilter(external_id="id-1")) == []
