"""The local run with up to 100,000 made images: search, start, memory and disk, compared with a small collection.

    python -m bench.embedded_scale FOLDER [--write]

FOLDER has photographs. Some are stored, made images are mixed from others, and some are only searched for. The sizes
take turns in one run, so the ratios hold on a busy machine. `--write` writes to docs/measurements/scale.md.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from bench.embedded_scale import index, servers
from bench.embedded_scale.folders import fill, opened
from bench.embedded_scale.made import described
from bench.embedded_scale.report import Size, section, write
from bench.speed.runtime_api import ROOT
from infra.local.data_folder import DataFolder

SIZES: Final = (1_000, 10_000, 100_000)


def arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.embedded_scale", description=__doc__)
    parser.add_argument("photographs", type=Path, metavar="FOLDER", help="folder of JPEGs")
    parser.add_argument("--count", type=int, default=150, help="photographs that are described (default: 150)")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="numbers of images")
    parser.add_argument("--rounds", type=int, default=40, help="timed searches of each kind and size")
    parser.add_argument("--model-dir", type=Path, default=ROOT / ".build" / "model", help="the exported model")
    parser.add_argument("--work", type=Path, help="folder for the data folders; one that has them is used again")
    parser.add_argument("--write", action="store_true", help="write to docs/measurements/scale.md, too")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    wanted = arguments(argv)
    with tempfile.TemporaryDirectory() as temporary:
        lines = measure(wanted, wanted.work or Path(temporary))
    print("\n".join(lines))
    if wanted.write:
        write(lines)
    return 0


def measure(wanted: argparse.Namespace, work: Path) -> list[str]:
    say("describing the photographs")
    photographs = described(wanted.photographs, wanted.count, wanted.model_dir)
    folders = {size: DataFolder(work / str(size), is_new=False) for size in sorted(wanted.sizes)}
    loading = {}
    for size, folder in folders.items():
        say(f"storing {size:,} records")
        loading[size] = None if folder.path.exists() else fill(folder, photographs, size)
    say("opening the indexes")
    openings = {size: index.opening(folder) for size, folder in folders.items()}
    with ExitStack() as stack:
        indexes = {size: stack.enter_context(opened(folder))[1] for size, folder in folders.items()}
        say("searching the indexes")
        times = dict(index.searches(indexes, photographs, wanted.rounds))
        queries = [photograph.image for photograph in (*photographs.unknown, *photographs.stored)]
        equal = index.equal_answers(folders[max(folders)], indexes[max(folders)], queries)
    with ExitStack() as stack:
        say("starting the local runs")
        running = {
            size: stack.enter_context(servers.server(folder, wanted.model_dir)) for size, folder in folders.items()
        }
        say("searching over HTTP")
        over_http, processor = servers.searches(running, photographs, wanted.rounds)
        times |= over_http
        memory = {size: run.memory() for size, run in running.items()}
    sizes = [
        Size(
            images=size,
            loading=loading[size],
            opening=openings[size].closed,
            rebuilding=openings[size].rebuilt,
            page=running[size].seconds,
            memory=memory[size],
            database=megabytes(folder.path.glob(f"{folder.database.name}*")),
            index=megabytes(folder.vectors.iterdir()),
        )
        for size, folder in folders.items()
    ]
    return section(sizes, times, processor, equal, f"{wanted.rounds} searches of each kind.")


def megabytes(paths: Iterable[Path]) -> float:
    """Return the space that files take on the disk."""
    return sum(path.stat().st_blocks * 512 for path in paths) / 1e6


def say(what: str) -> None:
    print(f"{what} ...", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
