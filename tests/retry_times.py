"""When each attempt of a message came, held against the definition of the queue's times."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from shared.domain.queue_times import INGEST_QUEUE


@dataclass(frozen=True, slots=True)
class Attempt:
    """When a message reached the function and when the function had answered, in seconds on any clock."""

    came: float
    failed: float


def report(emulator: str, attempts: Sequence[Attempt]) -> str:
    """Lines to print: when each attempt came, and how long after the failure before it."""
    lines = [f"{emulator}: attempt  came at s  after a wait of s  defined"]
    for receives, attempt in enumerate(attempts):
        waited = f"{attempt.came - attempts[receives - 1].failed:.1f}" if receives else "-"
        defined = str(INGEST_QUEUE.retry_seconds(receives)) if receives else "-"
        came = attempt.came - attempts[0].came
        lines.append(f"{'':{len(emulator)}}  {receives + 1:7}  {came:9.1f}  {waited:>15}  {defined:>7}")
    return "\n".join(lines)


def check(attempts: Sequence[Attempt], late: float) -> None:
    """There are as many as there may be, and each wait is the defined one, at most `late` seconds longer."""
    assert len(attempts) == INGEST_QUEUE.max_receives
    for receives, (earlier, later) in enumerate(itertools.pairwise(attempts), start=1):
        wanted, waited = INGEST_QUEUE.retry_seconds(receives), later.came - earlier.failed
        assert wanted - 0.5 < waited < wanted + late, f"attempt {receives + 1} came after {waited:.1f} s"
