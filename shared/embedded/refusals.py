"""Why images could not be described by another model, for `python -m infra.local refusals`."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

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


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an image that is stored could not be described by a model."""

    image_key: ImageKey
    model: str
    filename: str | None
    code: str
    reason: str


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

    def list_all(self) -> Sequence[Refusal]:
        """Return the last refusals of images that are still stored and lack the model's description."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT image_id, collection, refusals.model, images.filename, code, reason"
                " FROM refusals JOIN images USING (image_id, collection)"
                " WHERE NOT EXISTS (SELECT 1 FROM descriptions WHERE descriptions.image_id = images.image_id"
                " AND descriptions.collection = images.collection AND descriptions.model = refusals.model)"
                " ORDER BY collection, image_id"
            ).fetchall()
        return [Refusal(ImageKey(collection, image_id), *rest) for image_id, collection, *rest in rows]
