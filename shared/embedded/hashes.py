"""The columns with the PDQ hash of an image, and reading perceptual hashes in the order of the listing."""

import sqlite3
from typing import Final

from shared.domain.ledger import ImageKey
from shared.domain.perceptual_hashes import HashEntry, HashKind, HashPage, Pdq

COLUMNS: Final = "pdq, pdq_quality"
_TABLES: Final = ("images", "trashed_images")
MIGRATION: Final = "\n".join(
    f"ALTER TABLE {table} ADD COLUMN {column};" for table in _TABLES for column in ("pdq TEXT", "pdq_quality INTEGER")
)
"""From format 5 to format 6. Both are NULL for images that were stored without a PDQ hash."""
_LAST_TIME: Final = "~"
"""Behind every `created_at`."""


def write_pdq(connection: sqlite3.Connection, image_key: ImageKey, pdq: Pdq) -> None:
    """Store the PDQ hash of an image that has a record."""
    connection.execute(
        "UPDATE images SET pdq = ?, pdq_quality = ? WHERE image_id = ? AND collection = ?",
        (pdq.value, pdq.quality, image_key.image_id, image_key.collection),
    )


def read_hashes(
    connection: sqlite3.Connection, collection: str, kind: HashKind, *, limit: int, after: tuple[str, str] | None
) -> HashPage:
    """Return a page of the hashes of a collection; see `shared.domain.ports.indexes.HashIndex`."""
    rows = connection.execute(
        f"SELECT image_id, created_at, {kind.value} FROM images"  # noqa: S608 - the name of a column
        " WHERE collection = ? AND (created_at, image_id) < (?, ?) ORDER BY created_at DESC, image_id DESC LIMIT ?",
        (collection, *(after or (_LAST_TIME, "")), limit + 1),
    ).fetchall()
    return HashPage([HashEntry(*row) for row in rows[:limit]], more=len(rows) > limit)
