"""Process one message in its own process, because a message that failed twice may kill the worker and its batch.

`python -m functions.ingest.subprocess_runner MESSAGE_ID` processes the message on standard input and writes the reason
of a failure to standard error.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from functions.ingest.processing import metrics, process_message
from shared.domain.limits import SUBPROCESS_SECONDS

IN_PROCESS_ATTEMPTS: Final = 2
"""Number of attempts to process a message together with the others of its batch."""
MARK: Final = "\x1efailed: "
"""Marks the reason of a failure among whatever else a process writes to standard error."""

_ROOT: Final = Path(__file__).resolve().parents[2]


class SubprocessFailed(RuntimeError):  # noqa: N818
    """The message failed, or its process died."""


def run_in_subprocess(body: str, message_id: str, seconds: float) -> None:
    """Process a message in a new process.

    Args:
        seconds: time until Lambda stops the function, which would fail the whole batch.

    Raises:
        SubprocessFailed: with the reason that the process wrote, or how it ended.
    """
    limit = min(SUBPROCESS_SECONDS, seconds - 2)
    if limit <= 0:
        raise SubprocessFailed("no time was left in this batch")
    try:
        done = subprocess.run(
            [sys.executable, "-m", "functions.ingest.subprocess_runner", message_id],
            input=body.encode(),
            stderr=subprocess.PIPE,
            cwd=_ROOT,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            timeout=limit,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        raise SubprocessFailed(f"it took more than {limit:.0f} s in its own process") from late
    if done.returncode < 0:
        raise SubprocessFailed(f"its own process died of signal {-done.returncode}")
    if done.returncode:
        said = done.stderr.decode(errors="replace")
        raise SubprocessFailed(said.rsplit(MARK, 1)[-1].strip()[-500:] or f"exit status {done.returncode}")


def main() -> int:
    failed = ""
    try:
        process_message(sys.stdin.buffer.read().decode(), sys.argv[1])
    except Exception as fault:
        failed = f"{MARK}{type(fault).__name__}: {fault}"
    if metrics.metric_set:
        metrics.flush_metrics()
    print(failed, file=sys.stderr, end="")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
