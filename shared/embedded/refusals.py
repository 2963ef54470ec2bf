"""Why images could not be described by another model, for the command that asked for it."""

import time
from collections.abc import Callable
from typing import Any, Final

from shared.domain.errors import PictureRefused
from shared.domain.ledger import ImageKey
from shared.domain.limits import REFUSAL_DAYS
from shared.embedded.database import Database
from shared.embedded.expiry import delete_expired

SCHEMA: Final = """
CREATE TABLE refusals (
    image_id TEXT NOT NULL,
    collection TEXT NOT NULL,
    model TEXT NOT NULL,
    code TEXT NOT NULL,
    reason TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (image_id, collection, model)
);

CREATE INDEX refusals_expiry ON refusals (expires_at);
"""
"""The table as of format 1."""


class EmbeddedRefusals:
    """Stores the last refusal for each image, collection and model; it expires after `REFUSAL_DAYS`.

    Args:
        clock: seconds since the epoch.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    def put(self, image_key: ImageKey, model: str, refused: PictureRefused) -> None:
        now = int(self._clock())
        with self._database.transaction() as connection:
            delete_expired(connection, "refusals", now)
            connection.execute(
                "INSERT OR REPLACE INTO refusals (image_id, collection, model, code, reason, expires_at)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (
                    image_key.image_id,
                    image_key.collection,
                    model,
                    refused.code,
                    refused.reason,
                    now + REFUSAL_DAYS * 86_400,
                ),
            )

    def find(self, image_key: ImageKey, model: str) -> PictureRefused | None:
        """Return the last refusal, or None."""
        with self._database.read() as connection:
            found: Any = connection.execute(
                "SELECT code, reason FROM refusals WHERE image_id = ? AND collection = ? AND model = ?",
                (image_key.image_id, image_key.collection, model),
            ).fetchone()
        return PictureRefused(*found) if found else None
