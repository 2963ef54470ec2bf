"""Measure how long the stages of a search take."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Stopwatch:
    """Wall time by stage, in milliseconds."""

    def __init__(self) -> None:
        self.took_ms: dict[str, float] = {}
        self._started = time.perf_counter()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time spent in the block to a stage."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.took_ms[name] = round(self.took_ms.get(name, 0.0) + self._since(started), 2)

    def finish(self) -> dict[str, float]:
        """Return the time of each stage and the total, in milliseconds."""
        return self.took_ms | {"total": self._since(self._started)}

    @staticmethod
    def _since(started: float) -> float:
        return round((time.perf_counter() - started) * 1000, 2)
