"""What every store does with the time and the place at which images were taken."""

from typing import Any

import pytest

from shared.domain.annotations import NO_ANNOTATIONS, Annotations
from shared.domain.capture import NOTHING, Capture
from shared.domain.errors import InvalidCursor
from shared.domain.filters import ImageFilter, Order, Sort
from shared.domain.images import IndexedImage, ObjectRef
from shared.domain.ledger import ImageKey
from tests.contract.stores.conftest import Store, described_by, key_of, make_image

SOURCE = ObjectRef("images", "uploads/cats/" + "0" * 32)
PARIS = Capture("2023-08-05T17:16:53.939000+02:00", "Google Pixel 4a", 48.822083, -2.398472)
LATER = Capture("2023-08-05T17:16:54")
OLD = Capture("1998-06-07T08:09:10", "Canon EOS")


def add(store: Store, collection: str, capture: Capture | None, **changes: Any) -> IndexedImage:
    image = make_image(collection, capture=capture, **changes)
    assert store.catalogue.add(image, SOURCE)
    return image


def taken(store: Store, collection: str, order: Order = Order.NEWEST, size: int = 2, **conditions: Any) -> list[str]:
    """The ids of all images by date taken, from pages of `size`."""
    found, cursor = list[str](), None
    while True:
        page = store.catalogue.page(
            collection, wanted=ImageFilter(**conditions), sort=Sort.TAKEN, order=order, limit=size, cursor=cursor
        )
        found += [record.image_id for record in page.records]
        if (cursor := page.cursor) is None:
            return found


def test_time_camera_and_place_are_in_every_answer(store: Store, collection: str) -> None:
    for capture in (PARIS, LATER, NOTHING, None):
        image = add(store, collection, capture)
        key = key_of(image)
        found = store.catalogue.find(key.image_id, collection)
        assert found is not None
        assert found.capture == capture
        nearest = store.catalogue.nearest(image.features, collection=collection, model="m", label=None, limit=1)
        listed = store.catalogue.page(collection, wanted=ImageFilter(), limit=1, cursor=None)
        known = store.duplicates.records(collection, [key.image_id])
        assert nearest.found[0].record.capture == capture
        assert listed.records[0].capture == capture
        assert known[key.image_id].capture == capture


def test_images_are_listed_by_the_local_time_at_which_they_were_taken_or_else_by_arrival(
    store: Store, collection: str
) -> None:
    arrived, later, paris, old = (add(store, collection, one) for one in (NOTHING, LATER, PARIS, OLD))
    second = described_by(paris, "n")
    store.catalogue.add_secondary(second)
    expected = [image.record.image_id for image in (arrived, later, paris, old)]
    assert taken(store, collection) == expected
    assert taken(store, collection, Order.OLDEST) == expected[::-1]
    assert taken(store, collection, size=4) == expected


def test_images_are_filtered_by_when_they_were_taken_in_either_order(store: Store, collection: str) -> None:
    arrived, later, paris, old = (add(store, collection, one).record.image_id for one in (NOTHING, LATER, PARIS, OLD))
    day: Any = {"taken_from": "2023-08-05T00:00:00.000000", "taken_to": "2023-08-05T23:59:59.999999"}
    assert taken(store, collection, **day) == [later, paris]
    assert taken(store, collection, taken_to="2023-08-05T17:16:53.939000") == [paris, old]
    assert taken(store, collection, taken_from="2023-08-05T17:16:54.000000") == [arrived, later]
    by_arrival = store.catalogue.page(collection, wanted=ImageFilter(**day), limit=9, cursor=None)
    assert [record.image_id for record in by_arrival.records] == [paris, later]
    store.catalogue.annotate(key_of_id(store, collection, old), NO_ANNOTATIONS, Annotations(external_id="DAM-1"))
    assert taken(store, collection, external_id="DAM-1", size=9) == [old]
    assert taken(store, collection, labels=frozenset({"lynx"}), since="2026", size=9) == [arrived, later, paris, old]
    assert taken(store, collection, labels=frozenset({"dog"}), size=9) == []
    page = store.catalogue.page(collection, wanted=ImageFilter(), sort=Sort.TAKEN, limit=9, cursor=None)
    assert [record.annotations.external_id for record in page.records] == [None, None, None, "DAM-1"]


