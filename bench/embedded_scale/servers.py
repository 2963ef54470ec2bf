"""The local run as a process of its own, over a filled folder."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from bench.embedded_scale.made import Photographs
from bench.embedded_scale.timing import Times, in_turns
from bench.processes import free_port, wait_for_page
from bench.speed.runtime_api import ROOT
from infra.local.data_folder import DataFolder

PATIENCE: Final = 120
"""Seconds in which the page must answer."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running process.

    Attributes:
        seconds: from its start until the page answered.
    """

    client: httpx.Client
    pid: int
    seconds: float

    def search(self, data: bytes) -> str:
        """Search by a file; return the verdict of the best match."""
        answer = self.client.post("/v1/search", files={"file": ("query.jpg", data, "image/jpeg")})
        answer.raise_for_status()
        matches = answer.json()["matches"]
        return str(matches[0]["verdict"]) if matches else "none"

    def processor_ms(self) -> float:
        """Return the processor time that the process has used, in steps of 10 ms."""
        used = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(used[11]) + int(used[12])) * 1000 / os.sysconf("SC_CLK_TCK")

    def memory(self) -> Mapping[str, float]:
        """Return the resident memory in MB: of the process itself (`RssAnon`) and of files that are mapped."""
        status = dict(line.split(":", 1) for line in Path(f"/proc/{self.pid}/status").read_text().splitlines())
        return {name: int(status[name].split()[0]) * 1024 / 1e6 for name in ("VmRSS", "RssAnon", "RssFile")}


@contextmanager
def server(folder: DataFolder, model_dir: Path) -> Iterator[Server]:
    """Run `python -m infra.local` over a folder until the end of the context."""
    port = free_port()
    command = [sys.executable, "-m", "infra.local", "--port", str(port), "--data", str(folder.path)]
    started = time.perf_counter()
    process = subprocess.Popen(
        [*command, "--model-dir", str(model_dir)],
        cwd=ROOT,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
    )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE) as client:
            if not wait_for_page(client, process, PATIENCE):
                raise SystemExit(f"the local run did not start over {folder.path}")
            yield Server(client, process.pid, time.perf_counter() - started)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def searches(
    servers: Mapping[int, Server], photographs: Photographs, rounds: int
) -> tuple[Mapping[str, Times], Mapping[str, Mapping[int, float]]]:
    """Search over HTTP by copies of stored images, and by images of which the collection has nothing.

    Returns:
        The milliseconds by kind and size, and the processor time that a search took, in milliseconds on average.
    """
    times, used = {}, {}
    for name, queries in (("a copy is found", photographs.stored), ("nothing near", photographs.unknown)):
        before = {size: server.processor_ms() for size, server in servers.items()}
        times[name] = in_turns(servers, Server.search, [photograph.copy for photograph in queries], rounds)
        used[name] = {size: (server.processor_ms() - before[size]) / (rounds + 1) for size, server in servers.items()}
    return times, used
