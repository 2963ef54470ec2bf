"""Albums in SQLite, and the links that share them."""

import json
import sqlite3
import time
from collections.abc import Collection, Sequence
from typing import Any, Final

from shared.domain.albums import (
    ALBUM_ID_PATTERN,
    Album,
    AlbumChange,
    AlbumFull,
    AlbumKey,
    AlbumMissing,
    AlbumPage,
    Share,
)
from shared.domain.cursors import decode_place, encode_place
from shared.domain.ledger import ImageKey
from shared.domain.limits import MAX_ALBUM_IMAGES
from shared.embedded.album_tables import read_albums_of
from shared.embedded.database import Database
from shared.embedded.expiry import delete_expired
from shared.embedded.records import write_terms

_IMAGES: Final = (
    "(SELECT count(*) FROM album_images WHERE album_images.collection = albums.collection"
    " AND album_images.album_id = albums.album_id)"
)
COLUMNS: Final = f"albums.collection, albums.album_id, title, description, cover, {_IMAGES}, created_at"
"""The columns that `to_album` takes, of `albums`."""
_SELECT: Final = f"SELECT {COLUMNS} FROM albums"  # noqa: S608
OF_ALBUM: Final = "collection = ? AND album_id = ?"


class EmbeddedAlbums:
    """The albums in one database; see `shared.domain.ports.albums.Albums`.

    Each entry is also one of the terms by which images are listed, while the image is not in the trash.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, album: Album) -> None:
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO albums (collection, album_id, title, description, cover, created_at)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (*album_values(album.key), album.title, album.description, album.cover, album.created_at),
            )

    def find(self, key: AlbumKey) -> Album | None:
        with self._database.read() as connection:
            return _find(connection, key)

    def change(self, key: AlbumKey, change: AlbumChange) -> Album:
        with self._database.transaction() as connection:
            before = _find(connection, key)
            if before is None:
                raise AlbumMissing
            after = change.apply(before)
            connection.execute(
                f"UPDATE albums SET title = ?, description = ?, cover = ? WHERE {OF_ALBUM}",  # noqa: S608
                (after.title, after.description, after.cover, *album_values(key)),
            )
            return after

    def page(self, collection: str, *, limit: int, cursor: str | None) -> AlbumPage:
        after = decode_place(cursor, collection, ALBUM_ID_PATTERN) if cursor else "~"
        with self._database.read() as connection:
            rows = connection.execute(
                f"{_SELECT} WHERE albums.collection = ? AND albums.album_id < ? AND trashed_at IS NULL"
                " ORDER BY albums.album_id DESC LIMIT ?",
                (collection, after, limit + 1),
            )
            albums = [to_album(row) for row in rows]
        more = len(albums) > limit
        return AlbumPage(albums[:limit], encode_place(collection, albums[limit - 1].key.album_id) if more else None)

    def of_image(self, image: ImageKey) -> Sequence[Album]:
        with self._database.read() as connection:
            ids = read_albums_of(connection, image)
            rows = connection.execute(
                f"{_SELECT} WHERE albums.collection = ?"  # noqa: S608
                " AND albums.album_id IN (SELECT value FROM json_each(?))"
                " ORDER BY albums.album_id DESC",
                (image.collection, json.dumps(ids)),
            )
            return [to_album(row) for row in rows]

    def held(self, key: AlbumKey, image_ids: Collection[str]) -> Sequence[str]:
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT image_id FROM album_images"  # noqa: S608
                f" WHERE {OF_ALBUM} AND image_id IN (SELECT value FROM json_each(?))",
                (*album_values(key), json.dumps(list(image_ids))),
            )
            return [image_id for (image_id,) in rows]

    def add(self, key: AlbumKey, image_ids: Sequence[str]) -> Sequence[str]:
        with self._database.transaction() as connection:
            if _find(connection, key) is None:
                raise AlbumMissing
            rows = connection.execute(
                "SELECT image_id FROM images WHERE image_id IN (SELECT value FROM json_each(?)) AND collection = ?",
                (json.dumps(list(image_ids)), key.collection),
            )
            present = {image_id for (image_id,) in rows}
            wanted = [image_id for image_id in dict.fromkeys(image_ids) if image_id in present]
            connection.executemany(
                "INSERT OR IGNORE INTO album_images (collection, album_id, image_id) VALUES (?, ?, ?)",
                [(*album_values(key), image_id) for image_id in wanted],
            )
            album = _find(connection, key)
            if album and album.images > MAX_ALBUM_IMAGES:
                raise AlbumFull
            if wanted:
                connection.execute(
                    f"UPDATE albums SET cover = coalesce(cover, ?) WHERE {OF_ALBUM}",  # noqa: S608
                    (wanted[0], *album_values(key)),
                )
            for image_id in wanted:
                write_terms(connection, ImageKey(key.collection, image_id))
        return [image_id for image_id in dict.fromkeys(image_ids) if image_id not in present]

    def remove(self, key: AlbumKey, image_ids: Sequence[str]) -> None:
        with self._database.transaction() as connection:
            for image_id in image_ids:
                connection.execute(
                    f"DELETE FROM album_images WHERE {OF_ALBUM} AND image_id = ?",  # noqa: S608
                    (*album_values(key), image_id),
                )
                connection.execute(
                    f"UPDATE albums SET cover = NULL WHERE {OF_ALBUM} AND cover = ?",  # noqa: S608
                    (*album_values(key), image_id),
                )
                write_terms(connection, ImageKey(key.collection, image_id))


class EmbeddedShares:
    """The links to albums in one database; see `shared.domain.ports.albums.Shares`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, share: Share, token_hash: str) -> None:
        with self._database.transaction() as connection:
            delete_expired(connection, "shares", time.time())
            if _find(connection, share.album) is None:
                raise AlbumMissing
            connection.execute(
                "INSERT INTO shares (token_hash, share_id, collection, album_id, created_at, expires_at)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (token_hash, share.share_id, *album_values(share.album), share.created_at, share.expires_at),
            )

    def find(self, token_hash: str) -> Share | None:
        with self._database.read() as connection:
            row: Any = connection.execute(f"{_SHARES} WHERE token_hash = ?", (token_hash,)).fetchone()
        return _to_share(row) if row else None

    def list_all(self, album: AlbumKey) -> Sequence[Share]:
        with self._database.read() as connection:
            rows = connection.execute(f"{_SHARES} WHERE {OF_ALBUM}", album_values(album))
            return sorted(map(_to_share, rows), key=lambda share: (share.created_at, share.share_id))

    def revoke(self, album: AlbumKey, share_id: str) -> bool:
        with self._database.transaction() as connection:
            deleted = connection.execute(
                f"DELETE FROM shares WHERE {OF_ALBUM} AND share_id = ?",  # noqa: S608
                (*album_values(album), share_id),
            )
            return deleted.rowcount > 0


_SHARES: Final = "SELECT share_id, collection, album_id, created_at, expires_at FROM shares"


def album_values(key: AlbumKey) -> tuple[str, str]:
    return key.collection, key.album_id


def _find(connection: sqlite3.Connection, key: AlbumKey) -> Album | None:
    row: Any = connection.execute(
        f"{_SELECT} WHERE albums.collection = ? AND albums.album_id = ? AND trashed_at IS NULL", album_values(key)
    ).fetchone()
    return to_album(row) if row else None


def to_album(row: Sequence[Any]) -> Album:
    return Album(AlbumKey(row[0], row[1]), *row[2:])


def _to_share(row: Sequence[Any]) -> Share:
    return Share(row[0], AlbumKey(row[1], row[2]), row[3], row[4])
