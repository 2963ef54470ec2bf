"""Leaving deleted rows out of the files of the vector index, and writing those again without them."""

import logging
import sqlite3
import threading
import time
from typing import Final

from shared.embedded.database import Database
from shared.embedded.vector_file import Ids
from shared.embedded.vector_folder import VectorFolder
from shared.embedded.vector_rows import forget_deletions, read_deletions

FEW: Final = 16
"""Deleted rows that a search may meet before all deletions are read."""
COMPACT_ROWS: Final = 1_000
COMPACT_SHARE: Final = 0.25
"""The files are compacted when at least so many of their rows, and this share of them, are deleted."""
RETRY_SECONDS: Final = 600
"""How long a compaction that failed is not tried again. It needs as much free space as the files that it replaces."""

_log = logging.getLogger(__name__)


class Compaction:
    """Follows the deletions of a database in the files of its index.

    Args:
        changing: held while the files are changed.
    """

    def __init__(self, database: Database, changing: threading.Lock) -> None:
        self._database = database
        self._changing = changing
        self._failed_at: float | None = None

    def forget(self, folder: VectorFolder, deleted: Ids) -> None:
        """Leave rows that a search has met out of further searches, and all deleted ones if there are many."""
        with self._changing:
            for file in folder:
                file.remove(deleted)
        if len(deleted) >= FEW or (self._failed_at is not None and not self._waits()):
            self.forget_all(folder)

    def forget_all(self, folder: VectorFolder) -> None:
        """Leave all deleted rows out of searches, and compact the files if there are many.

        A compaction that fails, as on a nearly full disk, is tried again later: searches do not need it.
        """
        with self._database.read() as connection:
            deleted = read_deletions(connection)
        try:
            if self._compact(folder, deleted):
                with self._database.transaction() as connection:
                    forget_deletions(connection, deleted)
                self._failed_at = None
        except (OSError, sqlite3.Error) as error:
            if self._failed_at is None:
                _log.warning("The vector index was not compacted, which is tried again later: %s", error)
            self._failed_at = time.monotonic()

    def _compact(self, folder: VectorFolder, deleted: Ids) -> bool:
        with self._changing:
            for file in folder:
                file.remove(deleted)
            removed, rows = sum(file.removed for file in folder), sum(map(len, folder))
            if removed < max(COMPACT_ROWS, COMPACT_SHARE * rows) or self._waits():
                return False
            _log.info("Compacting the vector index: %d of %d rows are deleted.", removed, rows)
            folder.compact()
        return True

    def _waits(self) -> bool:
        return self._failed_at is not None and time.monotonic() < self._failed_at + RETRY_SECONDS
