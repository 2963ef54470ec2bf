"""The format of the embedded store's database: the tables of all adapters, and how earlier formats become this one."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from shared.embedded import (
    album_tables,
    api_keys,
    captures,
    collections,
    duplicate_scans,
    duplicates,
    hashes,
    ledger,
    links,
    objects,
    people,
    purge_hold,
    queue,
    records,
    refusals,
    tags,
    trash,
    uploads,
    vector_table,
)
from shared.embedded.database import Database

_ADAPTERS: Final = (
    records,
    duplicates,
    vector_table,
    trash,
    duplicate_scans,
    ledger,
    collections,
    uploads,
    api_keys,
    refusals,
    objects,
    links,
    queue,
)

MIGRATIONS: Final[Sequence[str]] = (
    "\n".join(adapter.SCHEMA for adapter in _ADAPTERS),
    captures.MIGRATION,
    tags.MIGRATION,
    album_tables.MIGRATION,
    people.MIGRATION,
    hashes.MIGRATION,
    album_tables.TRASH_MIGRATION,
    purge_hold.MIGRATION,
)
"""The scripts of `Database`. A format that has been released is never changed: a change is a further script."""


def open_database(path: Path, *, upgrade: bool = True) -> Database:
    """Open the database, created if missing, in the current format.

    Args:
        upgrade: see `Database`.

    Raises:
        UnusableDatabase: see `Database`.
    """
    return Database(path, MIGRATIONS, upgrade=upgrade)
