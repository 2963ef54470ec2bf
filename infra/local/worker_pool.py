"""Process the messages of the queue in threads of this process."""

import logging
import sqlite3
import threading
from collections.abc import Callable
from typing import Final, TypeVar

from shared.embedded.queue import MAX_INTERRUPTIONS, Message, Queue

logger = logging.getLogger(__name__)

T = TypeVar("T")

POLL_SECONDS: Final = 1
"""How often a worker looks for messages whose delay has passed, or which another process sent."""

OUTAGES: Final = (sqlite3.Error, OSError)
"""Faults of the disk, such as a full one, which need no stack trace."""


class WorkerPool:
    """Workers that each process one message at a time.

    Args:
        process: processes a message; if it raises, the message is delivered again later.
        give_up: called with a message that became a dead letter.
    """

    def __init__(
        self, queue: Queue, process: Callable[[Message], None], give_up: Callable[[Message], None], *, workers: int
    ) -> None:
        self._queue = queue
        self._process = process
        self._give_up = give_up
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._run, name=f"worker-{n}", daemon=True) for n in range(workers)]
        self._first = threading.Thread(target=self._start, name="interrupted", daemon=True)

    def start(self) -> None:
        """Begin with what an earlier process was processing when it died, one message at a time."""
        self._queue.recover()
        self._first.start()

    def stop(self, seconds: float = 30) -> None:
        """Finish the messages that are being processed, and stop."""
        self._stopped.set()
        self._queue.wake()
        for thread in (self._first, *self._threads):
            if thread.ident is not None:
                thread.join(timeout=seconds)

    def _start(self) -> None:
        while not self._stopped.is_set():
            message = self._settled(lambda: self._queue.receive(interrupted=True))
            if message is None:
                break
            if message.interruptions < MAX_INTERRUPTIONS:
                self._attempt(message)
            else:
                self._bury(message, f"the process died {message.interruptions} times while processing it")
        for thread in self._threads:
            if not self._stopped.is_set():
                thread.start()

    def _run(self) -> None:
        while not self._stopped.is_set():
            message = self._settled(lambda: self._queue.receive_within(POLL_SECONDS))
            if message:
                self._attempt(message)

    def _attempt(self, message: Message) -> None:
        try:
            self._process(message)
        except Exception as fault:
            reason = f"{type(fault).__name__}: {fault}"
            trace = None if isinstance(fault, OUTAGES) else fault
            logger.warning(
                "message %d failed in attempt %d: %s", message.id, message.failures + 1, reason, exc_info=trace
            )
            if self._settled(lambda: self._queue.fail(message, reason)):
                self._settled(lambda: self._give_up(message))
        else:
            self._settled(lambda: self._queue.delete(message))

    def _bury(self, message: Message, reason: str) -> None:
        self._settled(lambda: self._queue.bury(message, reason))
        self._settled(lambda: self._give_up(message))

    def _settled(self, action: Callable[[], T]) -> T | None:
        """Return the result of an action; while the database fails, as on a full disk, try again until stopped."""
        said = False
        while True:
            try:
                return action()
            except OUTAGES as outage:
                if not said:
                    logger.warning("the queue cannot be read or written, which is tried again: %s", outage)
                said = True
            if self._stopped.wait(POLL_SECONDS):
                return None
