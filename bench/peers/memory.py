"""The most memory that a tool and the processes that it starts hold at once."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.processes import descendants

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
            peak.megabytes = max(peak.megabytes, sum(map(_proportional, processes)))

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        over.set()
        thread.join()


def _proportional(pid: int) -> float:
    """Return the proportional set size of a process in MB, 0 for one that has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) * 1024 / 1e6
