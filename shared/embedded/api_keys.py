"""API keys in SQLite."""

import json
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from shared.domain.access import Scope
from shared.domain.api_keys import ApiKey, StoredApiKeys
from shared.embedded.database import Database

SCHEMA: Final = """
CREATE TABLE api_keys (
    key_id TEXT NOT NULL PRIMARY KEY,
    secret_hash TEXT NOT NULL,
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    collections TEXT,
    per_minute INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    expires TEXT,
    revoked_at TEXT
) WITHOUT ROWID;
"""
"""The table as of format 1; `scopes` and `collections` are JSON lists, and no collections mean all of them."""

_COLUMNS: Final = "key_id, name, scopes, collections, per_minute, created_at, expires, revoked_at"


class EmbeddedApiKeys(StoredApiKeys):
    """Stores the API keys of one database, one row each.

    Calls are counted in memory: one process at a time has the database, and a write for each call would be as slow as
    the disk. A restart forgets the calls of the current minute.
    """

    def __init__(
        self,
        database: Database,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(clock, monotonic)
        self._database = database
        self._calls: dict[str, tuple[int, int]] = {}

    def list_all(self) -> Sequence[ApiKey]:
        with self._database.read() as connection:
            rows = connection.execute(f"SELECT {_COLUMNS} FROM api_keys ORDER BY created_at, key_id")  # noqa: S608
            return [_to_key(row) for row in rows]

    def delete(self, key_id: str) -> None:
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM api_keys WHERE key_id = ?", (key_id,))

    def _insert(self, key: ApiKey, secret_hash: str) -> None:
        with self._database.transaction() as connection:
            connection.execute(
                f"INSERT INTO api_keys ({_COLUMNS}, secret_hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
                (
                    key.key_id,
                    key.name,
                    json.dumps(sorted(key.scopes)),
                    None if key.collections is None else json.dumps(sorted(key.collections)),
                    key.per_minute,
                    key.created_at,
                    key.expires,
                    key.revoked_at,
                    secret_hash,
                ),
            )

    def _set_revoked(self, key_id: str, now: str) -> ApiKey | None:
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE api_keys SET revoked_at = ? WHERE key_id = ? AND revoked_at IS NULL", (now, key_id)
            )
            found = connection.execute(f"SELECT {_COLUMNS} FROM api_keys WHERE key_id = ?", (key_id,)).fetchone()  # noqa: S608
        return _to_key(found) if found else None

    def _read(self, key_id: str) -> tuple[ApiKey, str] | None:
        with self._database.read() as connection:
            found: Any = connection.execute(
                f"SELECT {_COLUMNS}, secret_hash FROM api_keys WHERE key_id = ?",  # noqa: S608
                (key_id,),
            ).fetchone()
        return (_to_key(found[:-1]), found[-1]) if found else None

    def _add_call(self, key_id: str, minute: int) -> int:
        with self._lock:
            counted_minute, calls = self._calls.get(key_id, (minute, 0))
            calls = calls + 1 if counted_minute == minute else 1
            self._calls[key_id] = minute, calls
        return calls


def _to_key(row: Any) -> ApiKey:
    key_id, name, scopes, collections, per_minute, created_at, expires, revoked_at = row
    return ApiKey(
        key_id=key_id,
        name=name,
        scopes=frozenset(map(Scope, json.loads(scopes))),
        collections=None if collections is None else frozenset(json.loads(collections)),
        per_minute=per_minute,
        created_at=created_at,
        expires=expires,
        revoked_at=revoked_at,
    )
