"""Measure the local run side by side with the build of November 2026.

    python -m bench.against_baseline [--photographs FOLDER] [--images 300] [--more 700] [--stored 1000 10000]

Both builds run at the same time over nothing; they take turns, so that one waits while the other works. Each gets the
same images by presigned POST and the same searches over HTTP: smaller copies of stored images, and strangers.
"""

import argparse
import itertools
import os
import sys
from contextlib import ExitStack
from pathlib import Path

from bench.against_baseline.builds import Build, Running, baseline, running
from bench.against_baseline.rerank import rerank_in_turns
from bench.against_baseline.stored import PHOTOGRAPHS, filled
from bench.against_baseline.user import search_in_turns, searches_a_second, send
from bench.speed.images import chosen, recompressed, synthetic_image
from bench.speed.runtime_api import ROOT

STRANGERS = 2_000_000
"""First seed of made images that nothing stored resembles."""
STORED = 1_000_000
"""First seed of made images that are stored."""


def row(what: str, values: dict[str, float], unit: str, names: list[str]) -> None:
    """Print a row: each build's value, and the ratio of the others to the baseline's."""
    first = values[names[0]]
    cells = [f"{values[name]:.3g} {unit}" for name in names]
    ratios = [f"{values[name] / first:.2f}" for name in names[1:]]
    print(f"| {what} | " + " | ".join([*cells, *ratios]) + " |", flush=True)


def heads(targets: list[Running], what: str) -> None:
    """Print the head of a table."""
    names = [target.build.name for target in targets]
    print(f"\n| {what} | " + " | ".join([*names, *(f"{name}: ratio" for name in names[1:])]) + " |")
    print("|---|" + "---:|" * (2 * len(names) - 1), flush=True)


def measure(targets: list[Running], photographs: list[bytes], more: int, queries: int) -> None:
    heads(targets, "what")
    names = [target.build.name for target in targets]
    row("start until the page answers", {target.build.name: target.seconds for target in targets}, "s", names)
    reranked = rerank_in_turns([target.build for target in targets], photographs)
    row("processor time of reranking 50", reranked, "ms", names)
    warm, strangers = photographs[:8], (synthetic_image(STRANGERS + number) for number in itertools.count())
    for target in targets:
        send(target, warm)
    stored = photographs[8:]
    for count in (len(stored), more):
        if count == 0:
            continue
        sent = stored if count == len(stored) else [synthetic_image(STORED + number) for number in range(more)]
        done = {target.build.name: send(target, sent) for target in targets}
        row(f"{len(sent)} images come in", {n: one.images_a_second for n, one in done.items()}, "a second", names)
        row("processor time of each", {n: one.processor_seconds for n, one in done.items()}, "s", names)
        copies = [recompressed(data) for data in stored[:: max(1, len(stored) // queries)][:queries]]
        searches(targets, copies, list(itertools.islice(strangers, max(4, queries // 2))))


def searches(targets: list[Running], copies: list[bytes], strangers: list[bytes]) -> None:
    """Print the rows of searches by copies of stored images and by images of which the collection has nothing."""
    names = [target.build.name for target in targets]
    for kind, wanted in (("a copy is found", copies), ("nothing near", strangers)):
        times = search_in_turns(targets, wanted)
        row(f"search, {kind}, median", {n: one.milliseconds for n, one in times.items()}, "ms", names)
        row("processor time of each", {n: one.processor for n, one in times.items()}, "ms", names)
        row("share with a copy first", {n: one.found or 1e-9 for n, one in times.items()}, "", names)
    row("searches by 8 callers, copies", searches_a_second(targets, copies * 2), "a second", names)
    row("resident memory", {target.build.name: target.resident() for target in targets}, "MB", names)


def measure_stored(old: Build, today: Build, photographs: list[bytes], queries: int, images: int) -> None:
    """Search by copies and by strangers where so many images are stored."""
    stored, strangers = photographs[:PHOTOGRAPHS], photographs[PHOTOGRAPHS:]
    copies = [recompressed(data) for data in stored[:queries]]
    with filled(old, today, stored, images) as targets:
        heads(targets, f"{images:,} stored")
        searches(targets, copies, strangers[: max(4, queries // 2)])


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.against_baseline", description=__doc__)
    evaluation = os.environ.get("PICTRACE_EVAL_DATA")
    parser.add_argument("--photographs", type=Path, default=evaluation and Path(evaluation) / "eval" / "photos")
    parser.add_argument("--images", type=int, default=300, help="photographs that are stored")
    parser.add_argument("--more", type=int, default=0, help="made images that are stored afterwards")
    parser.add_argument("--queries", type=int, default=40)
    parser.add_argument(
        "--stored", type=int, nargs="*", default=(), help="then search where so many are stored, most of them made"
    )
    parser.add_argument("--model-dir", type=Path, default=ROOT / ".build" / "model")
    wanted = parser.parse_args(argv)
    today = Build("today", ROOT, wanted.model_dir, ("--data", "{data}"))
    old = baseline()
    if wanted.images:
        kind, photographs = chosen(wanted.photographs, wanted.images)
        print(f"{len(photographs)} {kind}; {os.cpu_count()} processors.\n")
        with ExitStack() as stack:
            measure(
                [stack.enter_context(running(build)) for build in (old, today)],
                photographs,
                wanted.more,
                wanted.queries,
            )
    for images in wanted.stored:
        _, known = chosen(wanted.photographs, PHOTOGRAPHS + wanted.queries)
        measure_stored(old, today, known, wanted.queries, images)
    return 0


if __name__ == "__main__":
    sys.exit(main())
