"""What every catalogue does."""

from dataclasses import replace

import numpy as np
import pytest

from shared.domain.errors import InvalidCursor, PictureRefused
from shared.domain.features import FEATURE_DIMENSIONS, cosine, normalise
from shared.domain.images import ImageRecord, IndexedImage, Label, ObjectRef
from shared.domain.ledger import ImageKey
from shared.domain.limits import MAX_SOURCES_SHOWN
from tests.contract.stores.conftest import Store, described_by, key_of, make_image

SOURCE = ObjectRef("images", "uploads/cats/" + "0" * 32)
OTHER = ObjectRef("images", "any/where.jpg", "v1")


def add(store: Store, collection: str, **changes: object) -> IndexedImage:
    image = make_image(collection, **changes)  # type: ignore[arg-type]
    assert store.catalogue.add(image, SOURCE)
    return image


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
    assert store.catalogue.newest(collection, labels=["dog"], limit=9, cursor=None).records == []
    assert store.catalogue.count(collection) == (1, True)


def test_nothing_of_a_deleted_record_is_found(store: Store, collection: str) -> None:
    image = make_image(collection)
    key = key_of(image)
    second = described_by(image, "n", Label("dog", 0.5))
    store.catalogue.add(image, SOURCE, [second])
    assert store.catalogue.delete_record(key) is True
    assert store.catalogue.delete_record(key) is False
    assert store.catalogue.find(key.image_id, collection) is None
    assert store.catalogue.existing([key.image_id], collection) == set()
    assert store.catalogue.count(collection) == (0, True)
    assert store.catalogue.is_first_source(key, ["m"], SOURCE) is None
    assert not store.catalogue.described(key, ["m"])
    for one in (image, second):
        model = one.record.model
        assert store.catalogue.features(key.image_id, collection, model) is None
        assert not store.catalogue.nearest(one.features, collection=collection, model=model, label=None, limit=5).found
    for labels in (None, ["lynx"]):
        assert store.catalogue.newest(collection, labels=labels, limit=9, cursor=None).records == []
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
    assert store.catalogue.existing([image_id, "0" * 64], f"{collection}-2") == {image_id}
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


def test_pages_are_newest_first_and_lose_nothing(store: Store, collection: str) -> None:
    images = [add(store, collection) for _ in range(7)]
    add(store, f"{collection}-2")
    assert store.catalogue.newest(collection, labels=None, limit=7, cursor=None).cursor is None
    listed = list[ImageRecord]()
    cursor = None
    for size in (3, 3, 1):
        page = store.catalogue.newest(collection, labels=None, limit=3, cursor=cursor)
        assert len(page.records) == size
        listed += page.records
        store.catalogue.delete_record(ImageKey(collection, listed[-1].image_id))
        cursor = page.cursor
    assert cursor is None
    assert listed == [image.record for image in reversed(images)]


def test_a_cursor_of_another_collection_is_refused(store: Store, collection: str) -> None:
    for _ in range(2):
        add(store, collection)
    cursor = store.catalogue.newest(collection, labels=None, limit=1, cursor=None).cursor
    for wrong in (cursor, "x"):
        with pytest.raises(InvalidCursor):
            store.catalogue.newest(f"{collection}-2", labels=None, limit=1, cursor=wrong)


def test_pages_are_limited_to_images_with_one_of_several_labels(store: Store, collection: str) -> None:
    cats = [add(store, collection) for _ in range(3)]
    dogs = [add(store, collection, labels=(Label("Dog, hound", 0.5), Label("lynx", 0.1))) for _ in range(3)]
    add(store, collection, labels=())
    wanted = [image.record for image in reversed([*cats, *dogs])]

    def pages(*labels: str) -> list[ImageRecord]:
        listed = list[ImageRecord]()
        cursor = None
        while True:
            page = store.catalogue.newest(collection, labels=set(labels), limit=2, cursor=cursor)
            assert len(page.records) <= 2
            listed += page.records
            if page.cursor is None:
                return listed
            cursor = page.cursor

    assert pages("lynx") == pages("egyptian cat", "dog hound", "lynx") == wanted
    assert pages("dog hound", "wolf") == wanted[:3]
    assert pages("egyptian cat") == wanted[3:]
    assert pages("Dog, hound") == pages("wolf") == pages() == []


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
