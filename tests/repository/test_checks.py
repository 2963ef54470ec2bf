"""`make lint`, the hooks, CI and `.ci/run` run the same checks."""

import re
import subprocess
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.local.preflight import NEWEST, OLDEST
from tests.repository.files import ROOT, text, tracked

SUBJECTS = ROOT / ".ci" / "subjects"


def make_targets(source: str) -> list[str]:
    """The distinct make targets that a script or a workflow runs, in order."""
    words = " ".join(re.findall(r"^(?:.*run: )?make (.+)$", source, re.MULTILINE)).split()
    return list(dict.fromkeys(word for word in words if re.fullmatch(r"[a-z][a-z-]*", word)))


def recipe(target: str) -> list[str]:
    """The commands that a target runs when its prerequisites are up to date."""
    command = ["make", "--no-print-directory", "--dry-run", "--old-file=.venv-lint/.made", target]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()


def hooks() -> list[dict[str, Any]]:
    [repository] = yaml.safe_load(text(".pre-commit-config.yaml"))["repos"]
    assert repository["repo"] == "local"
    return list(repository["hooks"])


def check_subjects(message: str, folder: Path) -> subprocess.CompletedProcess[str]:
    path = folder / "COMMIT_EDITMSG"
    path.write_text(message, encoding="utf-8")
    return subprocess.run([SUBJECTS, path], cwd=ROOT, capture_output=True, text=True, check=False)


def test_hooks_run_the_commands_of_make_lint() -> None:
    assert len(recipe("lint")) > 5
    assert [hook["entry"] for hook in hooks() if "stages" not in hook] == recipe("lint")


def test_every_dockerfile_is_checked_and_updated() -> None:
    files = {str(path.relative_to(ROOT)) for path in tracked("*Dockerfile")}
    [command] = [line for line in recipe("lint") if "hadolint" in line]
    assert set(command.split()[1:]) == files
    updates = yaml.safe_load(text(".github/dependabot.yml"))["updates"]
    [folders] = [update["directories"] for update in updates if update["package-ecosystem"] == "docker"]
    assert {f"/{Path(name).parent}" for name in files} == set(folders)


def test_the_commands_without_make_install_what_make_installs() -> None:
    page = text("docs/guides/without-make.md").partition("## In a container")[0]
    run = subprocess.run(
        ["make", "--no-print-directory", "--dry-run", "--always-make", "VENV=.new", "run"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    files = r"(?:-r|--requirement) (\S+\.(?:lock|txt))"
    installed = set(re.findall(files, run)) - {"tests/uv-requirements.lock"}
    assert set(re.findall(files, page)) == installed
    modules = r"-m (layers\.\S+|infra\.local\b)"
    assert set(re.findall(modules, page)) >= set(re.findall(modules, run)) != set()


def test_the_commit_message_hook_runs_the_same_script_as_ci() -> None:
    [hook] = [hook for hook in hooks() if hook.get("stages") == ["commit-msg"]]
    assert hook["entry"] == str(SUBJECTS.relative_to(ROOT))
    assert recipe("subjects") == [".ci/subjects origin/main..HEAD"]


def test_ci_runs_the_same_targets_as_a_clean_clone() -> None:
    here, there = make_targets(text(".ci/run")), make_targets(text(".github/workflows/ci.yml"))
    assert here == ["lint", "types", "model", "faces", "test", "test-ministack"]
    assert [target for target in there if target not in ("subjects", "test-npm")] == [
        target for target in here if target not in ("model", "faces")
    ]


@pytest.mark.parametrize("target", ["lint", "types", "format", "hooks", "subjects", "test", "test-ministack", "run"])
def test_help_lists_each_target(target: str) -> None:
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert re.search(rf"^ +make {target} ", shown, re.MULTILINE)


def test_ci_tests_every_supported_python_version() -> None:
    matrix = yaml.safe_load(text(".github/workflows/ci.yml"))["jobs"]["test"]["strategy"]["matrix"]
    assert matrix["python"] == [f"3.{minor}" for minor in range(OLDEST[1], NEWEST[1] + 1)]


def test_dependabot_reads_every_requirements_file() -> None:
    updates = yaml.safe_load(text(".github/dependabot.yml"))["updates"]
    assert {update["package-ecosystem"] for update in updates} == {"pip", "npm", "docker", "github-actions"}
    patterns = next(update["directories"] for update in updates if update["package-ecosystem"] == "pip")
    folders = {f"/{path.parent.relative_to(ROOT)}".replace("/.", "/") for path in tracked("*requirements.txt")}
    assert {folder for folder in folders if not any(fnmatch(folder, pattern) for pattern in patterns)} == set()


@pytest.mark.parametrize(
    "message",
    ["a" * 72, "Merge branch 'a' into " + "b" * 60, f'Revert "{"c" * 72}"', "Short\n\n" + "d" * 100, "# Comment\nE"],
)
def test_a_valid_subject_passes(message: str, tmp_path: Path) -> None:
    assert check_subjects(message, tmp_path).returncode == 0


@pytest.mark.parametrize(
    ("message", "reason"), [("a" * 73, "73 characters"), ("é" * 73, "73 characters"), ("Stop.", "full stop")]
)
def test_an_invalid_subject_is_refused(message: str, reason: str, tmp_path: Path) -> None:
    refused = check_subjects(message, tmp_path)
    assert refused.returncode == 1
    assert reason in refused.stderr