def key_of_id(store: Store, collection: str, image_id: str) -> Any:
    record = store.catalogue.find(image_id, collection)
    assert record is not None
    return key_of(IndexedImage(record, None))  # type: ignore[arg-type]


def test_a_cursor_belongs_to_its_order(store: Store, collection: str) -> None:
    for capture in (PARIS, LATER):
        add(store, collection, capture)
    everything = ImageFilter()
    for sort, other in ((Sort.ADDED, Sort.TAKEN), (Sort.TAKEN, Sort.ADDED)):
        cursor = store.catalogue.page(collection, wanted=everything, sort=sort, limit=1, cursor=None).cursor
        assert cursor is not None
        with pytest.raises(InvalidCursor):
            store.catalogue.page(collection, wanted=everything, sort=other, limit=1, cursor=cursor)
    wanted = ImageFilter(taken_to="1999-01-01T00:00:00.000000")
    with pytest.raises(InvalidCursor):
        store.catalogue.page(collection, wanted=wanted, sort=Sort.TAKEN, limit=1, cursor=cursor)


def test_the_date_taken_goes_to_the_trash_and_comes_back(store: Store, collection: str) -> None:
    image = add(store, collection, PARIS)
    key = key_of(image)
    assert store.trash.put(key, "2026-11-28T12:00:00.000000+00:00")
    assert taken(store, collection) == []
    (trashed,) = store.trash.page(collection, limit=9, cursor=None).images
    assert trashed.record.capture == PARIS
    assert store.trash.take_out(key)
    assert taken(store, collection) == [key.image_id]
    assert store.catalogue.find(key.image_id, collection) == image.record


def test_images_of_earlier_versions_are_listed_by_arrival(store: Store, collection: str) -> None:
    first, second = (add(store, collection, None).record.image_id for _ in range(2))
    store.catalogue.annotate(ImageKey(collection, first), NO_ANNOTATIONS, Annotations(external_id="DAM-1"))
    arrived, paris = (add(store, collection, one).record.image_id for one in (NOTHING, PARIS))
    third = add(store, collection, None).record.image_id
    old = add(store, collection, OLD).record.image_id
    expected = [third, arrived, second, first, paris, old]
    for size in (1, 2, 4, 9):
        assert taken(store, collection, size=size) == expected
        assert taken(store, collection, Order.OLDEST, size=size) == expected[::-1]
    assert taken(store, collection, taken_from="2026-11-28T00:00:00.000000") == [third, arrived, second, first]
    assert taken(store, collection, taken_to="2023-08-05T17:16:53.939000") == [paris, old]
    assert taken(store, collection, external_id="DAM-1", size=9) == [first]
    page = store.catalogue.page(collection, wanted=ImageFilter(), sort=Sort.TAKEN, limit=9, cursor=None)
    assert [record.annotations.external_id for record in page.records] == [None, None, None, "DAM-1", None, None]


def test_images_of_earlier_versions_are_dated_later(store: Store, collection: str) -> None:
    image, dated = add(store, collection, None), add(store, collection, LATER)
    key = key_of(image)
    store.catalogue.set_capture(key, PARIS)
    found = store.catalogue.find(key.image_id, collection)
    assert found is not None
    assert found.capture == PARIS
    assert taken(store, collection) == [dated.record.image_id, key.image_id]
    store.catalogue.delete_record(key)
    store.catalogue.set_capture(key, PARIS)
    assert store.catalogue.find(key.image_id, collection) is None
    assert taken(store, collection) == [dated.record.image_id]
