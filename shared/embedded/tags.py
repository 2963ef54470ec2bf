"""What an image shows, whether it is a favourite, and what people decided on its tags."""

import json
import sqlite3
from typing import Any, Final

from shared.domain.ledger import ImageKey
from shared.domain.tags import TagDecisions

COLUMNS: Final = "things, favourite"
_TABLES: Final = ("images", "trashed_images")
MIGRATION: Final = "\n".join(
    (
        *(f"ALTER TABLE {table} ADD COLUMN things TEXT;" for table in _TABLES),
        *(f"ALTER TABLE {table} ADD COLUMN favourite INTEGER NOT NULL DEFAULT 0;" for table in _TABLES),
        "CREATE TABLE tag_decisions (",
        "    image_id TEXT NOT NULL,",
        "    collection TEXT NOT NULL,",
        "    added TEXT NOT NULL,",
        "    removed TEXT NOT NULL,",
        "    PRIMARY KEY (image_id, collection)",
        ") WITHOUT ROWID;",
        "DROP INDEX images_unread;",
        "CREATE INDEX images_unread ON images (image_id, collection) WHERE capture_read = 0 OR things IS NULL;",
    )
)
"""From format 2 to format 3. `things` is NULL for images of which an earlier version told none. `tag_decisions` has
rows of images that are gone, too."""

DECISIONS: Final = (
    "(SELECT json_array(json(added), json(removed)) FROM tag_decisions"
    " WHERE tag_decisions.image_id = images.image_id AND tag_decisions.collection = images.collection)"
)
"""An expression with what `to_decisions` takes, for each row of `images`."""


def to_decisions(text: str | None) -> TagDecisions:
    if text is None:
        return TagDecisions()
    added, removed = json.loads(text)
    return TagDecisions(frozenset(added), frozenset(removed))


def write_decisions(connection: sqlite3.Connection, image_key: ImageKey, decisions: TagDecisions) -> None:
    """Store what people decided on the tags of an image, in place of what they decided before."""
    added, removed = (json.dumps(sorted(tags)) for tags in (decisions.added, decisions.removed))
    values: tuple[Any, ...] = (image_key.image_id, image_key.collection, added, removed)
    if decisions:
        connection.execute("INSERT OR REPLACE INTO tag_decisions VALUES (?, ?, ?, ?)", values)
    else:
        connection.execute("DELETE FROM tag_decisions WHERE image_id = ? AND collection = ?", values[:2])
