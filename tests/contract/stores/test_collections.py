"""What every store does with the list of collections."""

import uuid

import pytest

from shared.domain.collections import CollectionEntry
from shared.domain.errors import InvalidCursor
from shared.domain.images import ObjectRef
from tests.contract.stores.conftest import Store, make_image


def test_a_collection_is_listed_from_its_first_image_on(store: Store, collection: str) -> None:
    assert store.collections.find([collection]) == []
    store.catalogue.add(make_image(collection), ObjectRef("b", "k"))
    [entry] = store.collections.find([collection, f"{collection}-2"])
    assert (entry.name, entry.title) == (collection, None)
    assert entry.created_at
    store.collections.register(collection)
    assert store.collections.find([collection]) == [entry]
    store.collections.remove(collection)
    assert store.collections.find([collection]) == []
    store.collections.register(collection)
    assert [each.name for each in store.collections.find([collection])] == [collection]


def test_a_collection_keeps_its_time_when_its_title_changes(store: Store, collection: str) -> None:
    created = store.collections.put(collection, "Ferien in Österreich")
    assert (created.name, created.title) == (collection, "Ferien in Österreich")
    for title in (None, "", "Summer"):
        changed = CollectionEntry(collection, title or None, created.created_at)
        assert store.collections.put(collection, title) == changed
        assert store.collections.find([collection]) == [changed]


def test_faces_are_off_until_they_are_turned_on(store: Store, collection: str) -> None:
    created = store.collections.put(collection, "Family")
    assert not created.faces
    for on in (True, False, True):
        changed = CollectionEntry(collection, "Family", created.created_at, faces=on)
        assert store.collections.set_faces(collection, on=on) == changed
        assert store.collections.find([collection]) == [changed]
    assert store.collections.put(collection, None).faces
    store.collections.remove(collection)
    store.collections.register(collection)
    assert not store.collections.find([collection])[0].faces


def test_faces_of_a_collection_without_images_can_be_turned_on(store: Store, collection: str) -> None:
    entry = store.collections.set_faces(collection, on=True)
    assert (entry.name, entry.faces) == (collection, True)
    assert entry in store.collections.page(limit=1000, cursor=None).entries


def test_pages_of_collections_are_ordered_by_name(store: Store) -> None:
    prefix = f"0-{uuid.uuid4().hex[:8]}"
    names = [f"{prefix}-{number}" for number in range(5)]
    for name in reversed(names):
        store.collections.put(name, name.upper())
    found = list[CollectionEntry]()
    cursor = None
    while True:
        page = store.collections.page(limit=2, cursor=cursor)
        found += page.entries
        cursor = page.cursor
        if cursor is None:
            break
    assert [entry.name for entry in found] == sorted({entry.name for entry in found})
    assert [entry.title for entry in found if entry.name in names] == [name.upper() for name in names]
    with pytest.raises(InvalidCursor):
        store.collections.page(limit=2, cursor="x")
    for name in names:
        store.collections.remove(name)
