"""Slots for work that only a few threads may do at once, given out in order, with one kept from heavy work."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, eq=False, slots=True)
class _Ticket:
    heavy: bool


class Slots:
    """Gives out slots first come, first served; but light work never waits while only heavy work could not start.

    Args:
        total: number of slots.
        heavy: how many of them heavy work may hold at the same time.
    """

    def __init__(self, total: int, heavy: int) -> None:
        self._free = total
        self._free_for_heavy = heavy
        self._waiting: deque[_Ticket] = deque()
        self._changed = threading.Condition()

    @contextmanager
    def hold(self, *, heavy: bool, patience: float | None) -> Iterator[None]:
        """Wait for a slot, and hold it.

        Args:
            patience: seconds to wait for it; None to wait for as long as it takes.

        Raises:
            TimeoutError: there was none in time.
        """
        ticket = _Ticket(heavy)
        with self._changed:
            self._waiting.append(ticket)
            try:
                if not self._changed.wait_for(lambda: self._next() is ticket, patience):
                    raise TimeoutError
                self._take(ticket, -1)
            finally:
                self._waiting.remove(ticket)
                self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._take(ticket, 1)
                self._changed.notify_all()

    def _next(self) -> _Ticket | None:
        """Return the first that may start now."""
        if not self._free:
            return None
        return next((ticket for ticket in self._waiting if not ticket.heavy or self._free_for_heavy), None)

    def _take(self, ticket: _Ticket, change: int) -> None:
        self._free += change
        self._free_for_heavy += change if ticket.heavy else 0
