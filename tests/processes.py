"""Helpers for a local run in a separate process: read its output, and stop it."""

import signal
import subprocess

from tests.conftest import PATIENCE_SECONDS


def read_until_ready(process: subprocess.Popen[str]) -> str:
    """Read the output of the process until it is ready to serve, or all of its output if it ends before."""
    assert process.stdout
    said = ""
    for line in process.stdout:
        said += line
        if "Ctrl-C" in line:
            break
    return said


def stop(process: subprocess.Popen[str], by: signal.Signals = signal.SIGINT) -> str:
    """Send the process a signal, wait until it ends, and return its remaining output; kill it if it does not end."""
    process.send_signal(by)
    try:
        return process.communicate(timeout=PATIENCE_SECONDS)[0]
    except subprocess.TimeoutExpired:
        process.kill()
        raise
