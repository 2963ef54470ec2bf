"""What every store of albums and their links does."""

import uuid
from dataclasses import replace

import pytest

from shared.domain import limits
from shared.domain.albums import Album, AlbumChange, AlbumFull, AlbumKey, AlbumMissing, Share, new_album_id, token_hash
from shared.domain.errors import InvalidCursor
from shared.domain.filters import ImageFilter, Order, Sort
from shared.domain.images import ObjectRef
from shared.domain.ledger import ImageKey
from tests.contract.stores.conftest import Store, key_of, make_image

SOURCE = ObjectRef("images", "uploads/cats/" + "0" * 32)
NOW = "2026-11-28T18:00:00.000000+00:00"


def create(store: Store, collection: str, title: str = "Holidays") -> AlbumKey:
    key = AlbumKey(collection, new_album_id())
    store.albums.create(Album(key, title, None, None, 0, "2026-11-28T18:00:00+00:00"))
    return key


def add(store: Store, collection: str, count: int) -> list[str]:
    """The ids of new images, the first added first."""
    images = [make_image(collection) for _ in range(count)]
    for image in images:
        assert store.catalogue.add(image, SOURCE)
    return [image.record.image_id for image in images]


def delete(store: Store, album: AlbumKey) -> None:
    """Delete an album for good."""
    assert store.album_trash.put(album, NOW)
    assert store.album_trash.purge(album, "9999", 1_000)


def listed(store: Store, album: AlbumKey, sort: Sort = Sort.ADDED, order: Order = Order.NEWEST) -> list[str]:
    found, cursor = list[str](), None
    while True:
        wanted = ImageFilter(album=album.album_id)
        page = store.catalogue.page(album.collection, wanted=wanted, sort=sort, order=order, limit=2, cursor=cursor)
        found += [record.image_id for record in page.records]
        cursor = page.cursor
        if cursor is None:
            return found


def images(store: Store, album: AlbumKey) -> int:
    found = store.albums.find(album)
    assert found is not None
    return found.images


def test_an_album_is_created_changed_listed_and_deleted(store: Store, collection: str) -> None:
    first, second, third = (create(store, collection, title) for title in ("One", "Two", "Three"))
    create(store, f"{collection}-b")
    assert store.albums.change(second, AlbumChange(title="Zwei", description="ours", cover="a" * 64)) == Album(
        second, "Zwei", "ours", "a" * 64, 0, "2026-11-28T18:00:00+00:00"
    )
    changed = store.albums.change(second, AlbumChange(cover=None))
    assert (changed.title, changed.description, changed.cover) == ("Zwei", "ours", None)
    assert store.albums.find(second) == changed

    page = store.albums.page(collection, limit=2, cursor=None)
    assert [album.key for album in page.albums] == [third, second]
    rest = store.albums.page(collection, limit=2, cursor=page.cursor)
    assert ([album.key for album in rest.albums], rest.cursor) == ([first], None)
    with pytest.raises(InvalidCursor):
        store.albums.page(f"{collection}-b", limit=2, cursor=page.cursor)

    kept = add(store, collection, 1)
    store.albums.add(second, kept)
    delete(store, second)
    assert store.albums.find(second) is None
    assert [album.key for album in store.albums.page(collection, limit=9, cursor=None).albums] == [third, first]
    assert listed(store, second) == []
    assert store.catalogue.find(kept[0], collection) is not None
    assert store.albums.of_image(ImageKey(collection, kept[0])) == []
    for work in (lambda: store.albums.change(second, AlbumChange(title="x")), lambda: store.albums.add(second, kept)):
        with pytest.raises(AlbumMissing):
            work()


def test_an_image_is_in_many_albums_and_listed_in_the_order_of_its_collection(store: Store, collection: str) -> None:
    one, two = create(store, collection), create(store, collection)
    a, b, c, d = add(store, collection, 4)
    assert store.albums.add(one, [c, a, "0" * 64, a]) == ["0" * 64]
    assert store.albums.add(one, [a, b]) == []
    assert store.albums.add(two, [b]) == []
    for sort in Sort:
        assert listed(store, one, sort) == [c, b, a]
        assert listed(store, one, sort, Order.OLDEST) == [a, b, c]
    assert listed(store, two) == [b]
    assert (images(store, one), images(store, two)) == (3, 1)
    assert [album.key for album in store.albums.of_image(ImageKey(collection, b))] == [two, one]
    assert sorted(store.albums.held(one, [a, b, d, a, "0" * 64])) == sorted([a, b])
    assert list(store.albums.held(two, [a])) == []
    assert list(store.albums.held(two, [])) == []
    found = store.albums.find(one)
    assert found is not None
    assert found.cover == c  # the first that was added

    store.albums.remove(one, [c, d])
    store.albums.remove(one, [c])
    assert listed(store, one) == [b, a]
    found = store.albums.find(one)
    assert found is not None
    assert (found.images, found.cover) == (2, None)
    page = store.catalogue.page(collection, wanted=ImageFilter(album=one.album_id, format="png"), limit=9, cursor=None)
    assert page.records == []


