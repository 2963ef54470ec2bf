"""A simulation of many uploads: the queue, the functions and the table, second by second.

`python -m bench.scale` prints the table; `--write` writes it to docs/measurements/scale.md. Seconds and write units per
image are those that `make bench` measured (see docs/measurements/cost.md); the limits are those that AWS documents.
"""

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.cost.__main__ import CONTEXT, FIGURES, ROOT
from bench.cost.use import Use

PAGE: Final = ROOT / "docs" / "measurements" / "scale.md"
BEGIN: Final = "<!-- python -m bench.scale --write -->"
END: Final = "<!-- end -->"

FIRST_BATCHES: Final = 5
BATCHES_A_MINUTE: Final = 300
"""https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html"""
NEW_TABLE_UNITS: Final = 4_000
DOUBLING_SECONDS: Final = 1_800
TABLE_QUOTA: Final = 40_000
"""https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html: write units a second
of a new table, that twice the previous peak is safe only after 30 minutes, and the quota that can be raised."""
PARTITION_UNITS: Final = 1_000
"""Write units a second of one partition key, here of a collection in the index `newest`."""

RATES: Final = (1, 100, 5_000)
HOUR: Final = 3_600
DAYS_KEPT: Final = 4
"""Retention of the queue."""


@dataclass(frozen=True, slots=True)
class Result:
    """The state after an hour of uploads.

    Attributes:
        done: images per second in the last minute.
        waiting: messages in the queue.
        wait: seconds until the last of them is processed.
        limit: the bottleneck in the last minute.
    """

    done: float
    waiting: float
    wait: float
    limit: str


def simulate(use: Use, rate: float, concurrency: int, collections: int, ready: float) -> Result:
    """Simulate an hour of `rate` uploads per second, into a table that starts with `ready` write units per second."""
    waiting, done, limit = 0.0, 0.0, ""
    peak, since = 0.0, 0
    recent: list[float] = []
    for second in range(HOUR):
        waiting += rate
        batches = min(concurrency, FIRST_BATCHES + BATCHES_A_MINUTE * second / 60)
        limits = {
            "nothing": waiting,
            "max_concurrency": batches / use.image_seconds,
            "the table's write units": min(ready, TABLE_QUOTA) / use.image_write_units,
            "one collection's listing": PARTITION_UNITS * collections,
        }
        limit = min(limits, key=lambda name: limits[name])
        done = limits[limit]
        waiting -= done
        recent = [*recent[-59:], done]
        peak = max(peak, done * use.image_write_units)
        if second - since >= DOUBLING_SECONDS:
            ready, since = max(ready, 2 * peak), second
    average = sum(recent) / len(recent)
    return Result(average, waiting, waiting / average, limit)


def table(use: Use, settings: int) -> list[str]:
    rows = [
        "| uploads a second | `max_concurrency` | table | collections | done a second | held back by |"
        " waiting after an hour | the last one waits |",
        "|---:|---:|---|---:|---:|---|---:|---:|",
    ]
    grown = ("new", NEW_TABLE_UNITS), ("grown", TABLE_QUOTA)
    for rate in RATES:
        for concurrency, (age, ready), collections in (
            (settings, grown[0], 1),
            (1_000, grown[0], 1),
            (1_000, grown[1], 1),
            (1_000, grown[1], 50),
        ):
            found = simulate(use, rate, concurrency, collections, ready)
            rows.append(
                f"| {rate:,} | {concurrency:,} | {age} | {collections} | {found.done:,.0f} | {found.limit} | "
                f"{found.waiting:,.0f} | {_time(found.wait)} |"
            )
    return rows


def _time(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:,.0f} min" if seconds < 2 * HOUR else f"{seconds / HOUR:,.0f} h"


def written(page: str, rows: list[str]) -> str:
    """Return the page with the rows between its markers."""
    before, _, rest = page.partition(BEGIN)
    return "\n".join([before + BEGIN, "", *rows, "", END]) + rest.partition(END)[2]


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__)
    parser.add_argument("--write", action="store_true", help="put the table into docs/measurements/scale.md instead")
    wanted = parser.parse_args(argv)
    rows = current(FIGURES)
    if wanted.write:
        PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), rows), encoding="utf-8")
    else:
        print("\n".join(rows))
    return 0


def current(figures: Path) -> list[str]:
    context = json.loads(CONTEXT.read_text(encoding="utf-8"))["context"]
    use = Use.measured(json.loads(figures.read_text(encoding="utf-8"))["figures"], context, "found")
    return table(use, context["max_concurrency"])


if __name__ == "__main__":
    sys.exit(main())
