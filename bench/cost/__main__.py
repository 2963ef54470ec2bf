"""`make cost PICTURES=… SEARCHES=…`: the bill of a month, per component, and of two other ways to go.

Prices are those of `infra/prices.py`; durations and counted calls are those that `make bench` measured last
(bench/results/speed.json). `--write` writes docs/measurements/cost.md.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Final

from bench.cost.bill import bill
from bench.cost.page import page
from bench.cost.use import MILLION, Use

ROOT: Final = Path(__file__).resolve().parents[2]
FIGURES: Final = ROOT / "bench" / "results" / "speed.json"
PAGE: Final = ROOT / "docs" / "measurements" / "cost.md"
CONTEXT: Final = ROOT / "cdk.json"


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.cost", description=__doc__)
    parser.add_argument("--pictures", dest="images", type=int, default=MILLION, help="taken in this month, and kept")
    parser.add_argument("--searches", type=int, default=MILLION)
    parser.add_argument("--kind", choices=("found", "nothing", "fast"), default="found", help="what the searches are")
    parser.add_argument("--figures", type=Path, default=FIGURES, help="what the bench wrote")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.relative_to(ROOT)} instead")
    wanted = parser.parse_args(argv)
    found = json.loads(wanted.figures.read_text(encoding="utf-8"))
    context = json.loads(CONTEXT.read_text(encoding="utf-8"))["context"]
    if wanted.write:
        PAGE.write_text(page(found["figures"], context, found["taken"]), encoding="utf-8")
    else:
        print(bill(Use.measured(found["figures"], context, wanted.kind), wanted.images, wanted.searches))
    return 0


if __name__ == "__main__":
    sys.exit(main())
