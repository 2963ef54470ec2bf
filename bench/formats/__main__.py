"""Count which kinds of files are decoded as a person sees them: `python -m bench.formats`.

Compares PicTrace with OpenCV, Pillow and libvips, and with an earlier checkout of PicTrace (--before FOLDER), on files
that are made here. Prints the tables and writes docs/measurements/formats.md. Needs the packages of
bench/requirements.txt.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from bench.formats import costs, decoders
from bench.formats.combinations import combinations
from bench.formats.kinds import Kind, everything

ROOT: Final = Path(__file__).resolve().parents[2]
PAGE: Final = ROOT / "docs" / "measurements" / "formats.md"
MARK: Final = "<!-- written by python -m bench.formats -->"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a decoder made of a file: the mean difference in levels of 255, or None if it refused the file."""

    difference: float | None

    def verdict(self, kind: Kind) -> str:
        if kind.shown is None:
            return "right" if self.difference is None else "wrong"
        if self.difference is None:
            return "refused"
        return "right" if self.difference <= kind.tolerance else "wrong"


def decoded(name: str, kinds: Sequence[Kind], checkout: Path) -> list[Outcome]:
    """Decode every file in a process of its own, with the code of a checkout."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{number:04}.bin" for number in range(len(kinds))]
        for path, kind in zip(paths, kinds, strict=True):
            path.write_bytes(kind.data)
        environment = os.environ | {"PYTHONPATH": str(checkout)}
        subprocess.run(
            [sys.executable, str(Path(decoders.__file__)), name, folder],
            cwd=checkout, env=environment, check=True, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        return [_outcome(path.with_suffix(".npy"), kind) for path, kind in zip(paths, kinds, strict=True)]


def _outcome(path: Path, kind: Kind) -> Outcome:
    if not path.is_file():
        return Outcome(None)
    shown = np.load(path)
    if kind.shown is None:
        return Outcome(255.0)
    expected = kind.shown
    if "cut at" in kind.name and shown.shape[0] < expected.shape[0]:
        expected = expected[: shown.shape[0]]  # what is not there need not be shown
    if shown.shape != expected.shape:
        return Outcome(255.0)
    return Outcome(float(np.abs(shown.astype(int) - expected).mean()))


def table(kinds: Sequence[Kind], found: dict[str, list[Outcome]]) -> list[str]:
    """Return the rows of right, wrong and refused files by group, as Markdown."""
    lines = [f"| kind | files | {' | '.join(found)} |", "|---|---|" + "---|" * len(found)]
    groups = list(dict.fromkeys(kind.group for kind in kinds))
    for group in [*groups, "all"]:
        chosen = [number for number, kind in enumerate(kinds) if group in (kind.group, "all")]
        cells = []
        for outcomes in found.values():
            verdicts = [outcomes[number].verdict(kinds[number]) for number in chosen]
            cells.append(" / ".join(str(verdicts.count(one)) for one in ("right", "wrong", "refused")))
        name = f"**{group}**" if group == "all" else group
        lines.append(f"| {name} | {len(chosen)} | {' | '.join(cells)} |")
    return lines


def details(kinds: Sequence[Kind], found: dict[str, list[Outcome]]) -> list[str]:
    """Return the kinds about which the decoders differ, or which PicTrace has wrong, with mean differences."""
    lines = [f"| kind | {' | '.join(found)} |", "|---|" + "---|" * len(found)]
    for number, kind in enumerate(kinds):
        verdicts = [outcomes[number].verdict(kind) for outcomes in found.values()]
        if set(verdicts) == {"right"}:
            continue
        cells = []
        for outcomes, verdict in zip(found.values(), verdicts, strict=True):
            difference = outcomes[number].difference
            amount = "" if difference is None or kind.shown is None else f" {difference:.1f}"
            cells.append(f"{verdict}{amount}" if difference != 255.0 else verdict)
        lines.append(f"| {kind.group}: {kind.name} | {' | '.join(cells)} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.formats", description=__doc__)
    parser.add_argument("--before", type=Path, help="an earlier checkout of PicTrace to compare with")
    parser.add_argument("--write", action="store_true", help=f"write the tables to {PAGE.relative_to(ROOT)}")
    parser.add_argument("--costs", action="store_true", help="measure memory and time by format and size too")
    wanted = parser.parse_args()
    kinds = [*everything(), *combinations()]
    found = {}
    if wanted.before:
        found["before"] = decoded("pictrace", kinds, wanted.before)
    found["PicTrace"] = decoded("pictrace", kinds, ROOT)
    found |= {name: decoded(name, kinds, ROOT) for name in decoders.DECODERS if name != "pictrace"}
    lines = ["## Right, wrong and refused", "", *table(kinds, found)]
    lines += ["", "## Kinds that not all decoders have right", "", *details(kinds, found)]
    if wanted.costs:
        lines += ["", "## Memory and time", "", *costs.table()]
    print("\n".join(lines))
    if wanted.write:
        page = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(page[: page.index(MARK)] + "\n".join([MARK, "", *lines]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
