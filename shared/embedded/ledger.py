"""The ledger of objects in SQLite, always consistent with the sources of images."""

import json
import time
from collections.abc import Callable
from typing import Any, Final

from shared.domain.images import ObjectRef, source_id
from shared.domain.ledger import ConflictError, ImageKey, ObjectState, ObjectStatus
from shared.domain.limits import UPLOAD_STATE_DAYS
from shared.embedded.database import Database
from shared.embedded.expiry import delete_expired

SCHEMA: Final = """
CREATE TABLE objects (
    bucket TEXT NOT NULL,
    key TEXT NOT NULL,
    version TEXT,
    status TEXT NOT NULL,
    collection TEXT,
    image_id TEXT,
    revision INTEGER NOT NULL,
    sequencer TEXT,
    etag TEXT,
    code TEXT,
    reason TEXT,
    former_images TEXT NOT NULL,
    expires_at INTEGER,
    PRIMARY KEY (bucket, key)
);

CREATE INDEX objects_expiry ON objects (expires_at) WHERE expires_at IS NOT NULL;
"""
"""The table as of format 1; `former_images` is a JSON list of collection, image id and time."""

_COLUMNS: Final = (
    "bucket, key, version, status, collection, image_id, revision, sequencer, etag, code, reason, former_images"
)


class EmbeddedLedger:
    """Stores one row for each object; see `shared.domain.ports.uploads.Ledger`.

    A change writes the entry, deletes the source of the old image and adds that of the new one in one transaction.

    Args:
        clock: seconds since the epoch.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    def find(self, source: ObjectRef) -> ObjectState | None:
        with self._database.read() as connection:
            found: Any = connection.execute(
                f"SELECT {_COLUMNS} FROM objects WHERE bucket = ? AND key = ?",  # noqa: S608
                (source.bucket, source.key),
            ).fetchone()
        return _to_state(found) if found else None

    def change(self, before: ObjectState | None, after: ObjectState) -> None:
        """Replace `before` with `after` and update the sources of the images concerned.

        Raises:
            ConflictError: the stored entry is no longer `before`.
        """
        source = after.object
        old, new = before.held if before else None, after.held
        with self._database.transaction() as connection:
            held: Any = connection.execute(
                "SELECT revision FROM objects WHERE bucket = ? AND key = ?", (source.bucket, source.key)
            ).fetchone()
            if (held and held[0]) != (before and before.revision):
                raise ConflictError
            delete_expired(connection, "objects", self._clock())
            connection.execute(
                f"INSERT OR REPLACE INTO objects ({_COLUMNS}, expires_at)"  # noqa: S608
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*_row(after, before.revision + 1 if before else 1), self._expiry(after)),
            )
            if old is not None and old != new:
                connection.execute(
                    "DELETE FROM sources WHERE image_id = ? AND collection = ? AND source_id = ?",
                    (old.image_id, old.collection, source_id(source)),
                )
            if new is not None:
                connection.execute(
                    "INSERT OR REPLACE INTO sources (image_id, collection, source_id, bucket, key, version)"
                    " VALUES (?, ?, ?, ?, ?, ?)",
                    (new.image_id, new.collection, source_id(source), source.bucket, source.key, source.version),
                )

    def _expiry(self, state: ObjectState) -> int | None:
        if state.status in {ObjectStatus.REMOVED, ObjectStatus.REJECTED}:
            return int(self._clock()) + UPLOAD_STATE_DAYS * 86_400
        return None


def _row(state: ObjectState, revision: int) -> tuple[Any, ...]:
    former = [(key.collection, key.image_id, since) for key, since in state.former_images.items()]
    return (
        state.object.bucket,
        state.object.key,
        state.object.version,
        state.status.value,
        state.image_key.collection if state.image_key else None,
        state.image_key.image_id if state.image_key else None,
        revision,
        state.sequencer,
        state.etag,
        state.code,
        state.reason,
        json.dumps(former, separators=(",", ":")),
    )


def _to_state(row: Any) -> ObjectState:
    bucket, key, version, status, collection, image_id, revision, sequencer, etag, code, reason, former = row
    return ObjectState(
        object=ObjectRef(bucket, key, version),
        status=ObjectStatus(status),
        image_key=ImageKey(collection, image_id) if image_id else None,
        revision=revision,
        sequencer=sequencer,
        etag=etag,
        code=code,
        reason=reason,
        former_images={ImageKey(owner, left): since for owner, left, since in json.loads(former)},
    )
