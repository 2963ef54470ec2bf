"""Play histories of people, and write what came of them: python -m tests.people --histories 10000 --write"""

import argparse
import sys
from collections import Counter
from pathlib import Path
from typing import Final

from tests.people.histories import History, Parts, play
from tests.people.safeguards import WITHOUT

RESULTS: Final = Path(__file__).parents[2] / "bench" / "results" / "people.md"
MAX_SEARCHED: Final = 2_000
"""Histories that are played to find the lack of a safeguard."""


def first_found(parts: Parts) -> tuple[int, str]:
    """Return the seed of the first history that fails without a safeguard, and the kind of its first violation."""
    for seed in range(MAX_SEARCHED):
        violations = History(seed, parts).play().violations
        if violations:
            return seed, violations[0].split(":")[0]
    raise LookupError("no history needed this safeguard")


def report(counts: Counter[str], violations: list[tuple[int, str]], found: dict[str, tuple[int, str]]) -> str:
    shown = (
        "histories",
        "steps",
        "deaths",
        "faces",
        "assigned",
        "persons",
        "named",
        "merged",
        "rejections",
        "imports",
        "erased",
    )
    lines = [
        "# People: what random histories found",
        "",
        "`make people-histories` wrote this. Each history plays the real use cases over a store in memory, interleaved",
        "at every call of the store, with workers that die, messages that come twice and an index that lags.",
        "",
        "| in the histories | number |",
        "|---|---:|",
        *(f"| {name} | {counts[name]:,} |" for name in shown),
        f"| **violations** | **{len(violations):,}** |",
        "",
        "`faces` and what follows are counted at the ends. Without one safeguard, the first history that fails:",
        "",
        "| safeguard left out | seed | what goes wrong |",
        "|---|---:|---|",
        *(f"| {name} | {seed:,} | {kind} |" for name, (seed, kind) in found.items()),
        "",
    ]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--histories", type=int, default=1_000)
    parser.add_argument("--write", action="store_true", help=f"write the report to {RESULTS.name}")
    args = parser.parse_args()
    counts, violations = play(range(args.histories))
    print(f"{args.histories} histories, {len(violations)} violations", flush=True)
    text = report(counts, violations, {name: first_found(parts) for name, parts in WITHOUT.items()})
    print(text)
    for seed, violation in violations[:20]:
        print(f"{seed}: {violation}", file=sys.stderr)
    if args.write:
        RESULTS.write_text(text, encoding="utf-8")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
