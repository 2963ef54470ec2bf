"""How often different things of one kind are called near-duplicates: `make bench-negatives` (DATA=folder).

Pairs of documents, charts, screens, codes and products are drawn by code, with different contents in one template.
Bursts, memes and copies are made from photographs, of a folder or of scikit-image's wheel. Each pair is compared as
`/v1/compare` does. PDQ and pHash count as `near-duplicate` at the distances that their authors recommend.
"""

import argparse
from collections import Counter, defaultdict
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

from tqdm import tqdm

from bench.negatives.judging import PDQ_BITS, PHASH_BITS, Judged, judge
from bench.negatives.kinds import made
from shared.vision.embedding import Embedder

SEED: Final = 20261128
TITLES: Final = {
    "different": "Different things of one kind",
    "changed": "One base, a part of it changed",
    "scans": "One document, scanned twice",
    "plain": "Plain copies of photographs",
    "plain, drawn": "Plain copies of documents, charts and screens",
    "dressed": "Copies of photographs with captions, borders, stickers, inside others",
    "dressed, drawn": "The same of documents, charts and screens",
    "degraded": "Degraded copies of photographs",
}


def judged(count: int, seed: int, folder: Path | None, model_dir: Path, processes: int) -> Iterable[Judged]:
    pairs = list(made(count, seed, folder))
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield from tqdm(pool.map(judge, pairs, [model_dir] * len(pairs), chunksize=4), total=len(pairs), unit="pair")


def markdown(found: Iterable[Judged], about: dict[str, str]) -> str:
    """Format a table for each group: the share of pairs of each kind by verdict."""
    by: dict[str, dict[str, list[Judged]]] = defaultdict(lambda: defaultdict(list))
    for one in found:
        by[one.group][one.kind].append(one)
    lines = ["# Different things of one kind, and copies", ""]
    lines += [f"- {name}: {value}" for name, value in about.items()]
    for group, title in TITLES.items():
        kinds = by.get(group, {})
        lines += [
            "",
            f"## {title}",
            "",
            "| kind | pairs | near-duplicate | variant | similar | unrelated | PDQ | pHash |",
        ]
        lines += ["|---|---|---|---|---|---|---|---|"]
        lines += [_row(kind, entries) for kind, entries in kinds.items()]
        lines += [_row("**all**", [one for entries in kinds.values() for one in entries])]
    return "\n".join(lines) + "\n"


def _row(kind: str, entries: list[Judged]) -> str:
    said: Counter[Any] = Counter(one.verdict.value for one in entries)
    near = said["near-duplicate"] + said["identical"]
    others = sum(one.pdq for one in entries), sum(one.phash for one in entries)
    counts = (near, said["variant"], said["similar"], said["unrelated"], *others)
    shares = " | ".join(f"{count / max(1, len(entries)):.2f}" for count in counts)
    return f"| {kind} | {len(entries)} | {shares} |"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.negatives", description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", help="photographs")
    parser.add_argument("--model-dir", type=Path, default=Path(".build/model"))
    parser.add_argument("--pairs", type=int, default=30, help="pairs of each kind")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("bench/results"))
    wanted = parser.parse_args()
    found = list(judged(wanted.pairs, wanted.seed, wanted.folder, wanted.model_dir, wanted.processes))
    about = {
        "pairs": f"{len(found)}, {wanted.pairs} of each kind; photographs of "
        + ("a folder" if wanted.folder else "scikit-image"),
        "model": Embedder(wanted.model_dir).model_id,
        "seed": str(wanted.seed),
        "peers": f"PDQ: at most {PDQ_BITS} of 256 bits differ; pHash: at most {PHASH_BITS} of 64",
        "made by": "make bench-negatives",
    }
    wanted.out.mkdir(parents=True, exist_ok=True)
    (wanted.out / "negatives.md").write_text(markdown(found, about), encoding="utf-8")
    print((wanted.out / "negatives.md").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
