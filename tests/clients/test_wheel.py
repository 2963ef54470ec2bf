"""The wheel works in an environment that has only what it declares, and nothing of the server."""

import json
import subprocess
import sys
import venv
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement

from tests.conftest import PicTrace
from tests.repository.files import ROOT

IMPORT_ALL = """
import importlib, pkgutil, sys, pictrace
for module in pkgutil.walk_packages(pictrace.__path__, "pictrace."):
    if module.name != "pictrace.__main__":
        importlib.import_module(module.name)
print([name for name in sys.modules if name.split(".")[0] in ("shared", "functions", "infra", "layers", "tests")])
"""


def needed(requirements: list[str], extra: str = "") -> Iterator[str]:
    """The distributions that these requirements need, and theirs."""
    for requirement in map(Requirement, requirements):
        if not requirement.marker or requirement.marker.evaluate({"extra": extra}):
            yield requirement.name
            yield from needed(distribution(requirement.name).requires or [])


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment with the wheel and links to the packages that it requires."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "--disable-pip-version-check", "--quiet", "--no-index", "--no-deps"]
    build += ["--no-build-isolation", "--wheel-dir", str(folder), str(ROOT / "clients" / "python")]
    subprocess.run(build, check=True)
    [wheel] = folder.glob("*.whl")
    venv.create(folder / "venv", symlinks=True)
    [packages] = (folder / "venv").glob("lib/python*/site-packages")
    install = [sys.executable, "-m", "pip", "--python", str(folder / "venv" / "bin" / "python"), "install", "--no-deps"]
    subprocess.run([*install, "--disable-pip-version-check", "--quiet", "--no-index", str(wheel)], check=True)
    [metadata] = packages.glob("pictrace-*.dist-info/METADATA")
    requires = [
        line.split(": ", 1)[1] for line in metadata.read_text().splitlines() if line.startswith("Requires-Dist")
    ]
    for name in set(needed(requires)):
        found = distribution(name)
        for top in {file.parts[0] for file in found.files or [] if file.parts[0] not in ("..", "__pycache__")}:
            if not (packages / top).exists():
                (packages / top).symlink_to(Path(str(found.locate_file(top))))
    return folder


def output(environment: Path, *command: str) -> str:
    run = [str(environment / "venv" / "bin" / command[0]), *command[1:]]
    return subprocess.run(run, cwd=environment, capture_output=True, text=True, check=True, env={}).stdout


def test_every_module_imports_nothing_of_the_server(environment: Path) -> None:
    assert output(environment, "python", "-c", IMPORT_ALL) == "[]\n"


def test_the_command_works(environment: Path, running: PicTrace) -> None:
    version = running.client.get("/health").json()["version"]
    assert output(environment, "pictrace", "--version") == f"pictrace, version {version}\n"
    listed = output(environment, "pictrace", "collections", "--url", running.url, "--json")
    assert json.loads(listed)["collections"][0]["collection"] == "default"


def test_the_wheel_is_typed(environment: Path) -> None:
    [wheel] = environment.glob("*.whl")
    assert "pictrace/py.typed" in ZipFile(wheel).namelist()
