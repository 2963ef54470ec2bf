"""The times of a message's delivery attempts: as the queue's delays define them, and whether others are as defined."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from shared.domain.queue_times import INGEST_QUEUE


def reported_seconds() -> list[int]:
    """Return the seconds from the first failure to each failure, starting with 0, if all are reported at once."""
    waits = [INGEST_QUEUE.retry_seconds(receives) for receives in range(1, INGEST_QUEUE.max_receives)]
    return list(itertools.accumulate(waits, initial=0))


@dataclass(frozen=True, slots=True)
class Attempt:
    """The times at which a message reached the function and the function answered, in seconds on any clock."""

    came: float
    failed: float


def report(emulator: str, attempts: Sequence[Attempt]) -> str:
    """A table to print: the time of each attempt, and the wait since the previous failure."""
    lines = [f"{emulator}: attempt  came at s  after a wait of s  defined"]
    for receives, attempt in enumerate(attempts):
        waited = f"{attempt.came - attempts[receives - 1].failed:.1f}" if receives else "-"
        defined = str(INGEST_QUEUE.retry_seconds(receives)) if receives else "-"
        came = attempt.came - attempts[0].came
        lines.append(f"{'':{len(emulator)}}  {receives + 1:7}  {came:9.1f}  {waited:>15}  {defined:>7}")
    return "\n".join(lines)


def check(attempts: Sequence[Attempt], late: float) -> None:
    """Assert the maximum number of attempts, each after the defined wait plus at most `late` seconds."""
    assert len(attempts) == INGEST_QUEUE.max_receives
    for receives, (earlier, later) in enumerate(itertools.pairwise(attempts), start=1):
        wanted, waited = INGEST_QUEUE.retry_seconds(receives), later.came - earlier.failed
        assert wanted - 0.5 < waited < wanted + late, f"attempt {receives + 1} came after {waited:.1f} s"
