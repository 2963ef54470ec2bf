"""How many images of a batch are in memory, and computed, at once."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore, Condition
from typing import Final

from shared.domain.limits import CONCURRENT_IMAGES, MAX_BYTES_IN_MEMORY


class Budget:
    """A number of bytes that several threads may hold in all, given out first come, first served."""

    def __init__(self, total: int) -> None:
        self._total = self._free = total
        self._waiting: deque[object] = deque()
        self._changed = Condition()

    @contextmanager
    def reservation(self) -> Iterator[Callable[[int], None]]:
        """Yield a function that waits until so many bytes are free, and takes them; they are returned at the end.

        Called again, it first returns what it took, so that no two threads wait for each other. A thread must not make
        two reservations at once. The function raises ValueError for more bytes than there are in all.
        """
        taken = 0

        def take(size: int) -> None:
            nonlocal taken
            if size > self._total:
                raise ValueError(f"{size:,} bytes can never be free: there are {self._total:,} in all")
            ticket = object()
            with self._changed:
                self._free += taken
                taken = 0
                self._waiting.append(ticket)
                self._changed.notify_all()
                try:
                    self._changed.wait_for(lambda: self._waiting[0] is ticket and size <= self._free)
                    self._free -= size
                    taken = size
                finally:
                    self._waiting.remove(ticket)
                    self._changed.notify_all()

        try:
            yield take
        finally:
            with self._changed:
                self._free += taken
                self._changed.notify_all()


FILES: Final = Budget(MAX_BYTES_IN_MEMORY)
"""Reserved from before a file is read until it has been described: large files are read one after the other."""

COMPUTING: Final = BoundedSemaphore(CONCURRENT_IMAGES)
"""Held while an image's pixels are in memory; never during a call to a service."""
