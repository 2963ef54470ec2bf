"""The active model in SQLite."""

import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from shared.domain.active_model import ActiveModel
from shared.embedded.database import Database

SCHEMA: Final = """
CREATE TABLE settings (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;
"""
"""The table as of format 1."""

_NAME: Final = "active_model"


class EmbeddedActiveModel(ActiveModel):
    """Keeps the active model in one row."""

    def __init__(
        self, database: Database, model_ids: Sequence[str], clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(model_ids, clock)
        self._database = database

    def stored(self) -> str | None:
        with self._database.read() as connection:
            found: Any = connection.execute("SELECT value FROM settings WHERE name = ?", (_NAME,)).fetchone()
        return str(found[0]) if found else None

    def switch(self, model: str) -> None:
        with self._database.transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)", (_NAME, model))
