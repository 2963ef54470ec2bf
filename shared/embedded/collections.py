"""The collections that exist, in SQLite."""

import json
import sqlite3
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from shared.domain.collections import CollectionEntry, CollectionPage
from shared.domain.cursors import decode_name, encode_name
from shared.embedded.database import Database

SCHEMA: Final = """
CREATE TABLE collections (
    name TEXT NOT NULL PRIMARY KEY,
    title TEXT,
    created_at TEXT NOT NULL
) WITHOUT ROWID;
"""
"""The table as of format 1; `faces` was added by `shared.embedded.people`."""

_COLUMNS: Final = "name, title, created_at, faces"


class EmbeddedCollections:
    """Stores one row for each collection; see `shared.domain.ports.collections.Collections`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def register(self, name: str) -> None:
        """Note that a collection is used; for one that is noted already, this is a read."""
        if not self.find([name]):
            with self._database.transaction() as connection:
                register_collection(connection, name)

    def put(self, name: str, title: str | None) -> CollectionEntry:
        """Create a collection, or change its title."""
        with self._database.transaction() as connection:
            register_collection(connection, name)
            connection.execute("UPDATE collections SET title = ? WHERE name = ?", (title or None, name))
        [entry] = self.find([name])
        return entry

    def set_faces(self, name: str, *, on: bool) -> CollectionEntry:
        with self._database.transaction() as connection:
            register_collection(connection, name)
            connection.execute("UPDATE collections SET faces = ? WHERE name = ?", (on, name))
        [entry] = self.find([name])
        return entry

    def page(self, *, limit: int, cursor: str | None) -> CollectionPage:
        """Return one page of all collections, ordered by name.

        Raises:
            InvalidCursor: the cursor is malformed.
        """
        after = decode_name(cursor) if cursor else ""
        with self._database.read() as connection:
            rows = connection.execute(
                f"SELECT {_COLUMNS} FROM collections WHERE name > ? ORDER BY name LIMIT ?",  # noqa: S608
                (after, limit + 1),
            )
            entries = [_to_entry(row) for row in rows]
        more = len(entries) > limit
        return CollectionPage(entries[:limit], encode_name(entries[limit - 1].name) if more else None)

    def find(self, names: Collection[str]) -> Sequence[CollectionEntry]:
        """Return those of the collections that exist, ordered by name."""
        with self._database.read() as connection:
            rows: Any = connection.execute(
                f"SELECT {_COLUMNS} FROM collections WHERE name IN (SELECT value FROM json_each(?))",  # noqa: S608
                (json.dumps(list(names)),),
            ).fetchall()
        return sorted((_to_entry(row) for row in rows), key=lambda entry: entry.name)

    def remove(self, name: str) -> None:
        """Remove a collection from the list; one that gets another image is registered again."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM collections WHERE name = ?", (name,))


def register_collection(connection: sqlite3.Connection, name: str) -> None:
    """Add a collection to the list unless it is there."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    connection.execute("INSERT OR IGNORE INTO collections (name, created_at) VALUES (?, ?)", (name, now))


def _to_entry(row: Any) -> CollectionEntry:
    name, title, created_at, faces = row
    return CollectionEntry(name, title, created_at, bool(faces))
