"""The queue of the local run: delays, failures, and what a dead process leaves behind."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.domain.queue_times import INGEST_QUEUE
from shared.embedded.database import Database
from shared.embedded.migrations import open_database
from shared.embedded.queue import LONGEST_DELAY_SECONDS, Message, Queue


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(tmp_path / "db")
    yield opened
    opened.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def queue(database: Database, clock: Clock) -> Queue:
    return Queue(database, clock)


def waiting(database: Database) -> int:
    """The number of messages that have not been processed."""
    with database.read() as connection:
        return int(connection.execute("SELECT count(*) FROM messages").fetchone()[0])


def received(queue: Queue) -> Message:
    message = queue.receive()
    assert message
    return message


def test_messages_come_in_order_and_only_once(queue: Queue, database: Database) -> None:
    queue.send("a")
    queue.send("b")
    first, second = received(queue), received(queue)
    assert (first.body, second.body) == ("a", "b")
    assert queue.receive() is None
    queue.delete(first)
    assert waiting(database) == 1


def test_a_delayed_message_comes_when_its_time_has_come(queue: Queue, clock: Clock) -> None:
    queue.send("later", delay_seconds=300)
    clock.now += 299
    assert queue.receive() is None
    clock.now += 1
    assert received(queue).body == "later"


def test_background_messages_come_while_no_other_is_due(queue: Queue) -> None:
    queue.send("background", background=True)
    queue.send("upload")
    assert [received(queue).body for _ in range(2)] == ["upload", "background"]


def test_a_failed_message_comes_again_after_the_delays_of_the_queue_and_dies_after_the_last_attempt(
    queue: Queue, clock: Clock, database: Database
) -> None:
    queue.send("broken")
    for failures in range(1, INGEST_QUEUE.max_receives):
        assert not queue.fail(received(queue), "ValueError: no")
        clock.now += INGEST_QUEUE.retry_seconds(failures) - 1
        assert queue.receive() is None
        clock.now += 1
    assert queue.fail(received(queue), "ValueError: no")
    assert waiting(database) == 0
    (dead,) = queue.dead_letters()
    assert (dead.body, dead.reason) == ("broken", "ValueError: no (attempt 5 of 5)")


def test_dead_letters_are_sent_again_on_request_with_all_their_attempts(queue: Queue) -> None:
    queue.send("broken")
    queue.bury(received(queue), "no")
    assert queue.redrive() == 1
    assert queue.dead_letters() == []
    assert received(queue).failures == 0


def test_dead_letters_expire(queue: Queue, clock: Clock) -> None:
    queue.send("broken")
    queue.bury(received(queue), "no")
    clock.now += INGEST_QUEUE.dead_letter_days * 86_400
    assert queue.expire() == 0
    clock.now += 1
    assert queue.expire() == 1


def test_what_a_dead_process_was_processing_comes_again_at_once_and_is_known(
    queue: Queue, database: Database, clock: Clock
) -> None:
    queue.send("in process")
    queue.send("waiting")
    received(queue)
    reopened = Queue(database, clock)
    assert reopened.recover() == 1
    alone = reopened.receive(interrupted=True)
    assert alone
    assert (alone.body, alone.interruptions, alone.failures) == ("in process", 1, 0)
    assert reopened.receive(interrupted=True) is None
    assert received(reopened).body == "waiting"


def test_a_failure_ends_the_suspicion_of_having_killed_the_process(queue: Queue, clock: Clock) -> None:
    queue.send("interrupted")
    received(queue)
    queue.recover()
    queue.fail(received(queue), "no")
    clock.now += INGEST_QUEUE.retry_seconds(1)
    assert received(queue).interruptions == 0


def test_a_clock_that_was_set_back_delays_no_message_for_long(queue: Queue, clock: Clock) -> None:
    queue.send("sent in a wrong year")
    clock.now -= LONGEST_DELAY_SECONDS + 1
    assert queue.receive() is None
    queue.recover()
    assert received(queue).body == "sent in a wrong year"


def test_a_message_of_a_transaction_that_fails_was_never_sent(queue: Queue, database: Database) -> None:
    def fail() -> None:
        with database.transaction() as connection:
            queue.send("a")
            connection.execute("no statement")

    with pytest.raises(sqlite3.OperationalError):
        fail()
    assert waiting(database) == 0
