"""Perceptual hashes of a collection are read in the order of its listing."""

from dataclasses import replace

from shared.domain.ledger import ImageKey
from shared.domain.perceptual_hashes import HashKind, Pdq
from tests.contract.stores.conftest import Store, key_of, make_image
from tests.contract.stores.test_catalogue import SOURCE, add, listed

PDQ = Pdq("0f" * 32, 100)


def read(store: Store, collection: str, kind: HashKind) -> list[tuple[str, str | None]]:
    """Every hash of a collection with its image, from pages of two."""
    found: list[tuple[str, str | None]] = []
    after = None
    while True:
        page = store.catalogue.hashes(collection, kind, limit=2, after=after)
        assert len(page.entries) <= 2
        found += [(entry.image_id, entry.value) for entry in page.entries]
        if not page.more:
            return found
        after = page.entries[-1].created_at, page.entries[-1].image_id


def test_hashes_are_read_in_pages_the_newest_first(store: Store, collection: str) -> None:
    images = [add(store, collection, phash=f"{number:016x}", pdq=PDQ if number % 2 else None) for number in range(5)]
    images += [add(store, collection, phash="f" * 16, created_at=images[-1].record.created_at)]
    add(store, f"{collection}-b")
    in_order = [record.image_id for record in listed(store, collection)]
    phashes = {image.record.image_id: image.record.phash for image in images}
    assert read(store, collection, HashKind.PHASH) == [(image_id, phashes[image_id]) for image_id in in_order]
    pdqs = {image.record.image_id: image.record.pdq and image.record.pdq.value for image in images}
    assert read(store, collection, HashKind.PDQ) == [(image_id, pdqs[image_id]) for image_id in in_order]
    assert read(store, f"{collection}-c", HashKind.PHASH) == []


def test_a_pdq_hash_is_part_of_the_record(store: Store, collection: str) -> None:
    image = add(store, collection, pdq=PDQ, things=("dog",), pages=3)
    assert store.catalogue.find(image.record.image_id, collection) == image.record
    assert [record.pdq for record in listed(store, collection)] == [PDQ]
    store.catalogue.set_things(key_of(image), ["cat"])
    store.catalogue.add(replace(make_image(collection), record=replace(image.record, model="n", pdq=None)), SOURCE)
    assert [record.pdq for record in listed(store, collection)] == [None]


def test_a_pdq_hash_is_added_later(store: Store, collection: str) -> None:
    image = add(store, collection, things=("dog",))
    store.catalogue.set_pdq(key_of(image), PDQ)
    assert store.catalogue.find(image.record.image_id, collection) == replace(image.record, pdq=PDQ)
    store.catalogue.set_pdq(ImageKey(collection, "0" * 64), PDQ)
    assert store.catalogue.find("0" * 64, collection) is None


def test_the_trash_keeps_hashes_and_hides_them(store: Store, collection: str) -> None:
    image = add(store, collection, pdq=PDQ)
    assert store.trash.put(key_of(image), "2026-11-29T12:00:00+00:00")
    assert read(store, collection, HashKind.PDQ) == []
    assert store.trash.take_out(key_of(image))
    assert read(store, collection, HashKind.PDQ) == [(image.record.image_id, PDQ.value)]
