"""The SQLite database of the embedded store: its connections and transactions.

One connection writes, under a lock, and is the only one that moves the write-ahead log into the database. So no two
connections do either at the same time, which before SQLite 3.51.3 could corrupt a database
(https://www.sqlite.org/wal.html#walresetbug). Other connections only read; each read sees one state of the database
and waits for nobody.

A transaction is on the disk when it returns, as with `synchronous = FULL`. There, each would wait for the disk while it
keeps the others from writing. Here SQLite does not wait, and threads that have committed wait together.
"""

import logging
import os
import sqlite3
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from shared.embedded import database_format
from shared.embedded.database_format import UnusableDatabase
from shared.embedded.disk import sync, sync_folder

BUSY_SECONDS: Final = 30
"""How long a transaction waits for one of another process."""
IDLE_READERS: Final = 8
"""Maximum number of idle connections for reads that are kept open."""
CACHE_KIB: Final = 1024
"""Page cache of each connection for reads; the file cache of the operating system is behind it."""
LOG_BYTES: Final = 64 * 1024 * 1024
"""To what size the write-ahead log is cut back after it has grown beyond it."""
_SETTINGS: Final = (
    "synchronous = NORMAL",
    "foreign_keys = ON",
    "secure_delete = ON",  # what is deleted, such as faces, must not stay in the file
    "fullfsync = ON",  # on macOS, see `shared.embedded.disk.sync`
    "checkpoint_fullfsync = ON",
    f"journal_size_limit = {LOG_BYTES}",
)
_LOG_SECONDS: Final = 2
"""How long `empty_log` waits for reads that need the log."""
_STATEMENTS: Final = 256

_log = logging.getLogger(__name__)


