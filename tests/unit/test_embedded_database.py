"""The database of the embedded store: transactions, threads, formats, and what remains after a kill."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from shared.domain.errors import PictureRefused
from shared.domain.images import ObjectRef, Upload, UploadStatus
from shared.domain.ledger import ImageKey, ObjectState, ObjectStatus
from shared.domain.limits import REFUSAL_DAYS, UPLOAD_STATE_DAYS
from shared.embedded import expiry
from shared.embedded.database import BUSY_SECONDS, Database
from shared.embedded.database_format import UnusableDatabase
from shared.embedded.ledger import EmbeddedLedger
from shared.embedded.migrations import MIGRATIONS, open_database
from shared.embedded.refusals import EmbeddedRefusals
from shared.embedded.uploads import EmbeddedUploads
from tests.conftest import ROOT

TABLE = "CREATE TABLE t (n INTEGER PRIMARY KEY);"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "pictrace.sqlite"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    opened = Database(path, [TABLE])
    yield opened
    opened.close()


def insert(database: Database, number: int) -> None:
    with database.transaction() as connection:
        connection.execute("INSERT INTO t (n) VALUES (?)", (number,))


def insert_all_or_none(database: Database, *several: int) -> None:
    with database.transaction():
        for number in several:
            insert(database, number)


def insert_with_blob(database: Database, number: int) -> None:
    with database.transaction() as connection:
        connection.execute("INSERT INTO t VALUES (?)", (number,))
        connection.execute("INSERT INTO blobs VALUES (zeroblob(1000000))")


def numbers(database: Database) -> list[int]:
    with database.read() as connection:
        return [number for (number,) in connection.execute("SELECT n FROM t")]


def test_a_transaction_is_stored_whole_or_not_at_all(database: Database) -> None:
    insert(database, 1)
    with pytest.raises(sqlite3.IntegrityError):
        insert_all_or_none(database, 2, 1)
    assert numbers(database) == [1]
    insert_all_or_none(database, 2, 3)
    assert numbers(database) == [1, 2, 3]


def test_a_transaction_inside_another_ends_with_it(database: Database) -> None:
    with database.transaction():
        insert(database, 1)
        with suppress(KeyError), database.transaction() as connection:
            connection.execute("INSERT INTO t VALUES (2)")
            raise KeyError
        insert(database, 3)
        assert numbers(database) == [1, 3], "a read inside it sees its writes"
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(numbers, database).result() == [], "one of another thread does not"
    assert numbers(database) == [1, 3]


def test_a_read_sees_one_state_and_cannot_write(database: Database) -> None:
    with database.read() as connection:
        connection.execute("SELECT * FROM t").fetchall()
        insert(database, 1)
        assert connection.execute("SELECT * FROM t").fetchall() == []
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            connection.execute("INSERT INTO t VALUES (2)")
    assert numbers(database) == [1]


def test_threads_write_one_after_another_and_read_at_the_same_time(database: Database) -> None:
    def work(worker: int) -> None:
        for number in range(20):
            insert(database, worker * 100 + number)
            assert worker * 100 + number in numbers(database)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert len(numbers(database)) == 160


def test_a_transaction_is_on_the_disk_when_it_returns(
    database: Database, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each returns after a wait for the disk that began after its commit; threads that wait together share one."""
    waits: list[set[int]] = []

    def wait(_: int) -> None:
        waits.append(set(numbers(database)))
        time.sleep(0.02)

    def insert_durably(number: int) -> bool:
        insert(database, number)
        return any(number in wait for wait in list(waits))

    monkeypatch.setattr("shared.embedded.database.sync", wait)
    insert(database, 1)
    assert waits == [{1}]
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(insert_durably, range(100, 140)))
    assert len(waits) <= 30
    waits.clear()
    with database.transaction() as connection:
        insert(database, 2)
        assert not waits
        connection.execute("INSERT INTO t VALUES (3)")
    assert len(waits) == 1
    with database.transaction() as connection:
        connection.execute("INSERT OR IGNORE INTO t VALUES (3)")
    assert len(waits) == 1, "nothing was written"
    path.with_name("new").unlink(missing_ok=True)
    Database(path.with_name("new"), [TABLE]).close()
    assert len(waits) == 2, "the tables are there for good"


