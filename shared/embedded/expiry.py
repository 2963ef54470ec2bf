"""Rows that expire: each table that has them loses a few whenever it gets a new one, so none grows without bound."""

import sqlite3
from typing import Final

AT_ONCE: Final = 2
"""Number of expired rows that are deleted with each new one. With 2, a table catches up after a time without use."""


def delete_expired(connection: sqlite3.Connection, table: str, now: float) -> None:
    """Delete up to `AT_ONCE` rows of a table whose `expires_at`, in seconds since the epoch, has passed."""
    connection.execute(
        f"DELETE FROM {table} WHERE rowid IN (SELECT rowid FROM {table} WHERE expires_at <= ? LIMIT ?)",  # noqa: S608
        (int(now), AT_ONCE),
    )