def test_the_trash_keeps_an_image_in_its_albums_and_a_purge_does_not(store: Store, collection: str) -> None:
    album, image = create(store, collection), make_image(collection)
    store.catalogue.add(image, SOURCE)
    key = key_of(image)
    (other,) = add(store, collection, 1)
    store.albums.add(album, [key.image_id, other])
    assert store.trash.put(key, NOW)
    assert listed(store, album) == [other]
    assert images(store, album) == 2
    assert store.albums.add(album, [key.image_id]) == [key.image_id]
    assert store.trash.take_out(key)
    assert listed(store, album) == [other, key.image_id]

    store.trash.put(key, NOW)
    again = replace(image, record=replace(image.record, created_at="2026-11-29T12:00:00.000000+00:00"))
    assert store.catalogue.add(again, SOURCE)  # an upload of the same bytes
    assert set(listed(store, album)) == {other, key.image_id}

    store.trash.put(key, NOW)
    store.catalogue.delete_record(key)
    assert listed(store, album) == [other]
    assert images(store, album) == 1
    store.catalogue.add(image, SOURCE)
    assert listed(store, album) == [other]
    assert store.albums.of_image(key) == []
    found = store.albums.find(album)
    assert found is not None
    assert found.cover is None
    store.catalogue.delete_record(ImageKey(collection, other))
    assert images(store, album) == 0


def test_an_album_has_a_limit_and_takes_many_at_once(
    store: Store, collection: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("shared.aws.dynamodb.albums", "shared.embedded.albums"):
        monkeypatch.setattr(f"{module}.MAX_ALBUM_IMAGES", 36)
    assert limits.MAX_ALBUM_IMAGES == 10_000
    album = create(store, collection)
    many = add(store, collection, 37)
    assert store.albums.add(album, many[:36]) == []  # more than one transaction
    assert listed(store, album) == many[35::-1]
    with pytest.raises(AlbumFull):
        store.albums.add(album, many)
    assert images(store, album) == 36
    store.albums.remove(album, many)
    assert (images(store, album), listed(store, album)) == (0, [])


def test_a_link_is_found_by_the_hash_of_its_token_until_it_is_revoked(store: Store, collection: str) -> None:
    album, other = create(store, collection), create(store, collection)
    hashes = [token_hash(uuid.uuid4().hex) for _ in range(3)]
    shares = [
        Share(f"{number:032x}", owner, f"2026-11-28T18:00:0{number}+00:00", 1_900_000_000 + number)
        for number, owner in enumerate((album, album, other))
    ]
    for share, secret in zip(shares, hashes, strict=True):
        store.shares.create(share, secret)
    assert [store.shares.find(secret) for secret in hashes] == shares
    assert store.shares.find(token_hash("x")) is None
    assert store.shares.list_all(album) == shares[:2]
    assert not store.shares.revoke(album, shares[2].share_id)
    assert store.shares.revoke(album, shares[0].share_id)
    assert not store.shares.revoke(album, shares[0].share_id)
    assert store.shares.list_all(album) == shares[1:2]
    assert store.shares.find(hashes[0]) is None
    delete(store, album)
    assert store.shares.find(hashes[1]) is None
    assert store.shares.find(hashes[2]) == shares[2]


def test_an_album_that_is_there_is_not_created_again(store: Store, collection: str) -> None:
    album = create(store, collection, "Rome")
    store.albums.add(album, add(store, collection, 2))
    before = store.albums.find(album)
    store.albums.create(Album(album, "Another", "text", None, 0, "2026-11-29T18:00:00+00:00"))
    assert store.albums.find(album) == before
    assert len(listed(store, album)) == 2
    share = Share("s" * 32, album, "2026-11-28T18:00:00+00:00", 4_000_000_000)
    store.shares.create(share, token_hash("t" * 43))
    delete(store, album)
    store.albums.create(Album(album, "Again", None, None, 0, "2026-11-29T18:00:00+00:00"))
    assert (images(store, album), listed(store, album), list(store.shares.list_all(album))) == (0, [], [])
    assert store.shares.find(token_hash("t" * 43)) is None
