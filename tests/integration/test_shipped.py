"""The functions run with what their image ships and nothing else: `functions/unneeded.txt` is left out of it."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from bench.speed import runtime_api
from bench.speed.events import Events
from bench.speed.packages import UNNEEDED
from bench.speed.pictures import made
from bench.speed.runtime_api import ROOT
from infra.local.cloud import API, INGEST
from tests.conftest import PicTrace

REQUIREMENTS = (ROOT / "functions" / "requirements.txt").read_text(encoding="utf-8")
LEFT_OUT = UNNEEDED.read_text(encoding="utf-8").split()


def needed(requirement: Requirement) -> Iterator[Distribution]:
    """A distribution and all that it needs."""
    if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
        found = distribution(requirement.name)
        yield found
        for other in found.requires or ():
            yield from needed(Requirement(other))


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An interpreter that has what the image has, and Lambda's own client, which the image's base brings."""
    folder = tmp_path_factory.mktemp("shipped") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    [packages] = folder.glob("lib/python*/site-packages")
    lines = [line for line in REQUIREMENTS.splitlines() if not line.startswith("#")]
    for name in (*lines, "awslambdaric"):
        for found in needed(Requirement(name)):
            for path in found.files or ():
                top = re.sub(r"^\./", "", str(path))
                if top.startswith("..") or any(top == left or top.startswith(f"{left}/") for left in LEFT_OUT):
                    continue
                target = packages / top
                target.parent.mkdir(parents=True, exist_ok=True)
                if not target.exists():
                    target.symlink_to(str(path.locate()))
    return str(folder / "bin" / "python")


def test_what_is_left_out_is_there_to_be_left_out(python: str) -> None:
    """A list that has gone stale would say nothing."""
    held = Path(distribution("numpy").locate_file(""))  # type: ignore[arg-type]
    assert [path for path in LEFT_OUT if not (held / path).exists()] == []
    [packages] = Path(python).parents[1].glob("lib/python*/site-packages")
    assert [path for path in LEFT_OUT if (packages / path).exists()] == []
    assert (packages / "ai_edge_litert" / "interpreter.py").is_file()


def test_both_functions_do_their_work_with_it(python: str, running: PicTrace) -> None:
    events = Events(running.cloud, [made(70_000)], "shipped")
    with runtime_api.running(INGEST, python) as ingest:
        assert ingest.call(events.arrival())[1] == {"batchItemFailures": []}
        assert ingest.maps("ai_edge_litert")
        assert not ingest.maps("site-packages/moto")
    with runtime_api.running(API, python) as api:
        _, answer = api.call(events.search())
        assert answer["statusCode"] == 200, answer
        assert json.loads(answer["body"])["matches"][0]["verdict"] == "near-duplicate"
        assert [api.call(events.health())[1]["statusCode"]] == [200]
