"""Groups of near-duplicates in SQLite."""

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any, Final

from shared.domain.cursors import decode_group, decode_pair, encode_group, encode_pair
from shared.domain.duplicates import (
    DecidedPair,
    Decision,
    DecisionPage,
    Decisions,
    DuplicateGroup,
    DuplicatePage,
    best_first,
    kept_first,
)
from shared.domain.images import ImageRecord
from shared.domain.ledger import ImageKey
from shared.domain.quality import Quality
from shared.embedded.database import Database
from shared.embedded.records import COLUMNS, DESCRIBED, to_record

SCHEMA: Final = """
CREATE TABLE copies (
    image_id TEXT NOT NULL,
    collection TEXT NOT NULL,
    kept TEXT,
    chosen INTEGER NOT NULL DEFAULT 0,
    quality TEXT,
    PRIMARY KEY (image_id, collection),
    FOREIGN KEY (image_id, collection) REFERENCES images ON DELETE CASCADE
) WITHOUT ROWID;

CREATE INDEX copies_by_group ON copies (collection, kept, image_id);

CREATE TABLE decisions (
    collection TEXT NOT NULL,
    image_id TEXT NOT NULL,
    other TEXT NOT NULL,
    decision TEXT NOT NULL,
    PRIMARY KEY (collection, image_id, other)
) WITHOUT ROWID;
"""
"""The tables as of format 1: the group (its `kept` image), choice and quality of images; decisions, two rows a pair."""

MAX_SHOWN: Final = 100
"""Maximum number of images of a group in a page."""

_COPIES: Final = "copies ON copies.image_id = images.image_id AND copies.collection = images.collection"
_SELECT: Final = f"SELECT {COLUMNS}, copies.kept, copies.chosen, copies.quality FROM images JOIN {DESCRIBED}"  # noqa: S608


class EmbeddedDuplicates:
    """Groups in one database; see `shared.domain.ports.duplicates.Duplicates`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def records(self, collection: str, image_ids: Collection[str]) -> Mapping[str, ImageRecord]:
        with self._database.read() as connection:
            rows = connection.execute(
                f"{_SELECT} LEFT JOIN {_COPIES}"  # noqa: S608
                " WHERE images.image_id IN (SELECT value FROM json_each(?)) AND images.collection = ?",
                (json.dumps(sorted(set(image_ids))), collection),
            )
            return {row[0]: _to_record(row) for row in rows}

    def place(self, image: ImageKey, group: str | None, *, before: str | None) -> bool:
        with self._database.transaction() as connection:
            _ensure(connection, image)
            changed = connection.execute(
                "UPDATE copies SET kept = ? WHERE image_id = ? AND collection = ? AND kept IS ?",
                (group, image.image_id, image.collection, before),
            )
            return changed.rowcount > 0

    def rate(self, image: ImageKey, quality: Quality) -> None:
        with self._database.transaction() as connection:
            write_quality(connection, image, quality)

    def choose(self, image: ImageKey, *, chosen: bool) -> None:
        with self._database.transaction() as connection:
            _ensure(connection, image)
            connection.execute(
                "UPDATE copies SET chosen = ? WHERE image_id = ? AND collection = ?",
                (chosen, image.image_id, image.collection),
            )

    def members(self, group: ImageKey, limit: int) -> Sequence[str]:
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT image_id FROM copies WHERE collection = ? AND kept = ? ORDER BY image_id LIMIT ?",
                (group.collection, group.image_id, limit),
            )
            return [image_id for (image_id,) in rows]

    def page(self, collection: str, *, limit: int, cursor: str | None) -> DuplicatePage:
        """Return groups of at least two images, ordered by id.

        Raises:
            InvalidCursor: the cursor is malformed or belongs to another collection.
        """
        after = decode_group(cursor, collection) if cursor else ""
        with self._database.read() as connection:
            names = [
                name
                for (name,) in connection.execute(
                    "SELECT kept FROM copies WHERE collection = ? AND kept > ? GROUP BY kept HAVING count(*) > 1"
                    " ORDER BY kept LIMIT ?",
                    (collection, after, limit + 1),
                )
            ]
            rows = connection.execute(
                f"{_SELECT} JOIN {_COPIES} WHERE copies.collection = ?"  # noqa: S608
                " AND copies.kept IN (SELECT value FROM json_each(?)) ORDER BY copies.kept, copies.image_id",
                (collection, json.dumps(names[:limit])),
            )
            found = [_to_record(row) for row in rows]
        groups = []
        for name, members in groupby(found, lambda record: record.group or ""):
            records = list(members)
            shown = kept_first(best_first(records[:MAX_SHOWN]), name)
            groups.append(DuplicateGroup(name, shown, truncated=len(records) > MAX_SHOWN))
        return DuplicatePage(groups, encode_group(collection, names[limit - 1]) if len(names) > limit else None)

    def decide(self, image: ImageKey, other: str, decision: Decision | None) -> None:
        pairs = [(image.collection, image.image_id, other), (image.collection, other, image.image_id)]
        with self._database.transaction() as connection:
            if decision is None:
                connection.executemany(
                    "DELETE FROM decisions WHERE collection = ? AND image_id = ? AND other = ?", pairs
                )
            else:
                connection.executemany(
                    "INSERT INTO decisions (collection, image_id, other, decision) VALUES (?, ?, ?, ?)"
                    " ON CONFLICT (collection, image_id, other) DO UPDATE SET decision = excluded.decision",
                    [(*pair, decision.value) for pair in pairs],
                )

    def decisions(self, image: ImageKey) -> Decisions:
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT other, decision FROM decisions WHERE collection = ? AND image_id = ?",
                (image.collection, image.image_id),
            )
            return {other: Decision(decision) for other, decision in rows}

    def decided(self, collection: str, *, limit: int, cursor: str | None) -> DecisionPage:
        """Return a page of decisions.

        Raises:
            InvalidCursor: the cursor is malformed or belongs to another collection.
        """
        after = decode_pair(cursor, collection) if cursor else ("", "")
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT image_id, other, decision FROM decisions WHERE collection = ? AND (image_id, other) > (?, ?)"
                " AND image_id < other ORDER BY image_id, other LIMIT ?",
                (collection, *after, limit + 1),
            )
            found = [DecidedPair((one, other), Decision(decision)) for one, other, decision in rows]
        return DecisionPage(found[:limit], encode_pair(collection, found[limit - 1].images) if found[limit:] else None)


def write_quality(connection: sqlite3.Connection, image: ImageKey, quality: Quality | None) -> None:
    """Store the quality of an image that has a record."""
    _ensure(connection, image)
    connection.execute(
        "UPDATE copies SET quality = ? WHERE image_id = ? AND collection = ?",
        (quality.to_text() if quality else None, image.image_id, image.collection),
    )


def _ensure(connection: sqlite3.Connection, image: ImageKey) -> None:
    """Make sure that an image that has a record has a row."""
    connection.execute(
        "INSERT INTO copies (image_id, collection) SELECT image_id, collection FROM images"
        " WHERE image_id = ? AND collection = ? ON CONFLICT (image_id, collection) DO NOTHING",
        (image.image_id, image.collection),
    )


def _to_record(row: Sequence[Any]) -> ImageRecord:
    *columns, kept, chosen, quality = row
    return replace(
        to_record(columns), group=kept, chosen=bool(chosen), quality=Quality.from_text(quality) if quality else None
    )
