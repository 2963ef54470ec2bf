"""The program that the guides have a reader run needs no more than the local run installs."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

from packaging.utils import canonicalize_name

from tests.lock_files import locked
from tests.repository.files import ROOT

PROGRAM: Final = """
import json, runpy, sys
from importlib.metadata import packages_distributions

locked = set(json.loads(sys.argv[1]))
absent = {name for name, found in packages_distributions().items()
          if not locked.intersection(one.lower().replace("_", "-") for one in found)}


class NotInstalled:
    def find_spec(self, name, path=None, target=None):
        if name in absent:
            raise ModuleNotFoundError(f"a local run does not install {name}")


sys.meta_path.insert(0, NotInstalled())
sys.argv = sys.argv[2:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""
"""Runs a file where only the packages that its first argument lists can be imported."""


def test_the_photographs_of_the_guides_are_made_with_what_a_local_run_installs(tmp_path: Path) -> None:
    names = [canonicalize_name(found.name) for found in locked(ROOT / "infra" / "local" / "requirements.lock")]
    program = str(ROOT / "docs" / "examples" / "photos.py")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(names), program, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"photos", "found", "blocked", "uploads", "copy.jpg"}
