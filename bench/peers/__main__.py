"""Find all near-duplicates in a folder of copies with PicTrace, and with the tools that people use instead.

    python -m bench.peers FOLDER [--images 5000] [--write]

FOLDER has photographs. Each gets altered copies in 29 alterations of the quality bench, so the right groups are
known. The tools take turns in one run, each in a process of its own. `--write` writes to bench/results/peers.md.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from itertools import combinations
from pathlib import Path
from typing import Any, Final

from bench.peers import report
from bench.peers.made import Made, make
from bench.peers.memory import peak_of
from bench.peers.report import Outcome
from bench.speed.runtime_api import ROOT
from bench.through_api.local_run import local_run
from infra.local import seed

PEERS: Final = ("imagededup", "imagehash", "difpy", "faiss", "qdrant")


def peer(name: str, made: Made, queries: Path, model_dir: Path) -> Outcome:
    """Run another tool over the folder.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    out = queries.parent / f"{name}.json"
    arguments = map(str, (made.folder, queries, model_dir, out))
    command = [sys.executable, "-m", "bench.peers.tools", name, *arguments]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    with peak_of(process.pid) as peak:
        code = process.wait()
    if code != 0:
        raise subprocess.CalledProcessError(code, command)
    found: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    pairs = {(a, b): distance for a, b, distance in found["pairs"]}
    times, first = found.get("milliseconds", []), found.get("first", [])
    return Outcome(found.get("stored"), found["seconds"], peak.megabytes, pairs, times, first)


def ours(made: Made, queries: Path, model_dir: Path) -> Outcome:
    """Add the folder to a local run over HTTP, read its groups, and search."""
    with local_run(model_dir) as running, peak_of(os.getpid(), own=False) as peak:
        started = time.perf_counter()
        ids = {image: path.name for path, image in running.add(sorted(made.folder.iterdir()), "peers").items()}
        groups = running.groups("peers")
        seconds = time.perf_counter() - started
        pairs = {pair: 0.0 for group in groups for pair in combinations(sorted(ids[one] for one in group), 2)}
        times, first = [], []
        for path in sorted(queries.iterdir()):
            asked = time.perf_counter()
            matches = running.search(path.read_bytes(), collection="peers")
            times.append((time.perf_counter() - asked) * 1000)
            first.append(ids[matches[0]["image_id"]] if matches else "")
    return Outcome(seconds, seconds, peak.megabytes, pairs, times, first)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description=__doc__)
    parser.add_argument("photographs", type=Path, metavar="FOLDER", help="folder of JPEGs")
    parser.add_argument("--images", type=int, default=5_000, help="photographs and copies in all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tools", nargs="+", choices=PEERS, default=PEERS, help="the tools beside ours")
    parser.add_argument("--model-dir", type=Path, default=ROOT / ".build" / "model", help="the exported model")
    parser.add_argument("--write", action="store_true", help="write to bench/results/peers.md, too")
    wanted = parser.parse_args(argv)
    photographs = seed.list_files(wanted.photographs)
    with tempfile.TemporaryDirectory() as path:
        work = Path(path)
        made = make(photographs, work / "images", wanted.images, wanted.seed)
        queries = work / "queries"
        queries.mkdir()
        for at, (data, _) in enumerate(made.queries):
            (queries / f"{at:04}.jpg").write_bytes(data)
        outcomes = {"PicTrace": ours(made, queries, wanted.model_dir)}
        for name in wanted.tools:
            print(f"{name} ...", file=sys.stderr)
            outcomes[name] = peer(name, made, queries, wanted.model_dir)
    lines = report.page(outcomes, made)
    print("\n".join(lines))
    if wanted.write:
        report.PAGE.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
