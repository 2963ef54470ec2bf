"""A durable queue of messages in SQLite, for the workers of one process.

A message is delivered until it is deleted. One that was being processed when the process died is delivered again as
soon as the next process recovers the queue, and apart from the others, because it may be what killed the process.
"""

import json
import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

from shared.domain.queue_times import INGEST_QUEUE
from shared.embedded.database import Database

SCHEMA: Final = """
CREATE TABLE messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    body TEXT NOT NULL,
    background INTEGER NOT NULL DEFAULT 0,
    visible_at REAL NOT NULL,
    in_flight INTEGER NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0,
    interruptions INTEGER NOT NULL DEFAULT 0
);

CREATE INDEX messages_waiting ON messages (in_flight, background, id);

CREATE TABLE dead_letters (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    body TEXT NOT NULL,
    reason TEXT NOT NULL,
    died_at REAL NOT NULL
);
"""

MAX_INTERRUPTIONS: Final = 10
"""Maximum number of times that the process may die while it processes a message alone."""
LONGEST_DELAY_SECONDS: Final = 15 * 60
"""Maximum delay of a message, as of SQS. A later time means that the clock was set back."""
MAX_REASON: Final = 1000
_DUE: Final = """
SELECT id, body, failures, interruptions FROM messages
WHERE in_flight = 0 AND visible_at <= ? AND interruptions >= ? ORDER BY background, id LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Message:
    """A received message.

    Attributes:
        failures: number of failed attempts so far.
        interruptions: number of times that the process died during an attempt.
    """

    id: int
    body: str
    failures: int
    interruptions: int


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that failed in every attempt; `died_at` is in seconds since the epoch."""

    id: int
    body: str
    reason: str
    died_at: float


class Queue:
    """The queue of a database. Only one process may receive from it; any may send.

    Args:
        clock: seconds since the epoch.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock
        self._sent = threading.Event()

    def send(self, body: str, *, delay_seconds: float = 0, background: bool = False) -> None:
        """Add a message; it is durable on return, or with the transaction around the call.

        Args:
            background: deliver it only while no other message is due.
        """
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO messages (body, visible_at, background) VALUES (?, ?, ?)",
                (body, self._clock() + delay_seconds, background),
            )
        self._sent.set()

    def recover(self) -> int:
        """Make the messages that a dead process was processing visible, before this process receives any.

        Returns:
            Their number.
        """
        with self._database.transaction() as connection:
            self.correct_delays()
            cursor = connection.execute(
                "UPDATE messages SET in_flight = 0, visible_at = ?, interruptions = interruptions + 1 "
                "WHERE in_flight = 1",
                (self._clock(),),
            )
            return cursor.rowcount

    def correct_delays(self) -> None:
        """Make the messages visible whose delay is too long, because the clock has been set back since."""
        now = self._clock()
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE messages SET visible_at = ? WHERE visible_at > ?", (now, now + LONGEST_DELAY_SECONDS)
            )

    def receive(self, *, interrupted: bool = False) -> Message | None:
        """Return the first message that is due, or None.

        Args:
            interrupted: only one that was being processed when an earlier process died.
        """
        due = (self._clock(), 1 if interrupted else 0)
        with self._database.read() as connection:
            if connection.execute(_DUE, due).fetchone() is None:
                return None
        with self._database.transaction() as connection:
            row = connection.execute(_DUE, due).fetchone()
            if row is None:
                return None
            connection.execute("UPDATE messages SET in_flight = 1 WHERE id = ?", (row[0],))
        return Message(*row)

    def receive_within(self, seconds: float) -> Message | None:
        """Return the first message that is due, or wait for one; None after `seconds`, or if `wake` is called."""
        self._sent.clear()
        if message := self.receive():
            return message
        self._sent.wait(seconds)
        return self.receive()

    def wake(self) -> None:
        """End every wait, after a transaction in which a message was sent, or to stop the workers."""
        self._sent.set()

    def delete(self, message: Message) -> None:
        """Delete a message that has been processed."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM messages WHERE id = ?", (message.id,))

    def fail(self, message: Message, reason: str) -> bool:
        """Have a message delivered again after the delay of `INGEST_QUEUE`, or make it a dead letter.

        Returns:
            Whether it is a dead letter now, because it has failed `INGEST_QUEUE.max_receives` times.
        """
        failures = message.failures + 1
        if failures >= INGEST_QUEUE.max_receives:
            self.bury(message, f"{reason} (attempt {failures} of {INGEST_QUEUE.max_receives})")
            return True
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE messages SET in_flight = 0, interruptions = 0, failures = ?, visible_at = ? WHERE id = ?",
                (failures, self._clock() + INGEST_QUEUE.retry_seconds(failures), message.id),
            )
        return False

    def bury(self, message: Message, reason: str) -> None:
        """Make a message a dead letter."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM messages WHERE id = ?", (message.id,))
            connection.execute(
                "INSERT INTO dead_letters (body, reason, died_at) VALUES (?, ?, ?)",
                (message.body, reason[:MAX_REASON], self._clock()),
            )

    def dead_letters(self) -> Sequence[DeadLetter]:
        """Return the dead letters, oldest first."""
        with self._database.read() as connection:
            rows = connection.execute("SELECT id, body, reason, died_at FROM dead_letters ORDER BY id").fetchall()
        return [DeadLetter(*row) for row in rows]

    def redrive(self) -> int:
        """Send every dead letter again; return their number."""
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO messages (body, visible_at) SELECT body, ? FROM dead_letters ORDER BY id", (self._clock(),)
            )
            return connection.execute("DELETE FROM dead_letters").rowcount

    def expire(self, *, keep: Collection[int] = ()) -> int:
        """Delete the dead letters that are older than `INGEST_QUEUE.dead_letter_days`; return their number.

        Args:
            keep: the ids of dead letters that stay, however old they are.
        """
        oldest = self._clock() - INGEST_QUEUE.dead_letter_days * 86_400
        with self._database.transaction() as connection:
            return connection.execute(
                "DELETE FROM dead_letters WHERE died_at < ? AND id NOT IN (SELECT value FROM json_each(?))",
                (oldest, json.dumps(list(keep))),
            ).rowcount
