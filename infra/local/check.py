"""Check that the database of a data folder is intact, and that it and the files know each other."""

import sqlite3
import time
from collections.abc import Collection
from typing import Final

from infra.local.data_folder import DataFolder
from infra.local.stored_files import Known, StoredFile, list_files, required, without_removed
from infra.operate.prompts import MAX_SHOWN, printable, shortened
from shared.embedded.database import Database

SETTLED_SECONDS: Final = 3600
"""A younger file may get its row yet."""


def check(folder: DataFolder, database: Database) -> int:
    """Say what is wrong and what to do; return the exit status, 1 if something is."""
    if faults := _faults(database):
        _show("the database is damaged", faults)
        print("Stop the run, and restore a backup into a new folder (docs/guides/local-run.md, Back up and move).")
        return 1
    files = list(list_files(folder.objects))
    missing, unknown = _missing(folder, database, files), _unknown(database, files)
    if missing:
        _show(f"{len(missing):,} files are missing that the database names", sorted(missing))
        print("If you have a backup, add what it has: cp -Rn BACKUP/objects/. " + str(folder.objects))
        print("Otherwise delete the images concerned, and upload them again.")
    if unknown:
        _show(f"{len(unknown):,} files are there that the database does not name", [str(one.path) for one in unknown])
        print("Nothing uses them. You may delete them.")
    if missing or unknown:
        return 1
    print(f"the database is intact, and its {len(files):,} files are there")
    return 0


def _faults(database: Database) -> list[str]:
    try:
        with database.read() as connection:
            found = [fault for (fault,) in connection.execute(f"PRAGMA quick_check({MAX_SHOWN})")]
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_CORRUPT:
            raise
        return [str(error)]
    return [fault for fault in found if fault != "ok"]


def _missing(folder: DataFolder, database: Database, files: Collection[StoredFile]) -> set[str]:
    there = {file.key for file in files}
    with database.read() as connection:
        missing = required(connection) - there
    if missing:  # or stored, or deleted, since the files were listed
        there = {file.key for file in list_files(folder.objects)}
        with database.read() as connection:
            missing = without_removed(connection, (missing & required(connection)) - there)
    return missing


def _unknown(database: Database, files: Collection[StoredFile]) -> list[StoredFile]:
    with database.read() as connection:
        known = Known(connection)
    latest = time.time() - SETTLED_SECONDS
    return sorted(
        (file for file in files if file.key not in known and _is_older(file, latest)), key=lambda file: file.key
    )


def _is_older(file: StoredFile, latest: float) -> bool:
    try:
        return file.path.stat().st_mtime < latest
    except FileNotFoundError:
        return False


def _show(fault: str, lines: list[str]) -> None:
    print(f"{fault}:")
    for line in shortened(lines):
        print(f"  {printable(line)}")