class Database:
    """A database file that any number of threads may use. It must not be carried across a fork.

    `read` and `transaction` yield a connection in which `execute` needs no commit: ::

        with database.transaction() as connection:
            connection.execute("UPDATE uploads SET status = ? WHERE upload_id = ?", (status, upload_id))

    Args:
        path: the file, created if missing, with `-wal` and `-shm` beside it.
        migrations: SQL scripts. The first creates the tables of format 1, each of the others changes a database of the
            format before. A database has the format of the last script that it has seen.
        upgrade: bring a database of an earlier format to the last one, after a copy of it was put beside it. Otherwise
            it is refused.

    Raises:
        UnusableDatabase: the file has another format, is not a database of PicTrace, is damaged, or the disk is full.
    """

    def __init__(self, path: Path, migrations: Sequence[str], *, upgrade: bool = True) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._owner: int | None = None
        self._syncing = threading.Lock()
        self._commits = self._durable = 0
        self._log: int | None = None
        self._idle: deque[sqlite3.Connection] = deque()
        try:
            self._writer = self._connect()
        except sqlite3.OperationalError as error:
            raise database_format.explain(path, error) from error
        try:
            self._prepare(migrations, upgrade=upgrade)
        except sqlite3.DatabaseError as error:
            self._writer.close()
            raise database_format.explain(path, error) from error
        except BaseException:
            self._writer.close()
            raise

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Yield the connection that writes, in a transaction that is committed at the end and durable from then on.

        An exception rolls it back. Other threads wait for its end. A transaction inside another of the same thread
        becomes part of it: it can be rolled back alone, and is durable with the outer one.
        """
        if self._owner == threading.get_ident():
            with _savepoint(self._writer):
                yield self._writer
            return
        with self._lock:
            self._writer.execute("BEGIN IMMEDIATE")
            self._owner = threading.get_ident()
            changes = self._writer.total_changes
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise
            finally:
                self._owner = None
            if self._writer.total_changes == changes:
                return
            self._commits += 1
            commit = self._commits
        self._make_durable(commit)

    def _make_durable(self, commit: int) -> None:
        """Wait until the log is on the disk up to a commit; threads that wait at the same time share one wait."""
        with self._syncing:
            if self._durable < commit:
                newest = self._commits
                if self._log is None:
                    self._log = os.open(f"{self.path}-wal", os.O_RDWR)
                sync(self._log)
                self._durable = newest

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection whose reads all see the state after the last transaction that is committed now.

        Inside a transaction of the same thread they see what it has written. A long read does not stop others, but the
        write-ahead log grows until its end.
        """
        if self._owner == threading.get_ident():
            yield self._writer
            return
        connection = self._idle_reader() or self._connect(reads_only=True)
        try:
            connection.execute("BEGIN")
            yield connection
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            if len(self._idle) < IDLE_READERS:
                self._idle.append(connection)
            else:
                connection.close()

    def empty_log(self) -> None:
        """Move the write-ahead log into the database and empty it, so that nothing deleted stays in it.

        It is not emptied while a long read needs it. It must not be called inside a transaction.
        """
        with self._lock:
            self._writer.execute(f"PRAGMA busy_timeout = {_LOG_SECONDS * 1000}")
            try:
                (busy, _, _) = self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            finally:
                self._writer.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
        if busy:
            _log.warning("What was deleted may stay in the write-ahead log until the database is closed.")

    def copy_to(self, path: Path) -> None:
        """Write the state after the last transaction that is committed now to a new file, durably.

        Nobody waits for it. It has no free pages, and so nothing of what was deleted.
        """
        connection = self._connect()
        try:
            connection.execute("VACUUM INTO ?", (str(path),))
        finally:
            connection.close()
        descriptor = os.open(path, os.O_RDWR)
        try:
            sync(descriptor)
        finally:
            os.close(descriptor)
        sync_folder(path.parent)

    def close(self) -> None:
        """Close all connections, after the transaction that is under way; the log becomes part of the database."""
        with self._lock:
            while connection := self._idle_reader():
                connection.close()
            self._writer.close()
            if self._log is not None:
                os.close(self._log)
                self._log = None

    def _idle_reader(self) -> sqlite3.Connection | None:
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _connect(self, *, reads_only: bool = False) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path,
            timeout=BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=_STATEMENTS,
        )
        if reads_only:
            connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
            connection.execute("PRAGMA query_only = ON")
        return connection

    def _prepare(self, migrations: Sequence[str], *, upgrade: bool) -> None:
        known = len(migrations)
        earlier = database_format.read(self._writer, self.path, known)
        if earlier < known and not upgrade:
            raise UnusableDatabase(
                f"{self.path} was written by an earlier version of PicTrace: it has format {earlier}, and this version "
                f"needs format {known}. Stop the earlier version, and start the run once, which updates it."
            )
        database_format.require_log(self._writer, self.path)
        for setting in _SETTINGS:
            self._writer.execute(f"PRAGMA {setting}")
        if 0 < earlier < known:
            self._keep(earlier, known)
        with self.transaction() as connection:
            found = database_format.read(connection, self.path, known)
            if found == known:
                return
            database_format.migrate(connection, migrations[found:], known)
        self._make_durable(self._commits + 1)

    def _keep(self, earlier: int, later: int) -> None:
        """Put a copy of the database beside it, from which one can go back to the version that wrote it."""
        kept = self.path.with_name(f"{self.path.name}.format{earlier}")
        _log.warning(
            "The database is updated from format %d to %d. As it was it is kept as %s; delete that file once you do not"
            " want to go back.",
            earlier,
            later,
            kept,
        )
        copy = kept.with_name(f"{kept.name}.new")
        copy.unlink(missing_ok=True)
        self.copy_to(copy)
        copy.replace(kept)
        sync_folder(kept.parent)


@contextmanager
def _savepoint(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("SAVEPOINT inner_transaction")
    try:
        yield
    except BaseException:
        if connection.in_transaction:  # SQLite rolls all of it back after some errors, such as a full disk
            connection.execute("ROLLBACK TO inner_transaction")
            connection.execute("RELEASE inner_transaction")
        raise
    connection.execute("RELEASE inner_transaction")
