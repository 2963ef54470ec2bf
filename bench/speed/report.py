"""The result of a part of the benchmark, as Markdown and as figures for others (the bill, the next comparison)."""

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

_PACKAGES: Final = (
    "ai-edge-litert",
    "numpy",
    "opencv-python-headless",
    "scikit-image",
    "tensorflow-cpu",
    "tensorflow",
    "keras",
    "onnxruntime",
    "openvino",
    "boto3",
    "fastapi",
    "awslambdaric",
)


@dataclass(frozen=True, slots=True)
class Floor:
    """A requirement, the measured value, and whether it meets the requirement."""

    what: str
    asked: str
    measured: str
    met: bool


@dataclass(frozen=True, slots=True)
class Part:
    """One part's table.

    Attributes:
        notes: sentences under the table.
        figures: values that others compute with, in the units that their names state.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    floors: Sequence[Floor] = ()
    notes: Sequence[str] = ()
    figures: Mapping[str, float] = field(default_factory=dict)

    def markdown(self) -> str:
        return "\n".join([f"## {self.title}", "", *table(self.columns, self.rows), "", *self.notes])


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a Markdown table whose first column is text and whose others are figures."""
    head = f"| {' | '.join(columns)} |"
    return [head, "|" + "---|" + "---:|" * (len(columns) - 1), *(f"| {' | '.join(row)} |" for row in rows)]


def floors(parts: Sequence[Part]) -> str:
    """Return a table of every floor and whether it is met."""
    found = [floor for part in parts for floor in part.floors]
    rows = [(floor.what, floor.asked, floor.measured, "yes" if floor.met else "**no**") for floor in found]
    return "\n".join(["## Floors", "", *table(("what", "asked", "measured", "met"), rows)])


def circumstances() -> str:
    """Return a sentence with date, machine and versions."""
    installed = [f"{name} {found}" for name in _PACKAGES if (found := _version(name))]
    load = os.getloadavg()
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC; {_processor()}, {os.cpu_count()} cores, "
        f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GB; load {load[0]:.1f} at the end "
        f"({load[2]:.1f} over 15 minutes); {platform.system()}, Python {platform.python_version()}, "
        f"{', '.join(installed)}."
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
