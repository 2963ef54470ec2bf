"""What every store does with albums in the trash."""

import pytest

from shared.domain.albums import Album, AlbumChange, AlbumKey, AlbumMissing, Share, token_hash
from shared.domain.errors import InvalidCursor
from shared.domain.ledger import ImageKey
from tests.contract.stores.conftest import Store
from tests.contract.stores.test_albums import NOW, add, create, images, listed


def at(second: int) -> str:
    return f"2026-11-28T12:00:{second:02}.000000+00:00"


def share(store: Store, album: AlbumKey, name: str) -> str:
    """The hash of the token of a new link."""
    secret = token_hash(f"{album.album_id}{name}")
    link = Share(token_hash(name)[:32], album, "2026-11-28T18:00:00+00:00", 4_000_000_000)
    store.shares.create(link, secret)
    return secret


def trashed(store: Store, collection: str) -> list[tuple[AlbumKey, str]]:
    page = store.album_trash.page(collection, limit=50, cursor=None)
    return [(found.album.key, found.trashed_at) for found in page.albums]


def due(store: Store, album: AlbumKey, before: str) -> bool:
    alone, of_all = store.album_trash.due(before, 1000, album.collection), store.album_trash.due(before, 1000)
    assert (album in alone) == (album in of_all)
    return album in alone


def test_nothing_finds_an_album_in_the_trash_until_it_is_restored(store: Store, collection: str) -> None:
    album, other = create(store, collection), create(store, collection)
    ids = add(store, collection, 3)
    store.albums.add(album, ids)
    store.albums.add(other, ids[:1])
    secret = share(store, album, "x")
    before = store.albums.find(album)
    assert before is not None

    assert store.album_trash.put(album, at(1))
    assert not store.album_trash.put(album, at(2))
    assert store.albums.find(album) is None
    assert [found.key for found in store.albums.page(collection, limit=1, cursor=None).albums] == [other]
    assert [found.key for found in store.albums.of_image(ImageKey(collection, ids[0]))] == [other]
    assert listed(store, album) == []
    assert listed(store, other) == ids[:1]
    for work in (
        lambda: store.albums.change(album, AlbumChange(title="x")),
        lambda: store.albums.add(album, ids),
        lambda: share(store, album, "y"),
    ):
        with pytest.raises(AlbumMissing):
            work()
    store.albums.create(Album(album, "Another", None, None, 0, NOW))
    assert store.albums.find(album) is None
    assert trashed(store, collection) == [(album, at(1))]
    assert store.album_trash.page(collection, limit=9, cursor=None).albums[0].album == before

    assert store.album_trash.take_out(album)
    assert not store.album_trash.take_out(album)
    assert store.albums.find(album) == before
    assert listed(store, album) == ids[::-1]
    assert {found.key for found in store.albums.of_image(ImageKey(collection, ids[0]))} == {album, other}
    found = store.shares.find(secret)
    assert found is not None
    assert found.album == album
    assert trashed(store, collection) == []
    assert not due(store, album, at(59))


def test_an_image_that_is_purged_leaves_albums_in_the_trash_and_one_that_is_restored_does_not(
    store: Store, collection: str
) -> None:
    album = create(store, collection)
    gone, back, kept = add(store, collection, 3)
    store.albums.add(album, [gone, back, kept])
    assert store.trash.put(ImageKey(collection, back), at(1))
    assert store.album_trash.put(album, at(2))
    store.catalogue.delete_record(ImageKey(collection, gone))
    assert store.trash.take_out(ImageKey(collection, back))
    assert store.album_trash.take_out(album)
    assert listed(store, album) == [kept, back]
    assert images(store, album) == 2
    found = store.albums.find(album)
    assert found is not None
    assert found.cover is None


def test_an_album_is_purged_in_steps_when_it_was_deleted_before_a_time(store: Store, collection: str) -> None:
    album, other = create(store, collection), create(store, collection)
    ids = add(store, collection, 5)
    store.albums.add(album, ids)
    store.albums.add(other, ids)
    secrets = [share(store, album, name) for name in ("x", "y")]
    kept = share(store, other, "z")
    assert store.album_trash.purge(album, at(59), 2)  # nothing is to be done
    assert images(store, album) == 5

    store.album_trash.put(album, at(10))
    assert not due(store, album, at(10))
    assert due(store, album, at(11))
    assert store.album_trash.purge(album, at(10), 2)
    assert trashed(store, collection) == [(album, at(10))]
    steps = 1
    while not store.album_trash.purge(album, at(11), 2):
        steps += 1
        assert due(store, album, at(11))  # so that a purge that died is completed
        assert not store.album_trash.take_out(album)
        assert trashed(store, collection) == []
        assert steps < 9
    assert store.album_trash.purge(album, at(11), 2)
    assert not due(store, album, at(59))
    assert trashed(store, collection) == []
    assert not store.album_trash.take_out(album)
    assert [store.shares.find(secret) for secret in secrets] == [None, None]
    assert store.shares.find(kept) is not None
    assert (listed(store, other), images(store, other)) == (ids[::-1], 5)

    store.albums.create(Album(album, "Again", None, None, 0, NOW))
    assert (images(store, album), listed(store, album), list(store.shares.list_all(album))) == (0, [], [])
    assert [found.key for found in store.albums.of_image(ImageKey(collection, ids[0]))] == [other]
    store.albums.add(album, ids[:2])
    assert store.album_trash.purge(album, at(59), 2)
    assert images(store, album) == 2


def test_pages_of_deleted_albums_list_the_last_deleted_first(store: Store, collection: str) -> None:
    albums = [create(store, collection) for _ in range(5)]
    order = [albums[place] for place in (3, 0, 4, 1, 2)]
    for second, album in enumerate(order):
        store.album_trash.put(album, at(second))
    store.album_trash.put(create(store, f"{collection}-x"), at(9))
    found, cursor = list[AlbumKey](), None
    while not found or cursor:
        page = store.album_trash.page(collection, limit=2, cursor=cursor)
        found += [one.album.key for one in page.albums]
        cursor = page.cursor
    assert found == order[::-1]
    assert list(store.album_trash.due(at(59), 3, collection)) == order[:3]
    first = store.album_trash.page(collection, limit=2, cursor=None)
    for wrong, owner in (("x", collection), (first.cursor, f"{collection}-x")):
        with pytest.raises(InvalidCursor):
            store.album_trash.page(owner, limit=2, cursor=wrong)
    assert not store.album_trash.put(AlbumKey(collection, "0" * 32), at(1))