def test_a_reader_does_not_wait_for_a_writer(database: Database) -> None:
    entered, leave = threading.Event(), threading.Event()

    def write() -> None:
        with database.transaction() as connection:
            connection.execute("INSERT INTO t VALUES (1)")
            entered.set()
            leave.wait(10)

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        assert entered.wait(10)
        assert numbers(database) == []
        leave.set()
        writing.result()
    assert numbers(database) == [1]


def test_a_full_disk_loses_nothing_and_is_recovered_from(database: Database) -> None:
    insert(database, 1)
    with database.transaction() as connection:
        connection.execute("CREATE TABLE blobs (data BLOB)")
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(sqlite3.OperationalError, match="full"):
        insert_with_blob(database, 2)
    assert numbers(database) == [1]
    database._writer.execute("PRAGMA max_page_count = 1000000")
    insert(database, 3)
    assert numbers(database) == [1, 3]


def test_two_processes_write_one_after_another(database: Database, path: Path) -> None:
    other = Database(path, [TABLE])
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda number: insert((database, other)[number % 2], number), range(40)))
    assert numbers(database) == numbers(other) == list(range(40))


def stored_bytes(path: Path) -> bytes:
    return b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))


def test_what_was_deleted_is_in_no_file_once_the_log_is_emptied(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where SQLite is not built to overwrite what is deleted."""
    connect = sqlite3.connect

    def careless(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*arguments, **options)
        connection.execute("PRAGMA secure_delete = OFF")
        return connection

    monkeypatch.setattr(sqlite3, "connect", careless)
    database = Database(path, ["CREATE TABLE t (data BLOB);"])
    secret = os.urandom(500)
    with database.transaction() as connection:
        connection.executemany("INSERT INTO t VALUES (?)", [(secret,)] * 100)
    database.empty_log()
    assert stored_bytes(path).count(secret) >= 100
    with database.transaction() as connection:
        connection.execute("DELETE FROM t")
    database.empty_log()
    assert secret not in stored_bytes(path)
    assert path.with_name(f"{path.name}-wal").stat().st_size == 0
    insert_after = "INSERT INTO t VALUES (zeroblob(10))"
    with database.transaction() as connection:
        connection.execute(insert_after)
    database.close()


def test_a_long_read_keeps_the_log_and_nobody_else_waits(
    database: Database, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.embedded.database._LOG_SECONDS", 0)
    insert(database, 1)
    with database.read() as connection:
        connection.execute("SELECT * FROM t").fetchall()
        insert(database, 2)
        database.empty_log()
        assert "may stay in the write-ahead log" in caplog.text
    insert(database, 3)
    assert numbers(database) == [1, 2, 3]


def test_a_log_that_cannot_be_emptied_makes_no_later_transaction_impatient(database: Database) -> None:
    def refuse(action: int, name: str | None, *_: object) -> int:
        return sqlite3.SQLITE_DENY if (action, name) == (sqlite3.SQLITE_PRAGMA, "wal_checkpoint") else sqlite3.SQLITE_OK

    with database.transaction() as connection:
        writer = connection
    writer.set_authorizer(refuse)
    with pytest.raises(sqlite3.DatabaseError):
        database.empty_log()
    writer.set_authorizer(None)
    assert writer.execute("PRAGMA busy_timeout").fetchone() == (BUSY_SECONDS * 1000,)


def test_a_file_system_without_a_write_ahead_log_is_refused() -> None:
    with pytest.raises(UnusableDatabase, match=r"cannot hold SQLite's write-ahead log \(the journal mode stays memory"):
        Database(Path(":memory:"), [TABLE])


def test_an_earlier_format_becomes_the_current_one(database: Database, path: Path) -> None:
    insert(database, 1)
    database.close()
    newer = Database(
        path,
        [
            TABLE,
            "ALTER TABLE t ADD COLUMN square INTEGER;\n"
            "CREATE TRIGGER squares AFTER INSERT ON t BEGIN\n"
            "    UPDATE t SET square = new.n * new.n WHERE n = new.n;\n"
            "END;\nUPDATE t SET square = n * n;",
        ],
    )
    insert(newer, 3)
    with newer.read() as connection:
        assert connection.execute("SELECT * FROM t").fetchall() == [(1, 1), (3, 9)]
        assert connection.execute("PRAGMA user_version").fetchone() == (2,)
    newer.close()
    with pytest.raises(UnusableDatabase, match=re.escape(f"{path} was written by a newer version of PicTrace")) as told:
        Database(path, [TABLE])
    assert "it has format 2, and this version knows formats up to 1. Update PicTrace" in str(told.value)


def test_an_earlier_format_is_kept_beside_the_current_one(
    database: Database, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    insert(database, 1)
    database.close()
    assert [entry.name for entry in path.parent.iterdir()] == [path.name], "a new database has no earlier format"
    scripts = [TABLE, "CREATE TABLE u (m);", "DELETE FROM t;"]
    later = Database(path, scripts)
    kept = path.with_name(f"{path.name}.format1")
    assert f"updated from format 1 to 3. As it was it is kept as {kept}" in caplog.text
    assert numbers(later) == []
    later.close()
    caplog.clear()
    Database(path, scripts).close()
    assert not caplog.text
    assert sorted(entry.name for entry in path.parent.iterdir()) == [path.name, kept.name]
    assert numbers(Database(kept, [TABLE])) == [1]


def test_an_earlier_format_is_refused_where_it_shall_not_be_updated(database: Database, path: Path) -> None:
    insert(database, 1)
    with pytest.raises(UnusableDatabase, match=r"it has format 1, and this version needs format 2\. Stop the earlier"):
        Database(path, [TABLE, "DROP TABLE t;"], upgrade=False)
    assert numbers(database) == [1]


def test_a_migration_that_fails_changes_nothing(database: Database, path: Path) -> None:
    insert(database, 1)
    database.close()
    for script in ("DROP TABLE t;\nCREATE TABLE t (m);\nSELECT * FROM nowhere;", "DROP TABLE t"):
        with pytest.raises((sqlite3.OperationalError, ValueError)):
            Database(path, [TABLE, script])
    assert numbers(Database(path, [TABLE])) == [1]


def test_another_file_is_refused_and_not_changed(path: Path) -> None:
    def foreign() -> None:
        connection = sqlite3.connect(path)
        connection.execute("CREATE TABLE photos (name TEXT)")
        connection.close()

    for make in (foreign, lambda: path.write_bytes(b"no database" * 1000)):
        path.unlink(missing_ok=True)
        make()
        before = path.read_bytes()
        with pytest.raises(UnusableDatabase, match=re.escape(f"{path} is not a database of PicTrace.")):
            open_database(path)
        assert path.read_bytes() == before


WRITER = """
import sys
from pathlib import Path
from shared.embedded.database import BUSY_SECONDS, Database
database = Database(Path(sys.argv[1]), [sys.argv[2]])
with database.read() as connection:
    (number,) = connection.execute("SELECT ifnull(max(n), 0) FROM t").fetchone()
while True:
    number += 1
    with database.transaction() as connection:
        connection.execute("INSERT INTO t VALUES (?)", (number,))
    print(number, flush=True)
"""


def test_what_was_committed_outlives_a_kill(path: Path) -> None:
    """A writer is killed ten times, at any moment; each number that it reported is there, and none twice."""
    reported = 0
    for attempt in range(10):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, path, TABLE], stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        assert writer.stdout is not None
        assert int(writer.stdout.readline()) >= reported
        time.sleep(0.01 * attempt)
        writer.send_signal(signal.SIGKILL)
        rest = [line for line in writer.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
        writer.wait()
        reported = max(reported, *(int(line) for line in rest)) if rest else reported
        database = Database(path, [TABLE])
        found = numbers(database)
        assert found == list(range(1, len(found) + 1))
        assert len(found) >= reported
        with database.read() as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        database.close()
    assert reported > 10


def upload(database: Database, clock: Callable[[], float], number: int) -> None:
    EmbeddedUploads(database, clock).open(Upload(f"{number:032x}", "c", UploadStatus.PENDING), ObjectRef("b", "k"))


def remove(database: Database, clock: Callable[[], float], number: int) -> None:
    state = ObjectState(ObjectRef("b", str(number)), ObjectStatus.REMOVED, ImageKey("c", "0" * 64))
    EmbeddedLedger(database, clock).change(None, state)


def refuse(database: Database, clock: Callable[[], float], number: int) -> None:
    EmbeddedRefusals(database, clock).put(ImageKey("c", str(number)), "m", PictureRefused("gone", "It is gone."))


@pytest.mark.parametrize(
    ("table", "add", "days"),
    [
        ("uploads", upload, UPLOAD_STATE_DAYS),
        ("objects", remove, UPLOAD_STATE_DAYS),
        ("refusals", refuse, REFUSAL_DAYS),
    ],
)
def test_expired_rows_are_deleted_while_new_ones_arrive(
    path: Path, table: str, add: Callable[[Database, Callable[[], float], int], None], days: int
) -> None:
    database, now = Database(path, MIGRATIONS), [1_800_000_000.0]

    def size() -> int:
        with database.read() as connection:
            return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608

    for number in range(10):
        add(database, lambda: now[0], number)
    now[0] += days * 86_400 - 1
    add(database, lambda: now[0], 10)
    assert size() == 11
    now[0] += 1
    for number in range(5):
        add(database, lambda: now[0], 11 + number)
    assert size() == 6
    assert expiry.AT_ONCE == 2


def test_entries_of_objects_that_exist_do_not_expire(path: Path) -> None:
    database, now = Database(path, MIGRATIONS), [1_800_000_000.0]
    ledger = EmbeddedLedger(database, lambda: now[0])
    source = ObjectRef("b", "k")
    ledger.change(None, ObjectState(source, ObjectStatus.REJECTED))
    before = ledger.find(source)
    assert before is not None
    ledger.change(before, ObjectState(source, ObjectStatus.HELD, ImageKey("c", "0" * 64)))
    now[0] += 10 * UPLOAD_STATE_DAYS * 86_400
    remove(database, lambda: now[0], 1)
    assert ledger.find(source) is not None


def test_a_file_that_cannot_be_opened_is_met_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(
        UnusableDatabase, match=r"cannot be opened: unable to open database file\. Check permissions and free space"
    ):
        Database(tmp_path / "missing" / "db", ["CREATE TABLE a (b);"])
    Database(tmp_path / "db", ["CREATE TABLE a (b);"]).close()
    data = bytearray((tmp_path / "db").read_bytes())
    data[100:108] = bytes(8)
    (tmp_path / "db").write_bytes(data)
    with pytest.raises(UnusableDatabase, match=r"is damaged: .* Restore the folder from a copy"):
        Database(tmp_path / "db", ["CREATE TABLE a (b);"])


def test_a_disk_without_space_for_a_new_database_is_met_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = sqlite3.connect

    def small(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*arguments, **options)
        connection.execute("PRAGMA max_page_count = 1")
        return connection

    monkeypatch.setattr(sqlite3, "connect", small)
    with pytest.raises(UnusableDatabase, match=r"the disk is full\. Free some space, or choose another folder"):
        Database(tmp_path / "db", ["CREATE TABLE a (b);"])
