"""What every catalogue does."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from shared.domain.annotations import NO_ANNOTATIONS, Annotations
from shared.domain.errors import InvalidCursor, PictureRefused
from shared.domain.features import FEATURE_DIMENSIONS, cosine, normalise
from shared.domain.filters import EVERYTHING, ImageFilter, Order
from shared.domain.images import ImageRecord, IndexedImage, Label, ObjectRef
from shared.domain.ledger import ConflictError, ImageKey
from shared.domain.limits import MAX_SOURCES_SHOWN
from tests.contract.stores.conftest import Store, described_by, key_of, make_image

SOURCE = ObjectRef("images", "uploads/cats/" + "0" * 32)
OTHER = ObjectRef("images", "any/where.jpg", "v1")


def add(store: Store, collection: str, **changes: Any) -> IndexedImage:
    image = make_image(collection, **changes)
    assert store.catalogue.add(image, SOURCE)
    return image


def listed(store: Store, collection: str, order: Order = Order.NEWEST, **conditions: Any) -> list[ImageRecord]:
    """All images of a collection that meet conditions, from pages of two."""
    found = list[ImageRecord]()
    cursor = None
    while True:
        page = store.catalogue.page(collection, wanted=ImageFilter(**conditions), order=order, limit=2, cursor=cursor)
        assert len(page.records) <= 2
        found += page.records
        cursor = page.cursor
        if cursor is None:
            return found


def test_what_an_image_lacks_and_its_pages_are_in_every_answer(store: Store, collection: str) -> None:
    cut = add(store, collection, format="jpeg", damaged=True, intact=0.7188)
    endless = add(store, collection, format="jpeg", damaged=True)
    fax = add(store, collection, format="tiff", pages=12)
    raw = add(store, collection, format="nef")
    records = {image.record.image_id: image.record for image in (cut, endless, fax, raw)}
    assert raw.record.raw
    for image_id, record in records.items():
        assert store.catalogue.find(image_id, collection) == record
    found = listed(store, collection)
    assert {record.image_id: (record.damaged, record.intact, record.pages, record.raw) for record in found} == {
        image_id: (record.damaged, record.intact, record.pages, record.raw) for image_id, record in records.items()
    }
    assert {record.image_id for record in listed(store, collection, format="jpeg")} == {
        cut.record.image_id,
        endless.record.image_id,
    }


def test_a_record_is_found_as_it_was_stored(store: Store, collection: str) -> None:
    whole = add(store, collection, filename="<é>.jpg", low_information=True, sharpness=123.25)
    bare = add(store, collection, labels=())
    for image in (whole, bare):
        assert store.catalogue.find(image.record.image_id, collection) == image.record
        found = store.catalogue.features(image.record.image_id, collection, "m")
        assert found is not None
        assert found.shape == (FEATURE_DIMENSIONS,)
        assert found.dtype == np.dtype(np.float32)
        assert cosine(found, image.features) > 1 - 2e-4
    assert store.catalogue.find("0" * 64, collection) is None
    assert store.catalogue.features("0" * 64, collection, "m") is None
    assert store.catalogue.features(whole.record.image_id, collection, "n") is None


def test_images_are_found_by_the_hash_of_their_pixels(store: Store, collection: str) -> None:
    other = f"{collection}-b"
    same = [replace(make_image(where), pixels_hash="1" * 64) for where in (collection, collection, other)]
    for image in (*same, replace(make_image(collection), pixels_hash="2" * 64), make_image(collection)):
        assert store.catalogue.add(image, SOURCE)

    def found(limit: int = 10) -> set[str]:
        return {one.image_id for one in store.catalogue.with_pixels("1" * 64, collection=collection, limit=limit)}

    first, second, _ = (image.record.image_id for image in same)
    assert found() == {first, second}
    assert len(found(limit=1)) == 1
    store.trash.put(ImageKey(collection, first), "2026-01-01T00:00:00+00:00")
    assert found() == {second}
    store.trash.take_out(ImageKey(collection, first))
    assert found() == {first, second}
    store.catalogue.delete_record(ImageKey(collection, second))
    assert found() == {first}


def test_the_first_source_of_an_image_is_remembered(store: Store, collection: str) -> None:
    image = make_image(collection)
    key = key_of(image)
    assert store.catalogue.is_first_source(key, ["m"], SOURCE) is None
    assert store.catalogue.add(image, SOURCE) is True
    later = replace(image, record=replace(image.record, filename="later.jpg"))
    assert store.catalogue.add(later, OTHER) is False
    assert store.catalogue.add(later, SOURCE) is True
    assert store.catalogue.find(key.image_id, collection) == image.record, "a repeated call changes nothing"
    assert store.catalogue.is_first_source(key, ["m"], SOURCE) is True
    assert store.catalogue.is_first_source(key, ["m"], OTHER) is False
    assert store.catalogue.is_first_source(key, ["m", "n"], SOURCE) is None


def test_an_image_is_described_by_several_models(store: Store, collection: str) -> None:
    image = make_image(collection)
    second, third = (described_by(image, model, Label("dog", 0.5)) for model in ("n", "o"))
    key = key_of(image)
    assert store.catalogue.add(image, SOURCE, [second])
    assert store.catalogue.described(key, ["m", "n"])
    assert not store.catalogue.described(key, ["n", "o"])
    store.catalogue.add_secondary(third)
    store.catalogue.add_secondary(third)
    assert store.catalogue.described(key, ["m", "n", "o"])
    for one in (image, second, third):
        found = store.catalogue.features(key.image_id, collection, one.record.model)
        assert found is not None
        assert cosine(found, one.features) > 1 - 2e-4
    assert store.catalogue.find(key.image_id, collection) == image.record
    assert store.catalogue.count(collection) == (1, True)


def test_a_record_of_another_model_replaces_the_first(store: Store, collection: str) -> None:
    image = add(store, collection)
    key = key_of(image)
    other = described_by(image, "n", Label("dog", 0.5))
    assert store.catalogue.add(other, OTHER) is True
    assert store.catalogue.find(key.image_id, collection) == other.record
    assert store.catalogue.is_first_source(key, ["n"], OTHER) is True
    assert not store.catalogue.described(key, ["m"])
    assert store.catalogue.features(key.image_id, collection, "m") is None
    assert store.catalogue.add(image, SOURCE, [other]) is True
    assert store.catalogue.described(key, ["m", "n"])
    assert listed(store, collection, labels=frozenset({"dog"})) == []
    assert store.catalogue.count(collection) == (1, True)


def test_nothing_of_a_deleted_record_is_found(store: Store, collection: str) -> None:
    image = make_image(collection)
    key = key_of(image)
    second = described_by(image, "n", Label("dog", 0.5))
    store.catalogue.add(image, SOURCE, [second])
    store.catalogue.delete_record(key)
    store.catalogue.delete_record(key)  # may be repeated
    assert store.catalogue.find(key.image_id, collection) is None
    assert store.catalogue.existing([key.image_id], collection) == {}
    assert store.catalogue.count(collection) == (0, True)
    assert store.catalogue.is_first_source(key, ["m"], SOURCE) is None
    assert not store.catalogue.described(key, ["m"])
    for one in (image, second):
        model = one.record.model
        assert store.catalogue.features(key.image_id, collection, model) is None
        assert not store.catalogue.nearest(one.features, collection=collection, model=model, label=None, limit=5).found
    for labels in (None, frozenset({"lynx"})):
        assert listed(store, collection, labels=labels) == []
    assert store.catalogue.add(image, OTHER) is True
    assert not store.catalogue.described(key, ["n"])


def test_collections_are_separate(store: Store, collection: str) -> None:
    image = add(store, collection)
    image_id = image.record.image_id
    elsewhere = replace(image, record=replace(image.record, collection=f"{collection}-2"))
    assert store.catalogue.add(elsewhere, OTHER) is True
    store.catalogue.delete_record(key_of(image))
    assert store.catalogue.find(image_id, collection) is None
    assert store.catalogue.find(image_id, f"{collection}-2") == elsewhere.record
    assert store.catalogue.existing([image_id, "0" * 64], f"{collection}-2") == {image_id: NO_ANNOTATIONS}
    assert [store.catalogue.count(name) for name in (collection, f"{collection}-2")] == [(0, True), (1, True)]


def test_an_image_is_preferably_found_in_the_default_collection(store: Store, collection: str) -> None:
    image = add(store, collection)
    image_id = image.record.image_id
    found = store.catalogue.find(image_id)
    assert found == image.record
    preferred = replace(image, record=replace(image.record, collection="default"))
    first = replace(image, record=replace(image.record, collection="a"))
    for one in (preferred, first):
        store.catalogue.add(one, SOURCE)
    found = store.catalogue.find(image_id)
    assert found is not None
    assert found.collection == "default"
    assert sorted(store.catalogue.occurrences(image_id).collections) == ["a", "default", collection]
    for one in (preferred, first):
        store.catalogue.delete_record(key_of(one))


def test_a_record_has_some_of_its_sources_and_the_occurrences_all(store: Store, collection: str) -> None:
    image = add(store, collection)
    key = key_of(image)
    names = [f"{number}.jpg" for number in range(MAX_SOURCES_SHOWN + 3)]
    sources = store.hold(key, *names)
    [elsewhere] = store.hold(ImageKey(f"{collection}-2", key.image_id), "elsewhere.jpg")
    found = store.catalogue.find(key.image_id, collection)
    assert found is not None
    assert len(found.sources) == MAX_SOURCES_SHOWN
    assert set(found.sources) < set(sources)
    everywhere = store.catalogue.occurrences(key.image_id)
    assert everywhere.collections == [collection]
    assert {source for name, source in everywhere.sources if name == collection} == set(sources)
    assert [source for name, source in everywhere.sources if name != collection] == [elsewhere]
    for name in (collection, f"{collection}-2"):
        assert store.catalogue.occurrences(key.image_id, name) == everywhere.of(name)
    assert not store.catalogue.occurrences("0" * 64)


def test_pages_lose_nothing_in_either_order(store: Store, collection: str) -> None:
    images = [add(store, collection) for _ in range(7)]
    add(store, f"{collection}-2")
    assert store.catalogue.page(collection, wanted=EVERYTHING, limit=7, cursor=None).cursor is None
    assert listed(store, collection, Order.OLDEST) == [image.record for image in images]
    found = list[ImageRecord]()
    cursor = None
    for size in (3, 3, 1):
        page = store.catalogue.page(collection, wanted=EVERYTHING, limit=3, cursor=cursor)
        assert len(page.records) == size
        found += page.records
        store.catalogue.delete_record(ImageKey(collection, found[-1].image_id))
        cursor = page.cursor
    assert cursor is None
    assert found == [image.record for image in reversed(images)]


def test_images_of_the_same_time_are_paged(store: Store, collection: str) -> None:
    time = "2026-11-28T12:00:00.000000+00:00"
    ids = {add(store, collection, created_at=time).record.image_id for _ in range(5)}
    for order in Order:
        found = [record.image_id for record in listed(store, collection, order)]
        assert len(found) == 5
        assert set(found) == ids


def test_a_cursor_of_another_listing_is_refused(store: Store, collection: str) -> None:
    for _ in range(2):
        add(store, collection)
    cursor = store.catalogue.page(collection, wanted=EVERYTHING, limit=1, cursor=None).cursor
    earlier = ImageFilter(until="2026-11-27")
    for name, wanted, wrong in (
        (f"{collection}-2", EVERYTHING, cursor),
        (collection, EVERYTHING, "x"),
        (collection, earlier, cursor),
    ):
        with pytest.raises(InvalidCursor):
            store.catalogue.page(name, wanted=wanted, limit=1, cursor=wrong)


def test_pages_are_limited_to_images_with_one_of_several_labels(store: Store, collection: str) -> None:
    cats = [add(store, collection) for _ in range(3)]
    dogs = [add(store, collection, labels=(Label("Dog, hound", 0.5), Label("lynx", 0.1))) for _ in range(3)]
    add(store, collection, labels=())
    wanted = [image.record for image in reversed([*cats, *dogs])]

    def pages(*labels: str) -> list[ImageRecord]:
        return listed(store, collection, labels=frozenset(labels))

    assert pages("lynx") == pages("egyptian cat", "dog hound", "lynx") == wanted
    assert pages("dog hound", "wolf") == wanted[:3]
    assert pages("egyptian cat") == wanted[3:]
    assert pages("Dog, hound") == pages("wolf") == pages() == []


def test_pages_are_limited_by_every_condition(store: Store, collection: str) -> None:
    one = add(store, collection, format="png", bytes=100, width=10, height=10, filename="Straße am SEE.png")
    two = add(store, collection, format="jpeg", bytes=200, width=30, height=10, filename="100%_see.jpg")
    three = add(store, collection, format="jpeg", bytes=300, width=10, height=50, labels=())
    records = [image.record for image in (one, two, three)]
    for expected, conditions in (
        ("2", {"since": records[2].created_at}),
        ("10", {"until": records[1].created_at}),
        ("1", {"since": records[1].created_at, "until": records[1].created_at}),
        ("", {"since": "2026-11-29"}),
        ("21", {"format": "jpeg"}),
        ("21", {"min_bytes": 200}),
        ("10", {"max_bytes": 200}),
        ("2", {"min_pixels": 301}),
        ("10", {"max_pixels": 300}),
        ("10", {"filename": "sEe"}),
        ("0", {"filename": "STRASSE"}),
        ("1", {"filename": "%_"}),
        ("1", {"format": "jpeg", "labels": frozenset({"lynx"}), "min_bytes": 1}),
        ("210", {"filename": ""}),
    ):
        wanted = [records[int(place)] for place in expected]
        assert listed(store, collection, **conditions) == wanted, conditions
        assert listed(store, collection, Order.OLDEST, **conditions) == wanted[::-1], conditions


def test_annotations_are_returned_and_listed_by(store: Store, collection: str) -> None:
    one, two, three = (add(store, collection) for _ in range(3))
    ada, both = {"by": "Ada"}, {"by": "Ada", "place": "Linz: Österreich"}
    noted = [Annotations("DAM-1", "é", ada), Annotations(None, None, both), Annotations("DAM-3")]
    records = []
    for image, annotations in zip((one, two, three), noted, strict=True):
        store.catalogue.annotate(key_of(image), NO_ANNOTATIONS, annotations)
        records.append(replace(image.record, annotations=annotations))
        assert store.catalogue.find(image.record.image_id, collection) == records[-1]
    add(store, collection)
    ids = [record.image_id for record in records]
    assert store.catalogue.existing(ids, collection) == dict(zip(ids, noted, strict=True))
    assert store.catalogue.shown(collection, [*ids, "0" * 64]) == dict(zip(ids, records, strict=True))
    assert listed(store, collection)[1:] == records[::-1]
    for expected, conditions in (
        ("0", {"external_id": "DAM-1"}),
        ("10", {"fields": ada}),
        ("1", {"fields": both}),
        ("", {"fields": both, "external_id": "DAM-1"}),
        ("0", {"fields": ada, "external_id": "DAM-1", "labels": frozenset({"lynx", "wolf"}), "format": "jpeg"}),
        ("", {"external_id": "DAM-1", "labels": frozenset({"wolf"})}),
        ("", {"external_id": "dam-1"}),
    ):
        wanted = [records[int(place)] for place in expected]
        assert listed(store, collection, **conditions) == wanted, conditions


def test_annotations_are_only_replaced_if_they_have_not_changed(store: Store, collection: str) -> None:
    image = add(store, collection)
    key, first = key_of(image), Annotations(note="first", fields={"a": "b"})
    store.catalogue.annotate(key, NO_ANNOTATIONS, first)
    for missing, before in ((key, NO_ANNOTATIONS), (ImageKey(collection, "0" * 64), NO_ANNOTATIONS)):
        with pytest.raises(ConflictError):
            store.catalogue.annotate(missing, before, Annotations(note="second"))
    other = described_by(image, "n")
    store.catalogue.add(other, OTHER)
    assert listed(store, collection, fields={"a": "b"}) == [replace(other.record, annotations=first)], "they stay"
    store.catalogue.annotate(key, first, NO_ANNOTATIONS)
    assert store.catalogue.existing([key.image_id], collection) == {key.image_id: NO_ANNOTATIONS}
    assert listed(store, collection, fields={"a": "b"}) == []


def test_the_nearest_images_come_first(store: Store, collection: str) -> None:
    cat, dog = (add(store, collection, labels=(Label(name, 0.5),)) for name in ("Cat", "Dog"))
    add(store, f"{collection}-2")
    query = normalise(cat.features + 0.5 * dog.features)
    found = store.catalogue.nearest(query, collection=collection, model="m", label=None, limit=5).found
    assert [one.record for one in found] == [cat.record, dog.record]
    assert [one.cosine for one in found] == [pytest.approx(cosine(query, one.features), abs=2e-3) for one in (cat, dog)]
    for label, limit, expected in (("dog", 5, [dog]), (None, 1, [cat]), ("Dog", 5, []), ("wolf", 5, [])):
        found = store.catalogue.nearest(query, collection=collection, model="m", label=label, limit=limit).found
        assert [one.record for one in found] == [image.record for image in expected]
    assert cat.local_features is not None
    local = store.catalogue.nearest_local(cat.local_features, collection=collection, model="m", limit=1).found
    assert [one.record for one in local] == [cat.record]
    assert local[0].cosine == pytest.approx(1, abs=0.02)


def test_each_model_has_its_own_neighbours(store: Store, collection: str) -> None:
    image = make_image(collection)
    second = described_by(image, "n", Label("dog", 0.5))
    store.catalogue.add(image, SOURCE, [replace(second, local_features=None)])
    for one in (image, second):
        found = store.catalogue.nearest(
            one.features, collection=collection, model=one.record.model, label=None, limit=5
        ).found
        assert [each.record for each in found] == [one.record], "with the labels of the model"
        assert found[0].cosine == pytest.approx(1, abs=2e-3)
    assert second.local_features is not None
    assert not store.catalogue.nearest_local(second.local_features, collection=collection, model="n", limit=5).found, (
        "an image may have no keypoints"
    )


def test_a_vector_that_is_not_finite_is_refused_and_nothing_stored(store: Store, collection: str) -> None:
    image = make_image(collection)
    for name in ("features", "local_features"):
        vector = getattr(image, name).copy()
        vector[3] = np.nan
        with pytest.raises(PictureRefused):
            store.catalogue.add(replace(image, **{name: vector}), SOURCE)
    assert store.catalogue.find(image.record.image_id, collection) is None
