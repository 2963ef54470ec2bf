"""`make bench`: how fast PicTrace is compared with alternatives, measured side by side on this machine.

Prints the tables and writes bench/results/speed.md, and the figures that the bill uses to bench/results/speed.json.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Final

from bench.speed import (
    cold_start,
    features,
    growth,
    images,
    ingest,
    packages,
    page_view,
    precision,
    report,
    requests,
    rerank,
    threads,
    throughput,
)
from bench.speed.collection import GrowingCollection
from bench.speed.report import Part
from bench.speed.runtime_api import ROOT
from infra.local.cloud import local_cloud
from infra.local.serving import serving

RESULTS: Final = ROOT / "bench" / "results"
DATA: Final = "PICTRACE_EVAL_DATA"
IMAGES: Final = 101
"""Number of images, more than a search compares."""
DESCRIBED: Final = 51
SEARCHES: Final = 20
"""Maximum number of searches of one kind and size: each takes a large part of a second."""
PARTS: Final = (
    "features",
    "threads",
    "int8",
    "ingest",
    "rerank",
    "growth",
    "cold-start",
    "calls",
    "page-view",
    "throughput",
    "packages",
)


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    data = os.environ.get(DATA)
    parser = argparse.ArgumentParser(
        prog="python -m bench.speed",
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--model-dir", type=Path, default=ROOT / ".build" / "model", help="the exported model")
    parser.add_argument(
        "--pictures",
        dest="images",
        type=Path,
        default=Path(data, "eval", "photos") if data else None,
        help=f"folder of JPEGs; eval/photos of the folder that {DATA} names, or made ones",
    )
    parser.add_argument("--rounds", type=int, default=30, help="timed calls of each way")
    parser.add_argument("--starts", type=int, default=7, help="new processes for each start")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="what to measure")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder to write to")
    parser.add_argument("--note", default="", help="a sentence on the circumstances, to stand in the results")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    wanted = arguments(argv)
    kind, shown = images.chosen(wanted.images, IMAGES)
    stack = ExitStack()
    cloud = cache(lambda: stack.enter_context(local_cloud(wanted.model_dir.resolve())))

    def grown() -> list[Part]:
        url = stack.enter_context(serving(cloud().app, 0))
        growing = GrowingCollection(cloud(), url, shown[: growth.SIZES[0]], wanted.model_dir, "growing")
        return growth.measure(growing, url, min(wanted.rounds, SEARCHES))

    work: dict[str, Callable[[], Part | list[Part] | None]] = {
        "features": lambda: features.measure(wanted.model_dir, shown[:DESCRIBED], wanted.rounds),
        "threads": lambda: threads.measure(wanted.model_dir, shown[:DESCRIBED], wanted.rounds),
        "int8": lambda: precision.measure(wanted.model_dir, shown, wanted.rounds),
        "ingest": lambda: ingest.measure(wanted.model_dir, shown[:DESCRIBED], wanted.rounds),
        "rerank": lambda: rerank.measure(shown, wanted.rounds, plain_rounds=max(3, wanted.rounds // 6)),
        "growth": grown,
        "cold-start": lambda: cold_start.measure(cloud(), shown, wanted.starts),
        "calls": lambda: requests.measure(cloud(), shown, wanted.rounds),
        "page-view": lambda: page_view.measure(cloud(), shown),
        "throughput": lambda: throughput.measure(wanted.model_dir, shown[:DESCRIBED], max(3, wanted.rounds // 6)),
        "packages": lambda: packages.measure(wanted.model_dir),
    }
    done: list[Part] = []
    with stack:
        for name in (name for name in PARTS if name in wanted.parts):
            print(f"measuring {name} ...", file=sys.stderr, flush=True)
            found = work[name]()
            for part in found if isinstance(found, list) else [found] if found else []:
                done.append(part)
                print(part.markdown(), end="\n\n", flush=True)
    circumstances = report.circumstances()
    model = json.loads((wanted.model_dir / "model.json").read_text(encoding="utf-8"))["id"]
    head = (
        f"# Speed\n\n`make bench`, {circumstances} Model `{model}`. Medians of {wanted.rounds}; {kind}. {wanted.note}"
    )
    page = "\n\n".join([head.strip(), report.floors(done), *(part.markdown() for part in done)])
    print(report.floors(done))
    wanted.results.mkdir(parents=True, exist_ok=True)
    (wanted.results / "speed.md").write_text(page.strip() + "\n", encoding="utf-8")
    figures = _known(wanted.results) | {name: round(value, 3) for part in done for name, value in part.figures.items()}
    (wanted.results / "speed.json").write_text(
        json.dumps({"taken": circumstances, "figures": figures}, indent=2) + "\n", encoding="utf-8"
    )
    return 0


def _known(results: Path) -> dict[str, float]:
    """Return the figures of earlier runs, for the parts that are not measured now."""
    before = results / "speed.json"
    return dict(json.loads(before.read_text(encoding="utf-8"))["figures"]) if before.is_file() else {}


if __name__ == "__main__":
    sys.exit(main())
