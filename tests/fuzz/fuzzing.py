"""Coverage-guided fuzzing of the targets, each in a process of its own, two at a time."""

import os
import re
import subprocess
import sys
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tests.fuzz.targets import TARGETS

ROOT: Final = Path(__file__).resolve().parents[2]
MAX_INPUT: Final = 4096
SECONDS_PER_INPUT: Final = 5
"""An input that takes longer is a finding too."""


@dataclass(frozen=True, slots=True)
class FuzzResult:
    """The result of fuzzing one target.

    Attributes:
        edges: number of control-flow edges that the inputs reached.
        crashes: inputs that broke the target.
        finished: whether the search ended without a crash.
        output: what libFuzzer and the target printed.
    """

    target: str
    executions: int
    edges: int
    crashes: list[bytes]
    finished: bool
    output: str


def fuzz(names: Collection[str], seconds: int, seed: int, findings: Path | None = None) -> list[FuzzResult]:
    """Search for `seconds` in each target; inputs that break one are also kept in the folder `findings`."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        return list(pool.map(lambda name: _one(name, seconds, seed, findings), names))


def table(results: Collection[FuzzResult]) -> str:
    rows = ["| target | executions | edges reached | crashes |", "|---|---|---|---|"]
    rows += [f"| {done.target} | {done.executions:,} | {done.edges:,} | {len(done.crashes)} |" for done in results]
    return "\n".join(rows)


def _one(name: str, seconds: int, seed: int, findings: Path | None) -> FuzzResult:
    with TemporaryDirectory() as folder:
        corpus, crashes = Path(folder) / "corpus", Path(folder) / "crashes"
        corpus.mkdir()
        crashes.mkdir()
        for number, data in enumerate(TARGETS[name].seeds):
            (corpus / f"seed-{number}").write_bytes(data)
        words = Path(folder) / "words"
        words.write_text("".join(f'"{_escaped(word)}"\n' for word in TARGETS[name].words), encoding="ascii")
        command = [sys.executable, "-m", "tests.fuzz.one", name, f"-max_total_time={seconds}", f"-seed={seed}"]
        # `one` limits memory itself, because libFuzzer would count the peak of the process that starts it.
        command += [f"-max_len={MAX_INPUT}", f"-timeout={SECONDS_PER_INPUT}", "-rss_limit_mb=0"]
        command += [f"-artifact_prefix={crashes}/", f"-dict={words}", "-print_final_stats=1", str(corpus)]
        # A traceback may contain characters that cannot be printed, such as lone surrogates.
        environment = os.environ | {"PYTHONIOENCODING": "utf-8:backslashreplace"}
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, errors="replace", check=False
        )
        output = done.stdout + done.stderr
        found = sorted(crashes.iterdir())
        if findings:
            for path in found:
                findings.mkdir(parents=True, exist_ok=True)
                (findings / f"{name}-{path.name}").write_bytes(path.read_bytes())
        return FuzzResult(
            target=name,
            executions=_last(r"(?m)^(?:stat::number_of_executed_units:\s*|#)(\d+)", output),
            edges=_last(r"cov: (\d+)", output),
            crashes=[path.read_bytes() for path in found],
            finished=done.returncode == 0,
            output=output,
        )


def _escaped(word: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word)


def _last(pattern: str, output: str) -> int:
    return int((re.findall(pattern, output) or ["0"])[-1])
