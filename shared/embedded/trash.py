"""The trash in SQLite: tables of their own, so that no other query can find what is in it."""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any, Final

from shared.domain.cursors import decode_cursor, encode_cursor
from shared.domain.ledger import ImageKey
from shared.domain.trash import TrashedImage, TrashPage
from shared.embedded import captures, hashes, tags
from shared.embedded.database import Database
from shared.embedded.records import COLUMNS, DESCRIPTION_COLUMNS, IMAGE_COLUMNS, to_record, write_terms

_TABLES: Final = {
    "images": "image_id, collection, model, width, height, format, bytes, phash, created_at, filename,"
    " folded_filename, low_information, sharpness, first_source, external_id, note, fields, intact, pages,"
    f" pixels_hash, {captures.COLUMNS}, {tags.COLUMNS}, {hashes.COLUMNS}",
    "descriptions": "image_id, collection, model, labels",
    "copies": "image_id, collection, kept, chosen, quality",
    "vectors": "image_id, collection, model, kind, label, vector",
}
"""The tables with what belongs to a record, in the order in which it is stored, and their columns."""

SCHEMA: Final = f"""
CREATE TABLE trashed_images (
    {IMAGE_COLUMNS.strip()},
    trashed_at TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (image_id, collection)
) WITHOUT ROWID;

CREATE INDEX trashed_by_time ON trashed_images (collection, trashed_at, image_id);
CREATE INDEX trashed_due ON trashed_images (trashed_at);

CREATE TABLE trashed_descriptions (
    {DESCRIPTION_COLUMNS.strip()},
    PRIMARY KEY (image_id, collection, model),
    FOREIGN KEY (image_id, collection) REFERENCES trashed_images ON DELETE CASCADE
) WITHOUT ROWID;

CREATE TABLE trashed_copies (
    image_id TEXT NOT NULL,
    collection TEXT NOT NULL,
    kept TEXT,
    chosen INTEGER NOT NULL,
    quality TEXT,
    PRIMARY KEY (image_id, collection),
    FOREIGN KEY (image_id, collection) REFERENCES trashed_images ON DELETE CASCADE
) WITHOUT ROWID;

CREATE TABLE trashed_vectors (
    image_id TEXT NOT NULL,
    collection TEXT NOT NULL,
    model TEXT NOT NULL,
    kind TEXT NOT NULL,
    label TEXT,
    vector BLOB NOT NULL,
    PRIMARY KEY (image_id, collection, model, kind),
    FOREIGN KEY (image_id, collection) REFERENCES trashed_images ON DELETE CASCADE
);
"""
"""The tables as of format 1: those of a record and what belongs to it, with the time of its deletion."""

_OF_IMAGE: Final = "image_id = ? AND collection = ?"
_CONDEMNED: Final = ""
"""The time of deletion of images whose removal has begun."""
_SELECT: Final = (
    f"SELECT {COLUMNS}, images.trashed_at FROM trashed_images AS images"  # noqa: S608
    " JOIN trashed_descriptions AS descriptions ON descriptions.image_id = images.image_id"
    " AND descriptions.collection = images.collection AND descriptions.model = images.model"
)


