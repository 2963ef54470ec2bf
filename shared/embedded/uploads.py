"""The state of uploads in SQLite."""

import json
import time
from collections.abc import Callable, Iterable
from typing import Any, Final

from shared.domain.images import Grouping, ObjectRef, Upload, UploadStatus
from shared.domain.limits import UPLOAD_STATE_DAYS
from shared.embedded.database import Database
from shared.embedded.expiry import delete_expired

SCHEMA: Final = """
CREATE TABLE uploads (
    upload_id TEXT NOT NULL PRIMARY KEY,
    collection TEXT NOT NULL,
    status TEXT NOT NULL,
    bucket TEXT,
    key TEXT,
    filename TEXT,
    image_id TEXT,
    code TEXT,
    reason TEXT,
    grouping TEXT,
    metadata TEXT NOT NULL DEFAULT '{}',
    opened_at INTEGER,
    ends_by INTEGER,
    expires_at INTEGER NOT NULL
);

CREATE INDEX uploads_expiry ON uploads (expires_at);
"""
"""The table as of format 1; `metadata` is a JSON object."""


class EmbeddedUploads:
    """Stores one row for each upload, which expires after `UPLOAD_STATE_DAYS`.

    See `shared.domain.ports.uploads.Uploads`.

    Args:
        clock: seconds since the epoch.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    def open(self, upload: Upload, source: ObjectRef) -> None:
        """Store the state of a new upload; an existing state is not changed."""
        now = int(self._clock())
        with self._database.transaction() as connection:
            delete_expired(connection, "uploads", now)
            connection.execute(
                "INSERT INTO uploads (upload_id, collection, status, bucket, key, filename, metadata, opened_at,"
                " expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (upload_id) DO NOTHING",
                (
                    upload.upload_id,
                    upload.collection,
                    upload.status.value,
                    source.bucket,
                    source.key,
                    upload.filename,
                    json.dumps(dict(upload.metadata)),
                    now,
                    self._expiry(),
                ),
            )

    def find(self, upload_id: str) -> Upload | None:
        with self._database.read() as connection:
            found: Any = connection.execute(
                "SELECT upload_id, collection, status, filename, image_id, code, reason, metadata, opened_at, ends_by,"
                " grouping"
                " FROM uploads WHERE upload_id = ?",
                (upload_id,),
            ).fetchone()
        if found is None:
            return None
        stored_id, collection, status, filename, image_id, code, reason, metadata, opened_at, ends_by, grouping = found
        return Upload(
            upload_id=stored_id,
            collection=collection,
            status=UploadStatus(status),
            filename=filename,
            image_id=image_id,
            code=code,
            reason=reason,
            metadata=json.loads(metadata),
            opened_at=opened_at,
            ends_by=ends_by,
            grouping=Grouping(grouping) if grouping else None,
        )

    def finish(self, upload: Upload) -> None:
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO uploads (upload_id, collection, status, image_id, code, reason, grouping, expires_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (upload_id) DO UPDATE SET collection = excluded.collection, status = excluded.status,"
                " image_id = excluded.image_id, code = excluded.code, reason = excluded.reason,"
                " grouping = excluded.grouping,"
                " expires_at = excluded.expires_at",
                (
                    upload.upload_id,
                    upload.collection,
                    upload.status.value,
                    upload.image_id,
                    upload.code,
                    upload.reason,
                    upload.grouping.value if upload.grouping else None,
                    self._expiry(),
                ),
            )

    def grouped(self, upload_id: str) -> None:
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE uploads SET grouping = ? WHERE upload_id = ? AND grouping = ?",
                (Grouping.DONE.value, upload_id, Grouping.PENDING.value),
            )

    def expect_end(self, upload_id: str, ends_by: int) -> None:
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE uploads SET ends_by = ? WHERE upload_id = ? AND status = ?",
                (ends_by, upload_id, UploadStatus.PENDING.value),
            )

    def fail(self, upload_id: str, reason: str) -> None:
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE uploads SET status = ?, code = 'failed', reason = ?, expires_at = ?"
                " WHERE upload_id = ? AND status = ?",
                (UploadStatus.REJECTED.value, reason, self._expiry(), upload_id, UploadStatus.PENDING.value),
            )

    def keep(self, upload_ids: Iterable[str]) -> None:
        """Have the states of uploads expire as late as if they had ended now."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE uploads SET expires_at = ? WHERE upload_id IN (SELECT value FROM json_each(?))",
                (self._expiry(), json.dumps(list(upload_ids))),
            )

    def _expiry(self) -> int:
        return int(self._clock()) + UPLOAD_STATE_DAYS * 86_400
