"""schemathesis over the API's own OpenAPI, against the whole system on an emulated AWS."""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from tests.images import noise
from tests.processes import read_until_ready, stop

ROOT: Final = Path(__file__).resolve().parents[2]

EXCLUDED_CHECKS: Final = {
    "positive_data_acceptance": "no schema can say which bytes are an image or which URL leads to one",
    "ignored_auth": "the emulated stack is open",
    "object_level_authorization": "the emulated stack is open",
}
"""Checks that cannot succeed here, with the reason."""


@dataclass(frozen=True)
class Exploration:
    """The result of a run.

    Attributes:
        answers: number of calls by operation and status.
        failures: the operations that failed, by the title of the check.
        finished: whether every operation was tested.
        output: everything that schemathesis printed.
    """

    answers: Mapping[str, Counter[int]]
    failures: Mapping[str, list[str]]
    finished: bool
    seconds: float
    output: str

    @property
    def calls(self) -> int:
        return sum(counts.total() for counts in self.answers.values())

    def table(self) -> str:
        rows = ["| operation | calls | answers |", "|---|---|---|"]
        refused: Counter[int] = Counter()
        for operation, counts in sorted(self.answers.items()):
            if set(counts) == {405}:
                refused += counts
            else:
                rows.append(f"| `{operation}` | {counts.total()} | {_statuses(counts)} |")
        rows.append(f"| methods that are not there | {refused.total()} | {_statuses(refused)} |")
        failed = sum(len(operations) for operations in self.failures.values())
        rows.append(f"| **all** | {self.calls} | {failed} failures in {self.seconds:.0f} s |")
        return "\n".join(rows)


@contextmanager
def system(model_dir: Path) -> Iterator[str]:
    """Run a system with three images in a process of its own; yield its URL."""
    with TemporaryDirectory() as folder:
        for seed in range(3):
            (Path(folder) / f"{seed}.png").write_bytes(noise(seed))
        options = ["--port", "0", "--model-dir", str(model_dir), "--pictures", folder]
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.contract.system", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
        )
        try:
            output = read_until_ready(process)
            url = re.search(r"http://localhost:\d+", output)
            assert url, output
            yield url[0]
        finally:
            stop(process)


def explore(url: str, *, examples: int, seed: int) -> Exploration:
    """Let schemathesis call every operation of the system at `url`.

    Args:
        examples: maximum number of random calls per operation, in each phase.
    """
    with TemporaryDirectory() as folder:
        summary, events = Path(folder) / "summary.json", Path(folder) / "events.ndjson"
        command = [str(Path(sys.executable).with_name("schemathesis")), "run", f"{url}/openapi.json", "--no-color"]
        command += ["--max-examples", str(examples), "--seed", str(seed), "--generation-database", "none"]
        command += ["--exclude-checks", ",".join(EXCLUDED_CHECKS), "--continue-on-failure"]
        command += ["--report-json-path", str(summary), "--report-ndjson-path", str(events)]
        environment = os.environ | {"SCHEMATHESIS_HOOKS": "tests.contract.hooks", "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=folder)
        output = done.stdout + done.stderr
        assert summary.exists(), output
        report = json.loads(summary.read_text(encoding="utf-8"))
        answers = _answers(events)
    failures = {entry["title"]: entry["operations"] for entry in report["failures"] + report["errors"]}
    finished = report["complete"] and report["operations"]["tested"] == report["operations"]["total"]
    return Exploration(answers, failures, finished, report["running_time"], output)


def _statuses(counts: Counter[int]) -> str:
    return ", ".join(f"{counts[status]} x {status}" for status in sorted(counts))


def _answers(events: Path) -> dict[str, Counter[int]]:
    answers: dict[str, Counter[int]] = {}
    with events.open(encoding="utf-8") as lines:
        for line in lines:
            finished: dict[str, Any] = json.loads(line).get("ScenarioFinished", {})
            recorder = finished.get("recorder", {})
            for name, interaction in recorder.get("interactions", {}).items():
                case = recorder["cases"][name]["value"]
                status = (interaction.get("response") or {}).get("status_code", 0)
                answers.setdefault(f"{case['method']} {case['path']}", Counter())[status] += 1
    return answers
