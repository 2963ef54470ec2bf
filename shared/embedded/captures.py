"""The columns of a record that say when, by what and where its image was taken."""

import sqlite3
from typing import Final

from shared.domain.capture import NOTHING
from shared.domain.images import ImageRecord

COLUMNS: Final = "taken_at, camera, latitude, longitude, dated_at, capture_read"
_DEFINITIONS: Final = (
    "taken_at TEXT",
    "camera TEXT",
    "latitude REAL",
    "longitude REAL",
    "dated_at TEXT NOT NULL DEFAULT ''",
    "capture_read INTEGER NOT NULL DEFAULT 0",
)
_TABLES: Final = ("images", "trashed_images")
MIGRATION: Final = "\n".join(
    (
        *(f"ALTER TABLE {table} ADD COLUMN {column};" for table in _TABLES for column in _DEFINITIONS),
        *(f"UPDATE {table} SET dated_at = replace(created_at, '+00:00', '');" for table in _TABLES),  # noqa: S608
        "CREATE INDEX images_by_capture ON images (",
        "    collection, dated_at, image_id, created_at, format, bytes, width, height, folded_filename",
        ");",
        "CREATE INDEX images_unread ON images (image_id, collection) WHERE capture_read = 0;",
    )
)
"""From format 1 to format 2. `images_unread` has the images whose files were not read for this yet."""


def write_capture(connection: sqlite3.Connection, record: ImageRecord) -> None:
    """Store the capture of an image that has a record."""
    connection.execute(
        f"UPDATE images SET ({COLUMNS}) = (?, ?, ?, ?, ?, ?) WHERE image_id = ? AND collection = ?",  # noqa: S608
        (
            *(record.capture or NOTHING),
            record.dated_at,
            record.capture is not None,
            record.image_id,
            record.collection,
        ),
    )
