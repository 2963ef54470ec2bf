"""The builds that are compared, each as its own process with its own sources."""

import io
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from bench.processes import descendants, free_port, wait_for_page
from bench.speed.runtime_api import ROOT

BASELINE: Final = "edf1559"
"""The last commit of the build of November 2026."""
BASELINE_DIR: Final = ROOT / ".build" / "baseline-2026-11"
PATIENCE_SECONDS: Final = 900
_TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Build:
    """A build.

    Attributes:
        arguments: what follows the port and the model.
        program: what Python runs with the build's sources.
    """

    name: str
    root: Path
    model_dir: Path
    arguments: tuple[str, ...] = ()
    program: tuple[str, ...] = ("-m", "infra.local")


def baseline() -> Build:
    """Return the build of November 2026, unpacked from the history and with its model, which is made once.

    Its network has random weights where ImageNet's cannot be fetched; that changes no time.
    """
    model = BASELINE_DIR / ".build" / "model"
    if not (model / "model.json").is_file():
        shutil.rmtree(BASELINE_DIR, ignore_errors=True)
        BASELINE_DIR.mkdir(parents=True)
        packed = subprocess.run(["git", "archive", BASELINE], cwd=ROOT, check=True, capture_output=True).stdout
        with tarfile.open(fileobj=io.BytesIO(packed)) as files:
            files.extractall(BASELINE_DIR, filter="data")
        export = [sys.executable, "-m", "layers.resnet50.export", "--out", str(model), "--allow-untrained"]
        subprocess.run(export, cwd=BASELINE_DIR, check=True)
    return Build("baseline", BASELINE_DIR, model)


@dataclass(frozen=True, slots=True)
class Running:
    """A running build.

    Attributes:
        seconds: from its start until the page answered.
    """

    build: Build
    client: httpx.Client
    pid: int
    seconds: float

    def processor_seconds(self) -> float:
        """Return the processor time of the process and of those that it has started, ended ones included."""
        return sum(_used(pid) for pid in (self.pid, *descendants(self.pid)))

    def resident(self) -> float:
        """Return the resident memory of the process, in MB."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) * 1024 / 1e6


@contextmanager
def running(build: Build) -> Iterator[Running]:
    """Start a build over nothing, and stop it at the end of the context."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "log").open("w+b") as log:
        command = [sys.executable, *build.program, "--port", str(port), "--model-dir", str(build.model_dir)]
        data = [argument.format(data=Path(folder) / "data") for argument in build.arguments]
        started = time.perf_counter()
        process = subprocess.Popen(
            [*command, *data],
            cwd=build.root,
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(build.root)},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_SECONDS) as client:
                if not wait_for_page(client, process, PATIENCE_SECONDS):
                    printed = Path(log.name).read_text(errors="replace")[-2000:]
                    raise SystemExit(f"{process.args!r} did not start:\n{printed}")
                yield Running(build, client, process.pid, time.perf_counter() - started)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def _used(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(map(int, fields[11:15])) / _TICKS
