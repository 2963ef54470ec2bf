"""The local run as a process of its own: what it says, and how it ends."""

import signal
import subprocess

from tests.conftest import PATIENCE_SECONDS


def read_until_ready(process: subprocess.Popen[str]) -> str:
    """What the process prints until it serves, or all that it prints where it never does."""
    assert process.stdout
    said = ""
    for line in process.stdout:
        said += line
        if "Ctrl-C" in line:
            break
    return said


def stop(process: subprocess.Popen[str], by: signal.Signals = signal.SIGINT) -> str:
    """Send the process a signal and wait for its end; gives what it still says."""
    process.send_signal(by)
    return process.communicate(timeout=PATIENCE_SECONDS)[0]