class EmbeddedTrash:
    """The trash in one database; see `shared.domain.ports.collections.Trash`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, image: ImageKey, at: str) -> bool:
        key = (image.image_id, image.collection)
        with self._database.transaction() as connection:
            if not _exists(connection, "images", image):
                return False
            forget(connection, image)
            for table, columns in _TABLES.items():
                connection.execute(
                    f"INSERT INTO trashed_{table} ({columns}) SELECT {columns} FROM {table} WHERE {_OF_IMAGE}",  # noqa: S608
                    key,
                )
            connection.execute(f"UPDATE trashed_images SET trashed_at = ? WHERE {_OF_IMAGE}", (at, *key))  # noqa: S608
            connection.execute(f"DELETE FROM images WHERE {_OF_IMAGE}", key)  # noqa: S608
        return True

    def take_out(self, image: ImageKey) -> bool:
        with self._database.transaction() as connection:
            if not _is_restorable(connection, image):
                return False
            _copy_back(connection, image, _TABLES)
            write_terms(connection, image)
            return forget(connection, image)

    def holds(self, image: ImageKey) -> bool:
        with self._database.read() as connection:
            return _exists(connection, "trashed_images", image)

    def condemn(self, image: ImageKey, before: str) -> bool:
        with self._database.transaction() as connection:
            changed = connection.execute(
                f"UPDATE trashed_images SET trashed_at = ? WHERE {_OF_IMAGE} AND trashed_at < ?",  # noqa: S608
                (_CONDEMNED, image.image_id, image.collection, before),
            )
            return changed.rowcount > 0

    def page(self, collection: str, *, limit: int, cursor: str | None) -> TrashPage:
        """Return one page of a collection's trash, the last deleted first.

        Raises:
            InvalidCursor: the cursor is malformed or belongs to another collection.
        """
        at, image_id = decode_cursor(cursor, collection) if cursor else ("9999", "")
        with self._database.read() as connection:
            rows = connection.execute(
                f"{_SELECT} WHERE images.collection = ? AND (images.trashed_at, images.image_id) < (?, ?)"
                f" AND images.trashed_at <> '{_CONDEMNED}'"
                " ORDER BY images.trashed_at DESC, images.image_id DESC LIMIT ?",
                (collection, at, image_id, limit + 1),
            )
            found = [TrashedImage(to_record(row[:-1]), row[-1]) for row in rows]
        last = found[limit - 1] if len(found) > limit else None
        return TrashPage(
            found[:limit], encode_cursor(collection, last.trashed_at, last.record.image_id) if last else None
        )

    def due(self, before: str, limit: int, collection: str | None = None) -> Sequence[ImageKey]:
        where, values = ("collection = ? AND ", (collection,)) if collection else ("", ())
        with self._database.read() as connection:
            rows = connection.execute(
                f"SELECT collection, image_id FROM trashed_images WHERE {where}trashed_at < ?"  # noqa: S608
                " ORDER BY trashed_at LIMIT ?",
                (*values, before, limit),
            )
            return [ImageKey(*row) for row in rows]


def forget(connection: sqlite3.Connection, image: ImageKey) -> bool:
    """Delete an image from the trash for good; return whether it was there."""
    deleted = connection.execute(
        f"DELETE FROM trashed_images WHERE {_OF_IMAGE}",  # noqa: S608
        (image.image_id, image.collection),
    )
    return deleted.rowcount > 0


def reclaim(connection: sqlite3.Connection, image: ImageKey) -> None:
    """Take the record of an image that is stored again out of the trash, to be replaced but for what people wrote."""
    _copy_back(connection, image, ("images", "copies"))
    forget(connection, image)


def _copy_back(connection: sqlite3.Connection, image: ImageKey, tables: Iterable[str]) -> None:
    for table in tables:
        columns = _TABLES[table]
        connection.execute(
            f"INSERT INTO {table} ({columns}) SELECT {columns} FROM trashed_{table} WHERE {_OF_IMAGE}",  # noqa: S608
            (image.image_id, image.collection),
        )


def first_source_in_trash(connection: sqlite3.Connection, image: ImageKey) -> str | None:
    """Return the id of the source that brought an image that is in the trash; None if it is not."""
    found: Any = connection.execute(
        f"SELECT first_source FROM trashed_images WHERE {_OF_IMAGE}",  # noqa: S608
        (image.image_id, image.collection),
    ).fetchone()
    return str(found[0]) if found else None


def _exists(connection: sqlite3.Connection, table: str, image: ImageKey) -> bool:
    found = connection.execute(
        f"SELECT 1 FROM {table} WHERE {_OF_IMAGE}",  # noqa: S608
        (image.image_id, image.collection),
    )
    return found.fetchone() is not None


def _is_restorable(connection: sqlite3.Connection, image: ImageKey) -> bool:
    found = connection.execute(
        f"SELECT 1 FROM trashed_images WHERE {_OF_IMAGE} AND trashed_at <> ?",  # noqa: S608
        (image.image_id, image.collection, _CONDEMNED),
    )
    return found.fetchone() is not None
