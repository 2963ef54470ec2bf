"""How often copies with little left of them find their originals: `python -m bench.quality.hard FOLDER`."""

import argparse
from collections import Counter, defaultdict
from pathlib import Path
from typing import Final

from tqdm import tqdm

from bench.quality.alterations import HARD, altered
from bench.quality.collection import NAME, SEED, Memory, images, indexed
from shared.domain.matches import Effort, Ranking
from shared.search.request import SearchRequest
from shared.search.timings import Stopwatch
from shared.vision.decode.decoders import decode_in_process
from shared.vision.embedding import Embedder
from shared.vision.opencv import cv2

SHOWN: Final = 5


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.quality.hard", description=__doc__)
    parser.add_argument("folder", type=Path, help="photographs, each of another subject")
    parser.add_argument("--model-dir", type=Path, default=Path(".build/model"))
    parser.add_argument("--queries", type=int, default=20, help="number of images that are altered and searched for")
    parser.add_argument("--effort", type=Effort, choices=Effort, default=Effort.BALANCED)
    parser.add_argument("--out", type=Path, default=Path("bench/results/hard.md"))
    wanted = parser.parse_args()
    cv2.setNumThreads(1)
    embedder = Embedder(wanted.model_dir, threads=1)
    originals = indexed(images(wanted.folder), embedder)
    searcher = Memory(originals, embedder.model_id).searcher(embedder)
    request = SearchRequest(collection=NAME, k=SHOWN, ranking=Ranking.FUSED, effort=wanted.effort)
    first: Counter[str] = Counter()
    shown: Counter[str] = Counter()
    gathered: Counter[str] = Counter()
    said: dict[str, Counter[str]] = defaultdict(Counter)
    queries = tqdm(originals[: wanted.queries], desc="asking", unit="image")
    for asked, original in enumerate(queries, 1):
        rgb = decode_in_process(original.path.read_bytes()).rgb
        for name in HARD:
            query = searcher.describe(altered(rgb, name, SEED, asked - 1), Stopwatch())
            answer = searcher.search(query, request, Stopwatch())
            ids = [match.record.image_id for match in answer.matches]
            first[name] += ids[:1] == [original.image_id]
            shown[name] += original.image_id in ids
            gathered[name] += original.image_id in answer.candidate_ids[:64]
            if ids[:1] == [original.image_id]:
                said[name][answer.matches[0].comparison.verdict] += 1
        lines = [
            "# Copies with little left of them",
            "",
            f"- images: {len(originals)}, of which {asked} are altered and asked for, in {len(HARD)} ways",
            f"- model: {embedder.model_id}",
            f"- effort: {wanted.effort}",
            f"- seed: {SEED}",
            "- made by: `python -m bench.quality.hard FOLDER`",
            "",
            f"| alteration | R@1 | R@{SHOWN} | among the first 64 candidates | verdicts of those that are first |",
            "|---|---|---|---|---|",
        ]
        for name in HARD:
            verdicts = ", ".join(f"{verdict} {count}" for verdict, count in said[name].most_common())
            shares = " | ".join(f"{count[name] / asked:.2f}" for count in (first, shown, gathered))
            lines.append(f"| {name} | {shares} | {verdicts} |")
        means = " | ".join(f"{count.total() / asked / len(HARD):.2f}" for count in (first, shown, gathered))
        lines.append(f"| **mean** | {means} | |")
        wanted.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(wanted.out.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
