"""The format of a database file: which one it has, how it becomes the next, and why a file cannot be used."""

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

APPLICATION_ID: Final = 0x50696354
"""Marks a database file as one of PicTrace (`PicT` in ASCII)."""
_PRIMARY_CODE: Final = 0xFF
"""The part of an error code that says what kind of error it is: https://www.sqlite.org/rescode.html"""


class UnusableDatabase(Exception):  # noqa: N818 - told to a person, not a fault
    """The file is not a database that this version can use; the message says why, in English sentences."""


def read(connection: sqlite3.Connection, path: Path, known: int) -> int:
    """Return the format of a database, 0 for an empty one.

    Args:
        known: the last format that this version knows.

    Raises:
        UnusableDatabase: it is not a database of PicTrace, or has a later format.
    """
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    if tables and application != APPLICATION_ID:
        raise UnusableDatabase(f"{path} is not a database of PicTrace.")
    if found > known:
        raise UnusableDatabase(
            f"{path} was written by a newer version of PicTrace: it has format {found}, and this version "
            f"knows formats up to {known}. Update PicTrace, or choose another folder."
        )
    return int(found)


def require_log(connection: sqlite3.Connection, path: Path) -> None:
    """Have changes written to a log first.

    Raises:
        UnusableDatabase: the file system cannot hold the log.
    """
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise UnusableDatabase(
            f"The file system of {path} cannot hold SQLite's write-ahead log (the journal mode stays {mode}). "
            "Choose a folder on a disk of this machine, not on a network drive."
        )


def migrate(connection: sqlite3.Connection, scripts: Sequence[str], to: int) -> None:
    """Bring a database to a format by the scripts that it has not seen, in a transaction of the caller."""
    for script in scripts:
        for statement in _statements(script):
            connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {to}")


def explain(path: Path, error: sqlite3.DatabaseError) -> Exception:
    """Return an error that says why a database cannot be opened, and what to do; the same error if it is a mistake."""
    match error.sqlite_errorcode & _PRIMARY_CODE:
        case sqlite3.SQLITE_NOTADB:
            reason = f"{path} is not a database of PicTrace."
        case sqlite3.SQLITE_FULL:
            reason = f"{path} cannot be written: the disk is full. Free some space, or choose another folder."
        case sqlite3.SQLITE_CORRUPT:
            reason = f"{path} is damaged: {error}. Restore the folder from a copy, or choose another one."
        case sqlite3.SQLITE_ERROR:
            return error
        case _:
            reason = f"{path} cannot be opened: {error}. Check permissions and free space, or choose another folder."
    return UnusableDatabase(reason)


def _statements(script: str) -> Iterator[str]:
    """Yield the statements of a script, each of which ends at the end of a line."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if statement.strip():
        raise ValueError(f"a statement has no end: {statement.strip()}")
