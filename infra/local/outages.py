"""The errors of the data folder that pass by themselves, such as those of a full disk."""

import errno
import sqlite3
from typing import Final

from functions.api.outages import Outages

_FULL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EMFILE, errno.ENFILE, errno.EROFS}


def _is_transient(error: Exception) -> bool:
    return isinstance(error, sqlite3.OperationalError) or (isinstance(error, OSError) and error.errno in _FULL)


OUTAGES: Final = Outages(
    (sqlite3.OperationalError, OSError),
    _is_transient,
    "The data folder cannot be read or written just now; its disk may be full.",
)


def explained(error: Exception) -> str | None:
    """Return what to say of an error that ended the run, or None if it is a defect."""
    if not _is_transient(error) or getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR:
        return None
    return f"{OUTAGES.sentence} ({error})"
