"""Each package has one version in all requirements files, and a line in NOTICE if it is shipped."""

import re
from collections import defaultdict

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.repository.files import ROOT, text, tracked

SHIPPED = ("functions/requirements.txt", "layers/runtime/requirements.txt")
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
    shipped = {canonicalize_name(found.name) for name in SHIPPED for found in requirements(name)}
    noticed = re.findall(r"^([a-z0-9-]+) {2,}\S", text("NOTICE"), re.MULTILINE)
    assert noticed == sorted(shipped)
