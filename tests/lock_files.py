"""Read the lock files that `make lock` writes."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

LAMBDA: Final = {"python_full_version": "3.13.0", "python_version": "3.13", "sys_platform": "linux"}
"""The markers of Lambda's Python, on either processor."""


@dataclass(frozen=True, slots=True)
class Locked:
    """One version of a package, and the number of its hashes."""

    requirement: Requirement
    hashes: int

    @property
    def name(self) -> str:
        return canonicalize_name(self.requirement.name)

    @property
    def version(self) -> str:
        return str(self.requirement.specifier).removeprefix("==")

    def applies(self, environment: Mapping[str, str] | None = None) -> bool:
        """Return whether it is installed here, or where these markers hold."""
        marker = self.requirement.marker
        return marker is None or marker.evaluate(dict(environment or {}))


def locked(path: Path) -> Sequence[Locked]:
    """Return the versions that a lock file lists."""
    pattern = r"^([^\s#].*?)((?: \\\n +--hash=sha256:[0-9a-f]{64})*)$"
    entries = re.findall(pattern, path.read_text(encoding="utf-8"), re.MULTILINE)
    return [Locked(Requirement(text), hashes.count("--hash")) for text, hashes in entries]
