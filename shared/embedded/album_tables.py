"""The tables of albums and of the links that share them, and what other tables' adapters need of them."""

import sqlite3
from typing import Final

from shared.domain.ledger import ImageKey

MIGRATION: Final = """
CREATE TABLE albums (
    collection TEXT NOT NULL,
    album_id TEXT NOT NULL,
    title TEXT NOT NULL,
    description TEXT,
    cover TEXT,
    created_at TEXT NOT NULL,
    PRIMARY KEY (collection, album_id)
) WITHOUT ROWID;

CREATE TABLE album_images (
    collection TEXT NOT NULL,
    album_id TEXT NOT NULL,
    image_id TEXT NOT NULL,
    PRIMARY KEY (collection, album_id, image_id),
    FOREIGN KEY (collection, album_id) REFERENCES albums ON DELETE CASCADE
) WITHOUT ROWID;

CREATE INDEX album_images_by_image ON album_images (image_id, collection, album_id);

CREATE TABLE shares (
    token_hash TEXT NOT NULL PRIMARY KEY,
    share_id TEXT NOT NULL,
    collection TEXT NOT NULL,
    album_id TEXT NOT NULL,
    created_at TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    FOREIGN KEY (collection, album_id) REFERENCES albums ON DELETE CASCADE
);

CREATE INDEX shares_by_album ON shares (collection, album_id);
CREATE INDEX shares_expiry ON shares (expires_at);
"""
"""From format 3 to format 4."""

TRASH_MIGRATION: Final = """
ALTER TABLE albums ADD COLUMN trashed_at TEXT;

CREATE INDEX trashed_albums_by_time ON albums (collection, trashed_at, album_id) WHERE trashed_at IS NOT NULL;
CREATE INDEX trashed_albums_due ON albums (trashed_at) WHERE trashed_at IS NOT NULL;
"""
"""From format 6 to format 7. `trashed_at` is NULL for an album that is not in the trash."""


def read_albums_of(connection: sqlite3.Connection, image: ImageKey) -> list[str]:
    """Return the ids of the albums that have an image, without those in the trash."""
    rows = connection.execute(
        "SELECT album_id FROM album_images JOIN albums USING (collection, album_id)"
        " WHERE image_id = ? AND collection = ? AND trashed_at IS NULL",
        (image.image_id, image.collection),
    )
    return [album_id for (album_id,) in rows]


def forget_in_albums(connection: sqlite3.Connection, image: ImageKey) -> None:
    """Remove an image that is gone from every album."""
    values = (image.image_id, image.collection)
    connection.execute(
        "UPDATE albums SET cover = NULL WHERE cover = ? AND collection = ? AND album_id IN"
        " (SELECT album_id FROM album_images WHERE image_id = ? AND collection = ?)",
        (*values, *values),
    )
    connection.execute("DELETE FROM album_images WHERE image_id = ? AND collection = ?", values)
