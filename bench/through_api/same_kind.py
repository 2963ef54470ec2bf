"""How often another image of the same kind of thing comes first: `python -m bench.through_api.same_kind KINDS`.

KINDS has a sub-folder of photographs for each kind of thing. They are stored in the local run; then images drawn from
them are searched for with `similar`, by the default ranking and by cosine alone. Every other kind is left out, because
`bench.training.fit_look_alikes` fits the worth of labels to it.
"""

import argparse
from collections import Counter, defaultdict
from pathlib import Path
from typing import Final

import numpy as np
from tqdm import tqdm

from bench.quality.collection import SEED
from bench.through_api.local_run import local_run
from shared.domain.matches import Ranking
from shared.vision.embedding import Embedder

COLLECTION: Final = "kinds"
SHOWN: Final = 5
RANKINGS: Final = (Ranking.FUSED, Ranking.COSINE)


def held_out(folder: Path, count: int) -> dict[Path, str]:
    """Return the photographs of every other kind, up to `count` kinds, each with its kind."""
    kinds = sorted(path for path in folder.iterdir() if path.is_dir())[1::2][:count]
    return {path: kind.name for kind in kinds for path in sorted(kind.iterdir())}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.through_api.same_kind", description=__doc__)
    parser.add_argument("folder", type=Path, help="a sub-folder of photographs for each kind of thing")
    parser.add_argument("--model-dir", type=Path, default=Path(".build/model"))
    parser.add_argument("--kinds", type=int, default=100, help="number of kinds that are stored")
    parser.add_argument("--queries", type=int, default=200, help="number of images that are searched for")
    parser.add_argument("--out", type=Path, default=Path("bench/results/same_kind.md"))
    wanted = parser.parse_args()
    kinds = held_out(wanted.folder, wanted.kinds)
    first: Counter[Ranking] = Counter()
    shown: Counter[Ranking] = Counter()
    said: dict[Ranking, Counter[str]] = defaultdict(Counter)
    scores: list[float] = []
    with local_run(wanted.model_dir) as run:
        kind_of = {image_id: kinds[path] for path, image_id in run.add(list(kinds), COLLECTION).items()}
        order = np.random.default_rng(SEED).permutation(sorted(kind_of))[: wanted.queries].tolist()
        for image_id in tqdm(order, unit="image"):
            for ranking in RANKINGS:
                matches = run.search(image_id, collection=COLLECTION, k=SHOWN, ranking=ranking.value)
                right = [kind_of[match["image_id"]] == kind_of[image_id] for match in matches]
                first[ranking] += right[0]
                shown[ranking] += sum(right)
                said[ranking][matches[0]["verdict"]] += 1
                if ranking is Ranking.FUSED:
                    scores.append(matches[0]["score"])
    lines = [
        "# Another image of the same kind of thing",
        "",
        f"- photographs: {len(kind_of)} of {len(set(kinds.values()))} kinds, of which {len(order)} are searched for",
        f"- model: {Embedder(wanted.model_dir).model_id}",
        f"- seed: {SEED}",
        "- made by: `python -m bench.through_api.same_kind KINDS`",
        "",
        "| ranking | one of the kind first | share of the first five | verdicts of the first |",
        "|---|---|---|---|",
    ]
    for ranking in RANKINGS:
        verdicts = ", ".join(f"{verdict} {count}" for verdict, count in said[ranking].most_common())
        shares = f"{first[ranking] / len(order):.3f} | {shown[ranking] / len(order) / SHOWN:.3f}"
        lines.append(f"| `{ranking}` | {shares} | {verdicts} |")
    low, middle, high = np.quantile(scores, [0.1, 0.5, 0.9])
    lines += ["", f"Scores of the first, `fused`: median {middle:.2f}, 80 % of them {low:.2f} to {high:.2f}."]
    wanted.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(wanted.out.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
