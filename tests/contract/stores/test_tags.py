"""Tags and favourites: what every catalogue does with them."""

from typing import Any

from shared.domain.annotations import NO_ANNOTATIONS, AnnotationChange, Annotations, TagChange
from shared.domain.filters import ImageFilter, Sort
from shared.domain.images import IndexedImage, ObjectRef
from shared.domain.ledger import ImageKey
from shared.domain.tags import TagDecisions, TagMatch
from tests.contract.stores.conftest import Store, described_by, key_of, make_image

SOURCE = ObjectRef("images", "uploads/cats/" + "0" * 32)
NOW = "2026-11-28T18:00:00.000000+00:00"


def add(store: Store, collection: str, things: tuple[str, ...] | None, **changes: Any) -> IndexedImage:
    image = make_image(collection, things=things, **changes)
    assert store.catalogue.add(image, SOURCE)
    return image


def change(store: Store, image: IndexedImage, *changes: TagChange | AnnotationChange) -> Annotations:
    key = key_of(image)
    record = store.catalogue.find(key.image_id, key.collection)
    assert record is not None
    after = record.annotations
    for one in changes:
        after = one.apply(after)
    store.catalogue.annotate(key, record.annotations, after)
    return after


def tags(store: Store, image: IndexedImage) -> tuple[str, ...]:
    record = store.catalogue.find(image.record.image_id, image.record.collection)
    assert record is not None
    return record.tags


def listed(store: Store, collection: str, sort: Sort = Sort.ADDED, **conditions: Any) -> list[str]:
    """The ids of all images that meet conditions, from pages of two."""
    found, cursor = list[str](), None
    while True:
        page = store.catalogue.page(collection, wanted=ImageFilter(**conditions), sort=sort, limit=2, cursor=cursor)
        found += [record.image_id for record in page.records]
        cursor = page.cursor
        if cursor is None:
            return found


def test_what_people_decide_on_tags_counts(store: Store, collection: str) -> None:
    image = add(store, collection, ("dog", "animal"))
    assert tags(store, image) == ("dog", "animal")
    change(store, image, TagChange("my dog", wanted=True), TagChange("animal", wanted=False))
    assert tags(store, image) == ("my dog", "dog")
    change(store, image, TagChange("animal", wanted=True), TagChange("dog", wanted=False))
    assert tags(store, image) == ("animal", "my dog")
    counted = store.catalogue.tag_counts(collection)
    assert (counted.counts, counted.images, counted.exact) == ({"animal": 1, "my dog": 1}, 1, True)
    assert dict(store.catalogue.existing([image.record.image_id], collection)) == {
        image.record.image_id: Annotations(tags=TagDecisions(frozenset({"animal", "my dog"}), frozenset({"dog"})))
    }


def test_a_removed_tag_stays_removed_when_the_image_comes_back(store: Store, collection: str) -> None:
    image, key = add(store, collection, ("dog", "animal")), None
    key = key_of(image)
    change(
        store, image, TagChange("dog", wanted=False), TagChange("rex", wanted=True), AnnotationChange(favourite=True)
    )
    again = described_by(image, "n")
    store.catalogue.add(again, SOURCE)
    assert tags(store, image)[0] == "rex"
    assert "dog" not in tags(store, image)

    assert store.trash.put(key, NOW)
    assert listed(store, collection, tags=frozenset({"rex"})) == []
    assert store.catalogue.tag_counts(collection).counts == {}
    assert store.trash.take_out(key)
    assert listed(store, collection, tags=frozenset({"rex"}), favourite=True) == [key.image_id]

    store.catalogue.delete_record(key)
    assert store.catalogue.tag_counts(collection).counts == {}
    assert store.catalogue.add(image, SOURCE)
    assert tags(store, image) == ("rex", "animal")
    assert listed(store, collection, tags=frozenset({"dog"})) == []
    assert listed(store, collection, favourite=True) == []  # that went with the image
    record = store.catalogue.find(key.image_id, collection)
    assert record is not None
    store.catalogue.annotate(key, record.annotations, NO_ANNOTATIONS)
    assert tags(store, image) == ("dog", "animal")


def test_listings_are_filtered_by_tags_and_favourites(store: Store, collection: str) -> None:
    dog = add(store, collection, ("dog", "animal"))
    cat = add(store, collection, ("cat", "animal"))
    beach = add(store, collection, ("beach",))
    none = add(store, collection, ())
    change(store, beach, TagChange("dog", wanted=True), AnnotationChange(favourite=True, note="ours"))
    change(store, cat, TagChange("animal", wanted=False))
    ids = {
        name: image.record.image_id for name, image in (("dog", dog), ("cat", cat), ("beach", beach), ("none", none))
    }
    for sort in Sort:
        for conditions, expected in (
            ({"tags": frozenset({"dog"})}, ["beach", "dog"]),
            ({"tags": frozenset({"animal"})}, ["dog"]),
            ({"tags": frozenset({"dog", "cat"})}, ["beach", "cat", "dog"]),
            ({"tags": frozenset({"dog", "beach"}), "tag_match": TagMatch.ALL}, ["beach"]),
            ({"tags": frozenset({"dog", "cat"}), "tag_match": TagMatch.ALL}, []),
            ({"tags": frozenset({"dog", "cat"}), "favourite": True}, ["beach"]),
            ({"tags": frozenset({"dog", "cat"}), "favourite": False}, ["cat", "dog"]),
            ({"favourite": True}, ["beach"]),
            ({"favourite": False}, ["none", "cat", "dog"]),
            ({"tags": frozenset({"dog"}), "labels": frozenset({"lynx"})}, ["beach", "dog"]),
            ({"tags": frozenset({"dog"}), "labels": frozenset({"spoon"})}, []),
        ):
            found = listed(store, collection, sort, **conditions)
            assert found == [ids[name] for name in expected], (sort, conditions)


def test_things_are_told_later_of_images_of_earlier_versions(store: Store, collection: str) -> None:
    old = add(store, collection, None, capture=None)
    key = key_of(old)
    assert tags(store, old) == ()
    store.catalogue.set_things(key, ["dog", "animal"])
    assert tags(store, old) == ("dog", "animal")
    found = store.catalogue.find(key.image_id, collection)
    assert found is not None
    assert found.capture is None
    assert listed(store, collection, tags=frozenset({"animal"})) == [key.image_id]
    assert listed(store, collection, Sort.TAKEN, tags=frozenset({"animal"})) == [key.image_id]
    store.catalogue.set_things(ImageKey(collection, "0" * 64), ["dog"])
    assert store.catalogue.find("0" * 64, collection) is None
