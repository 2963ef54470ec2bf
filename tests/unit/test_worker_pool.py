"""The workers of the local run: what follows a success, a failure, a death, and a disk that is full for a while."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.local.worker_pool import WorkerPool
from shared.embedded.database import Database
from shared.embedded.migrations import open_database
from shared.embedded.queue import MAX_INTERRUPTIONS, Message, Queue
from tests.conftest import NO_RETRY_DELAY
from tests.unit.test_embedded_queue import waiting


def until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(tmp_path / "db")
    yield opened
    opened.close()


@pytest.fixture
def queue(database: Database) -> Queue:
    return Queue(database)


class Pool:
    """A pool that notes what it did."""

    def __init__(self, queue: Queue, process: Callable[[Message], object], workers: int = 3) -> None:
        self.done: list[str] = []
        self.given_up: list[str] = []
        self._process = process
        self.pool = WorkerPool(queue, self._note, lambda message: self.given_up.append(message.body), workers=workers)

    def _note(self, message: Message) -> None:
        self._process(message)
        self.done.append(message.body)


def test_messages_are_processed_at_once_and_deleted(queue: Queue, database: Database) -> None:
    together = threading.Barrier(3, timeout=30)
    pool = Pool(queue, lambda _: together.wait())
    pool.pool.start()
    for body in "abc":
        queue.send(body)
    until(lambda: waiting(database) == 0)
    pool.pool.stop()
    assert sorted(pool.done) == ["a", "b", "c"]


def test_a_message_that_fails_in_each_attempt_is_given_up(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.embedded.queue.INGEST_QUEUE", NO_RETRY_DELAY)
    attempts = list[str]()

    def fail(message: Message) -> None:
        attempts.append(message.body)
        raise ValueError("no luck")

    pool = Pool(queue, fail)
    pool.pool.start()
    queue.send("broken")
    until(lambda: pool.given_up)
    pool.pool.stop()
    assert (len(attempts), pool.given_up) == (5, ["broken"])
    assert queue.dead_letters()[0].reason.startswith("ValueError: no luck")


def test_what_killed_the_process_is_processed_alone_and_before_all_others(queue: Queue, database: Database) -> None:
    for body in "ab":
        queue.send(body)
        assert queue.receive()
    queue.send("c")
    at_once, most = [0], [0]

    def process(message: Message) -> None:
        at_once[0] += 1
        most[0] = max(most[0], at_once[0] if message.interruptions else 0)
        time.sleep(0.05)
        at_once[0] -= 1

    pool = Pool(queue, process)
    pool.pool.start()
    until(lambda: waiting(database) == 0)
    pool.pool.stop()
    assert (pool.done, most[0]) == (["a", "b", "c"], 1)


def test_what_kills_the_process_each_time_is_given_up(queue: Queue) -> None:
    queue.send("deadly")
    for _ in range(MAX_INTERRUPTIONS):
        assert queue.receive()
        queue.recover()
    pool = Pool(queue, lambda _: None)
    pool.pool.start()
    until(lambda: pool.given_up)
    pool.pool.stop()
    assert (pool.done, pool.given_up) == ([], ["deadly"])
    assert queue.dead_letters()[0].reason == f"the process died {MAX_INTERRUPTIONS} times while processing it"


def test_the_end_of_an_attempt_is_stored_once_the_disk_has_room(
    queue: Queue, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    delete, refused = queue.delete, list[int]()

    def full(message: Message) -> None:
        if not refused:
            refused.append(message.id)
            raise sqlite3.OperationalError("database or disk is full")
        delete(message)

    monkeypatch.setattr(queue, "delete", full)
    monkeypatch.setattr("infra.local.worker_pool.POLL_SECONDS", 0)
    pool = Pool(queue, lambda _: None)
    pool.pool.start()
    queue.send("a")
    until(lambda: waiting(database) == 0)
    pool.pool.stop()
    assert (pool.done, len(refused)) == (["a"], 1)


def test_a_stop_waits_for_the_message_that_is_being_processed(queue: Queue, database: Database) -> None:
    begun = threading.Event()

    def process(_: Message) -> None:
        begun.set()
        time.sleep(0.2)

    pool = Pool(queue, process)
    pool.pool.start()
    queue.send("a")
    assert begun.wait(30)
    pool.pool.stop()
    assert (pool.done, waiting(database)) == (["a"], 0)
