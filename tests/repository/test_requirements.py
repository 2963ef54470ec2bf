"""Each package has one version in all requirements files, and a line in NOTICE if it is shipped."""

import re
from collections import defaultdict
from importlib.metadata import requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.lock_files import LAMBDA, locked
from tests.repository.files import ROOT, text, tracked

SHIPPED = ("functions/requirements.lock", "layers/runtime/requirements.lock")
OWN_ENVIRONMENT = "tests/ministack/requirements.txt"
"""Installed in an environment of its own, with its own version of botocore."""


def requirements(name: str) -> list[Requirement]:
    """The requirements that a file lists directly."""
    lines = [line.partition(" #")[0].strip() for line in text(name).splitlines()]
    return [Requirement(line) for line in lines if line and not line.startswith(("#", "-"))]


def test_each_package_has_one_pinned_version() -> None:
    versions: dict[str, set[str]] = defaultdict(set)
    names = [str(path.relative_to(ROOT)) for path in tracked("*requirements.txt")]
    assert len(names) > 5
    for name in names:
        for found in requirements(name) if name != OWN_ENVIRONMENT else ():
            versions[canonicalize_name(found.name)] |= {str(found.specifier)} - {""}
    assert {package: found for package, found in versions.items() if len(found) != 1} == {}
    assert all(specifier.startswith("==") for found in versions.values() for specifier in found)


def test_the_notice_lists_every_shipped_package() -> None:
    shipped = {found.name for name in SHIPPED for found in locked(ROOT / name) if found.applies(LAMBDA)}
    noticed = re.findall(r"^([a-z0-9-]+) {2,}\S", text("NOTICE"), re.MULTILINE)
    assert noticed == sorted(shipped)


@pytest.mark.parametrize("path", tracked("*requirements.txt"), ids=lambda path: str(path.relative_to(ROOT)))
def test_each_requirements_file_has_a_current_lock_with_hashes(path: Path) -> None:
    lock = locked(path.with_suffix(".lock"))
    assert lock
    assert [str(found.requirement) for found in lock if not found.hashes] == []
    versions = {(found.name, found.version) for found in lock}
    names = {name for name, _ in versions}
    for wanted in requirements(str(path.relative_to(ROOT))):
        pinned = str(wanted.specifier).removeprefix("==")
        name = canonicalize_name(wanted.name)
        assert (name, pinned) in versions if pinned else name in names, f"run `make lock`: {wanted}"


def test_all_locks_have_the_versions_that_are_tested() -> None:
    tested = {(found.name, found.version) for found in locked(ROOT / "tests" / "requirements.lock")}
    names = {name for name, _ in tested}
    for path in tracked("*requirements.lock"):
        if path != (ROOT / OWN_ENVIRONMENT).with_suffix(".lock"):
            others = {(found.name, found.version) for found in locked(path) if found.name in names}
            assert others <= tested, path


def test_what_is_locked_is_complete() -> None:
    """pip installs a lock without looking for dependencies, so the lock must name them all."""
    here = [found for found in locked(ROOT / "tests" / "requirements.lock") if found.applies()]
    needed = [Requirement(line) for found in here for line in requires(found.name) or []]
    names = {canonicalize_name(one.name) for one in needed if not one.marker or one.marker.evaluate({"extra": ""})}
    assert names - {found.name for found in here} == set()
