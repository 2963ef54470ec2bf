"""Local runs as processes of their own: their ports, their start, and the processes that they start themselves."""

import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_page(client: httpx.Client, process: subprocess.Popen[bytes], patience: float) -> bool:
    """Wait until the page answers; return False if the process ends before, or after so many seconds."""
    started = time.perf_counter()
    while True:
        try:
            client.get("/").raise_for_status()
        except httpx.TransportError:
            if process.poll() is not None or time.perf_counter() - started > patience:
                return False
            time.sleep(0.02)
        else:
            return True


def proportional_megabytes(pid: int) -> float:
    """Return the proportional set size of a process in MB of 10^6 bytes, 0 once it has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) * 1024 / 1e6


def descendants(pid: int) -> Iterator[int]:
    """Yield the processes that a process has started, and those that they have."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
    except FileNotFoundError:
        return
    for task in tasks:
        try:
            children = (task / "children").read_text().split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        for child in children:
            yield int(child)
            yield from descendants(int(child))
