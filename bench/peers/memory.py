"""The most memory that a tool and the processes that it starts hold at once."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from bench.processes import descendants, proportional_megabytes

EVERY_SECONDS: Final = 0.25


@dataclass(slots=True)
class Peak:
    """MB of 10^6 bytes; pages that processes share count once."""

    megabytes: float = 0.0


@contextmanager
def peak_of(pid: int, *, own: bool = True) -> Iterator[Peak]:
    """Follow a process and its descendants until the end of the context; without `own`, the descendants alone."""
    peak, over = Peak(), threading.Event()

    def follow() -> None:
        while not over.wait(EVERY_SECONDS):
            processes = [pid, *descendants(pid)] if own else list(descendants(pid))
            peak.megabytes = max(peak.megabytes, sum(map(proportional_megabytes, processes)))

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        over.set()
        thread.join()
