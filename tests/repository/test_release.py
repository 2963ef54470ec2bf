"""A release is refused until it is ready, and is the same when it is built again."""

import hashlib
import json
from pathlib import Path

import pytest

from infra.release import SHIPPED, build, problems
from tests.repository.files import ROOT

READY = "# Changelog\n\n## [Unreleased]\n\n## [2.0.0] - 2027-01-01\n\n### Added\n"


@pytest.mark.parametrize(
    ("changelog", "status", "reason"),
    [
        (READY, " M a.py", "not committed"),
        (READY.replace("2.0.0", "1.9.0"), "", "no dated section for 2.0.0"),
        (READY.replace(" - 2027-01-01", ""), "", "no dated section"),
        (READY.replace("[Unreleased]\n", "[Unreleased]\n\n- New.\n"), "", "still has entries"),
    ],
)
def test_a_version_that_is_not_ready_is_refused(changelog: str, status: str, reason: str) -> None:
    [problem] = problems(changelog, status, "2.0.0")
    assert reason in problem


def test_a_version_that_is_ready_is_not_refused() -> None:
    assert list(problems(READY, "", "2.0.0")) == []


def test_a_release_has_checksums_and_is_the_same_again(tmp_path: Path) -> None:
    tool = tmp_path / "cyclonedx-py"
    tool.write_text('#!/bin/sh\ngrep -c "==" "$5" > "$4"\n', encoding="utf-8")
    tool.chmod(0o755)
    first = {path.name: path.read_bytes() for path in build(tmp_path / "one", tool)}
    again = {path.name: path.read_bytes() for path in build(tmp_path / "two", tool)}
    assert first == again
    assert len(first) == len(SHIPPED) + 3
    for line in first["SHA256SUMS"].decode().splitlines():
        digest, name = line.split()
        assert hashlib.sha256(first[name]).hexdigest() == digest
    [document] = [data for name, data in first.items() if name.endswith("openapi.json")]
    assert json.loads(document) == json.loads((ROOT / "docs/reference/openapi.json").read_text(encoding="utf-8"))
