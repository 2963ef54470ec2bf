"""An interpreter with the packages of the functions' image, made of links to the packages installed here."""

import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path, PurePath
from typing import Final

from packaging.requirements import Requirement

from bench.speed.runtime_api import ROOT

REQUIREMENTS: Final = ROOT / "functions" / "requirements.txt"
PRUNED: Final = ROOT / "functions" / "prune.txt"
"""List of the files that the Dockerfile removes after installing."""
RUNTIME: Final = "awslambdaric"
"""Lambda's own runtime client, which the base image contains."""


def pruned() -> list[str]:
    """Return patterns of the removed files and folders, relative to the packages' folder."""
    return PRUNED.read_text(encoding="utf-8").split()


def interpreter(folder: Path) -> str:
    """Create a virtual environment in `folder`; return the path of its Python."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    [packages] = folder.glob("lib/python*/site-packages")
    lines = [line for line in REQUIREMENTS.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    left_out = pruned()
    found = {one.name: one for name in (*lines, RUNTIME) for one in _needed(Requirement(name))}
    for path in (path for one in found.values() for path in one.files or ()):
        name = str(path)
        if name.startswith("..") or any(_matches(path, left) for left in left_out):
            continue
        target = packages / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(str(path.locate()))
    return str(folder / "bin" / "python")


def _matches(path: PurePath, pattern: str) -> bool:
    """Whether a pattern names a file or one of the folders that hold it."""
    parts = len(PurePath(pattern).parts)
    return PurePath(*path.parts[:parts]).match(pattern)


def _needed(requirement: Requirement) -> Iterator[Distribution]:
    """Yield a distribution and its dependencies."""
    if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
        found = distribution(requirement.name)
        yield found
        for other in found.requires or ():
            yield from _needed(Requirement(other))
