"""Waiting until what was written is on the disk."""

import fcntl
import os
from pathlib import Path
from typing import Final

_FLUSH: Final = getattr(os, "fdatasync", os.fsync)


def sync(descriptor: int) -> None:
    """Wait until a file's content is on the disk.

    On macOS `fsync` only hands it to the drive, which may lose it with the power, and `fdatasync` does not exist.
    """
    full = getattr(fcntl, "F_FULLFSYNC", None)
    if full is not None:
        try:
            fcntl.fcntl(descriptor, full)
        except OSError:  # the file system does not have it
            os.fsync(descriptor)
        return
    _FLUSH(descriptor)


def sync_folder(folder: Path) -> None:
    """Wait until the names of a folder's files are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        sync(descriptor)
    finally:
        os.close(descriptor)
