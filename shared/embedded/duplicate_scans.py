"""The progress of comparing collections again, in SQLite."""

from typing import Any, Final

from shared.domain.duplicate_scans import DuplicateScan, ScanStatus
from shared.embedded.database import Database

SCHEMA: Final = """
CREATE TABLE duplicate_scans (
    collection TEXT NOT NULL PRIMARY KEY,
    scan_id TEXT NOT NULL,
    status TEXT NOT NULL,
    images INTEGER NOT NULL,
    started_at TEXT NOT NULL,
    cursor TEXT,
    done INTEGER NOT NULL,
    changed INTEGER NOT NULL
) WITHOUT ROWID;
"""
"""The table as of format 1."""


class EmbeddedScans:
    """Stores one row for each collection; see `shared.domain.ports.duplicates.Scans`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, scan: DuplicateScan) -> None:
        with self._database.transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO duplicate_scans VALUES (?, ?, ?, ?, ?, ?, ?, ?)", _row(scan))

    def find(self, collection: str) -> DuplicateScan | None:
        with self._database.read() as connection:
            found: Any = connection.execute(
                "SELECT collection, scan_id, status, images, started_at, cursor, done, changed FROM duplicate_scans"
                " WHERE collection = ?",
                (collection,),
            ).fetchone()
        if found is None:
            return None
        owner, scan_id, status, images, started_at, cursor, done, changed = found
        return DuplicateScan(owner, scan_id, ScanStatus(status), images, started_at, cursor, done, changed)

    def advance(self, before: DuplicateScan, after: DuplicateScan) -> bool:
        with self._database.transaction() as connection:
            changed = connection.execute(
                "UPDATE duplicate_scans SET status = ?, cursor = ?, done = ?, changed = ?"
                " WHERE collection = ? AND scan_id = ? AND done = ?",
                (
                    after.status.value,
                    after.cursor,
                    after.done,
                    after.changed,
                    before.collection,
                    before.scan_id,
                    before.done,
                ),
            )
            return changed.rowcount > 0


def _row(scan: DuplicateScan) -> tuple[Any, ...]:
    return (
        scan.collection,
        scan.scan_id,
        scan.status.value,
        scan.images,
        scan.started_at,
        scan.cursor,
        scan.done,
        scan.changed,
    )
