"""The trash of albums in SQLite."""

from collections.abc import Sequence

from shared.domain.albums import AlbumKey
from shared.domain.cursors import decode_place, encode_place
from shared.domain.trash import ALBUM_PLACE_PATTERN, TrashedAlbum, TrashedAlbumPage
from shared.embedded.albums import COLUMNS, OF_ALBUM, album_values, to_album
from shared.embedded.database import Database
from shared.embedded.records import album_term


class EmbeddedAlbumTrash:
    """The trash of albums in one database; see `shared.domain.ports.albums.AlbumTrash`.

    No image is listed by a term of an album in the trash.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, key: AlbumKey, at: str) -> bool:
        with self._database.transaction() as connection:
            changed = connection.execute(
                f"UPDATE albums SET trashed_at = ? WHERE {OF_ALBUM} AND trashed_at IS NULL",  # noqa: S608
                (at, *album_values(key)),
            )
            connection.execute(
                "DELETE FROM terms WHERE collection = ? AND term = ?", (key.collection, album_term(key.album_id))
            )
            return changed.rowcount > 0

    def take_out(self, key: AlbumKey) -> bool:
        with self._database.transaction() as connection:
            changed = connection.execute(
                f"UPDATE albums SET trashed_at = NULL WHERE {OF_ALBUM} AND trashed_at IS NOT NULL",  # noqa: S608
                album_values(key),
            )
            if changed.rowcount == 0:
                return False
            connection.execute(
                "INSERT INTO terms (image_id, collection, term, created_at)"  # noqa: S608
                " SELECT image_id, collection, ?, created_at FROM album_images"
                f" JOIN images USING (image_id, collection) WHERE {OF_ALBUM}",
                (album_term(key.album_id), *album_values(key)),
            )
            return True

    def page(self, collection: str, *, limit: int, cursor: str | None) -> TrashedAlbumPage:
        at, album_id = decode_place(cursor, collection, ALBUM_PLACE_PATTERN).split("#") if cursor else ("9999", "")
        with self._database.read() as connection:
            rows = connection.execute(
                f"SELECT {COLUMNS}, trashed_at FROM albums WHERE albums.collection = ?"  # noqa: S608
                " AND (trashed_at, albums.album_id) < (?, ?) AND trashed_at IS NOT NULL"
                " ORDER BY trashed_at DESC, albums.album_id DESC LIMIT ?",
                (collection, at, album_id, limit + 1),
            )
            found = [TrashedAlbum(to_album(row[:-1]), row[-1]) for row in rows]
        last = found[limit - 1] if len(found) > limit else None
        place = f"{last.trashed_at}#{last.album.key.album_id}" if last else None
        return TrashedAlbumPage(found[:limit], encode_place(collection, place) if place else None)

    def due(self, before: str, limit: int, collection: str | None = None) -> Sequence[AlbumKey]:
        where, values = ("collection = ? AND ", (collection,)) if collection else ("", ())
        with self._database.read() as connection:
            rows = connection.execute(
                f"SELECT collection, album_id FROM albums WHERE {where}trashed_at < ?"  # noqa: S608
                " ORDER BY trashed_at LIMIT ?",
                (*values, before, limit),
            )
            return [AlbumKey(*row) for row in rows]

    def purge(self, key: AlbumKey, before: str, limit: int) -> bool:  # noqa: ARG002 - one transaction deletes all
        """Remove an album for good, at once; see `shared.domain.ports.albums.AlbumTrash`."""
        with self._database.transaction() as connection:
            connection.execute(
                f"DELETE FROM albums WHERE {OF_ALBUM} AND trashed_at < ?",  # noqa: S608
                (*album_values(key), before),
            )
        return True
