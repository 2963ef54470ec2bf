"""How many different documents of one template are put in one group: `python -m bench.quality.templates`.

Documents of one layout with other contents are drawn, scanned or sent like those of `bench.negatives`, and stored in
the local run, in an order that mixes the templates. Every image is compared on arrival and once more; then the groups
of near-duplicates are listed.
"""

import argparse
import tempfile
from collections import Counter
from itertools import combinations
from math import comb
from pathlib import Path
from typing import Final

import numpy as np

from bench.negatives.canvas import Content, Style
from bench.negatives.kinds import DRAWN, finished
from bench.quality.local_run import local_run

TEMPLATES: Final = (
    "invoice",
    "receipt",
    "form",
    "letter",
    "ticket",
    "business card",
    "identity card",
    "table",
    "calendar",
    "text page",
    "chat",
    "app screen",
    "dashboard",
    "slide",
    "bar chart",
)
DOCUMENTS: Final = 5
SEEDS: Final = (20261128, 20261130)


def draw(seed: int, folder: Path) -> dict[Path, str]:
    """Draw the documents of a seed; return the template of each file, in the order of their arrival."""
    found = {}
    for kind in TEMPLATES:
        style = [seed, *kind.encode()]
        rng = np.random.default_rng([*style, 99])
        for number in range(DOCUMENTS):
            path = folder / f"{seed} {kind} {number}.jpg"
            path.write_bytes(finished(DRAWN[kind](Style(style), Content([*style, number])), kind, rng))
            found[path] = f"{seed} {kind}"
    paths = [list(found)[place] for place in np.random.default_rng(seed).permutation(len(found))]
    return {path: found[path] for path in paths}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.quality.templates", description=__doc__)
    parser.add_argument("--model-dir", type=Path, default=Path(".build/model"))
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    parser.add_argument("--out", type=Path, default=Path("bench/results/templates.md"))
    wanted = parser.parse_args()
    lines = [
        "# Different documents of one template",
        "",
        f"- documents: {DOCUMENTS} of each of {len(TEMPLATES)} templates, by each seed",
        "- made by: `python -m bench.quality.templates`",
        "",
        "| seed | documents | pairs of one template | of them in one group | other pairs in one group |",
        "|---|---|---|---|---|",
    ]
    wrong: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder, local_run(wanted.model_dir) as run:
        for seed in wanted.seeds:
            drawn = draw(seed, Path(folder))
            templates = {image_id: drawn[path] for path, image_id in run.add(list(drawn), f"seed-{seed}").items()}
            pairs = [pair for group in run.groups(f"seed-{seed}") for pair in combinations(group, 2)]
            same = [templates[a] for a, b in pairs if templates[a] == templates[b]]
            wrong.update(same)
            count = len(TEMPLATES) * comb(DOCUMENTS, 2)
            lines.append(f"| {seed} | {len(drawn)} | {count} | {len(same)} | {len(pairs) - len(same)} |")
    if wrong:
        lines += ["", "In one group: " + ", ".join(f"{kind} {count}" for kind, count in wrong.most_common())]
    wanted.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(wanted.out.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
