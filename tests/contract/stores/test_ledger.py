"""What every ledger does."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from shared.domain.images import ObjectRef
from shared.domain.ledger import ConflictError, ImageKey, ObjectState, ObjectStatus
from tests.contract.stores.conftest import Store, key_of, make_image


@pytest.fixture
def image_key(collection: str) -> ImageKey:
    return key_of(make_image(collection))


@pytest.fixture
def source(collection: str) -> ObjectRef:
    return ObjectRef("images", f"{collection}/a é.jpg", "v1")


def holders(store: Store, image_key: ImageKey) -> Sequence[ObjectRef]:
    return [source for _, source in store.catalogue.occurrences(image_key.image_id, image_key.collection).sources]


def test_an_entry_is_found_as_it_was_stored(store: Store, image_key: ImageKey, source: ObjectRef) -> None:
    assert store.ledger.find(source) is None
    state = ObjectState(
        source,
        ObjectStatus.HELD,
        image_key,
        sequencer="0055AED6DCD90281E5",
        etag="abc",
        code="archived",
        reason="The object is archived.",
        former_images={ImageKey("c", "1" * 64): 1_800_000_000, ImageKey("d-1", "2" * 64): 1_800_000_001},
    )
    store.ledger.change(None, state)
    assert store.ledger.find(replace(source, version=None)) == replace(state, revision=1)
    bare = ObjectState(source, ObjectStatus.REJECTED)
    store.ledger.change(replace(state, revision=1), bare)
    assert store.ledger.find(source) == replace(bare, revision=2)
    assert store.ledger.find(replace(source, bucket="other")) is None


def test_an_image_has_the_sources_that_hold_it(store: Store, image_key: ImageKey, source: ObjectRef) -> None:
    other = replace(image_key, image_id="f" * 32 + image_key.image_id[32:])
    state = ObjectState(source, ObjectStatus.HELD, image_key)
    store.ledger.change(None, state)
    assert holders(store, image_key) == [source]
    newer = replace(state, object=replace(source, version="v2"), image_key=other, revision=1)
    store.ledger.change(replace(state, revision=1), newer)
    assert (holders(store, image_key), holders(store, other)) == ([], [newer.object])
    again = replace(newer, object=replace(source, version="v3"), revision=2)
    store.ledger.change(replace(newer, revision=2), again)
    assert holders(store, other) == [again.object]
    for status in (ObjectStatus.REMOVED, ObjectStatus.HELD, ObjectStatus.DISMISSED):
        before = store.ledger.find(source)
        assert before is not None
        store.ledger.change(before, replace(before, status=status))
        assert holders(store, other) == ([again.object] if status is ObjectStatus.HELD else [])
        after = store.ledger.find(source)
        assert after is not None
        assert (after.status, after.image_key) == (status, other)


def test_a_change_of_an_entry_that_has_changed_is_refused_whole(
    store: Store, image_key: ImageKey, source: ObjectRef
) -> None:
    state = ObjectState(source, ObjectStatus.HELD, image_key)
    with pytest.raises(ConflictError):
        store.ledger.change(replace(state, revision=1), state)
    assert store.ledger.find(source) is None
    store.ledger.change(None, state)
    removed = replace(state, status=ObjectStatus.REMOVED)
    for stale in (None, replace(state, revision=2)):
        with pytest.raises(ConflictError):
            store.ledger.change(stale, removed)
    assert store.ledger.find(source) == replace(state, revision=1)
    assert holders(store, image_key) == [source]


def test_one_of_several_concurrent_changes_succeeds(store: Store, image_key: ImageKey, source: ObjectRef) -> None:
    store.ledger.change(None, ObjectState(source, ObjectStatus.HELD, image_key))
    before = store.ledger.find(source)
    assert before is not None

    def change(number: int) -> bool:
        try:
            store.ledger.change(before, replace(before, etag=str(number)))
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(change, range(8))) == 1
    after = store.ledger.find(source)
    assert after is not None
    assert after.revision == 2
