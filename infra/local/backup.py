"""Copy a data folder to another one, also while a run uses it.

The database is copied first, in one state, and then the files. It gets its name at the end, so that a copy that was
interrupted is not taken for a data folder.
"""

import os
import shutil
import sqlite3
import sys
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tqdm import tqdm

from infra.local.data_folder import (
    DATABASE_FILE,
    INCOMPLETE_DATABASE,
    OBJECTS_FOLDER,
    DataFolder,
    FolderUnusable,
    make_private,
)
from infra.local.stored_files import Known, list_files, required, without_removed
from infra.operate.prompts import printable, shortened
from shared.embedded.database import Database

_MEGABYTE: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Missing:
    """Keys of files that the copied database names and the copy lacks.

    Attributes:
        lost: those that the folder itself lacks, though its database names them.
        deleted: those that were deleted for good while the copy was made.
    """

    lost: frozenset[str]
    deleted: frozenset[str]


def backup(folder: DataFolder, database: Database, target: Path) -> int:
    """Copy a folder to `target`, say what was done and return the exit status.

    Raises:
        FolderUnusable: the target is not an empty folder, cannot be written to, or lies in the folder itself.
    """
    _prepare(folder, target)
    try:
        print(f"copying the database ({_size(database) / _MEGABYTE:,.1f} MB) ...", flush=True)
        copy = target / INCOMPLETE_DATABASE
        database.copy_to(copy)
        with closing(sqlite3.connect(copy)) as connection:
            done = _copy_files(folder.objects, target / OBJECTS_FOLDER, Known(connection))
            missing = _missing(connection, database, target / OBJECTS_FOLDER)
        copy.rename(target / DATABASE_FILE)
        os.sync()
    except (OSError, sqlite3.DatabaseError) as error:
        raise FolderUnusable(f"The backup failed: {error}. {target} is incomplete; delete it.") from error
    except KeyboardInterrupt:
        raise FolderUnusable(f"The backup was stopped. {target} is incomplete; delete it.") from None
    print(f"{target} is a copy: the database, {done['linked']:,} files linked and {done['copied']:,} copied.")
    print(f"To use it: python -m infra.local --data {target}")
    return _report(missing)


def _prepare(folder: DataFolder, target: Path) -> None:
    if target.resolve().is_relative_to(folder.path.resolve()):
        raise FolderUnusable(f"{target} is in the data folder itself. Name a folder outside of {folder.path}.")
    try:
        target.mkdir(mode=0o700, exist_ok=True)
        if any(target.iterdir()):
            raise FolderUnusable(f"{target} is not empty. Name a new or an empty folder for the backup.")
        make_private(target)
        (target / OBJECTS_FOLDER).mkdir()
    except FileNotFoundError as error:
        raise FolderUnusable(
            f"{target.parent} does not exist. Is its disk attached? If it is to be a new folder, create it first."
        ) from error
    except OSError as error:
        raise FolderUnusable(f"{target} cannot be written to: {error.strerror}. Name another folder.") from error


def _size(database: Database) -> int:
    with database.read() as connection:
        ((pages,), (page_size,)) = (connection.execute(f"PRAGMA page_{name}").fetchone() for name in ("count", "size"))
    return int(pages * page_size)


def _copy_files(source: Path, target: Path, known: Known) -> Counter[str]:
    """Link or copy the files that the copied database knows; count both."""
    done = Counter[str]()
    for file in tqdm(list(list_files(source)), desc="files", unit="file", disable=None):
        if file.key not in known:
            continue
        copy = target / file.path.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        try:
            done[_link_or_copy(file.path, copy)] += 1
        except FileNotFoundError:  # deleted since
            copy.unlink(missing_ok=True)
    return done


def _link_or_copy(source: Path, target: Path) -> str:
    """A file of an object is never changed, only replaced, so that two folders can share it."""
    try:
        target.hardlink_to(source)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copy2(source, target)
        return "copied"
    return "linked"


def _missing(copy: sqlite3.Connection, database: Database, objects: Path) -> Missing:
    there = {file.key for file in list_files(objects)}
    missing = without_removed(copy, required(copy) - there)
    if not missing:
        return Missing(frozenset(), frozenset())
    with database.read() as connection:
        lost = missing & without_removed(connection, missing & required(connection))
    return Missing(frozenset(lost), frozenset(missing - lost))


def _report(missing: Missing) -> int:
    if missing.deleted:
        print(f"{len(missing.deleted):,} files are not in it: their images were deleted for good while it was made.")
    if not missing.lost:
        return 0
    print(f"{len(missing.lost):,} files are not in it because the data folder lacks them:", file=sys.stderr)
    for line in shortened(sorted(missing.lost)):
        print(f"  {printable(line)}", file=sys.stderr)
    print("To see what to do: python -m infra.local check", file=sys.stderr)
    return 1
