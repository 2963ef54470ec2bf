"""How many different documents of one template are put in one group: `python -m bench.quality.templates`.

Documents of one layout with other contents are drawn, and scanned or sent like those of `bench.negatives`. They are
stored in the local run one after another, each template in a collection of its own, so that each document is compared
with all earlier ones of its template. Last comes a cropped copy of one of them, which must be grouped with it.
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
from bench.quality.alterations import altered
from bench.quality.local_run import local_run
from shared.vision.decode.decoding import decode_in_process

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
COPY: Final = "cropped by 10 %"


def draw(kind: str, seed: int, folder: Path) -> tuple[list[Path], Path]:
    """Draw the documents of a template, and a copy of the first one; return their files."""
    style = [seed, *kind.encode()]
    rng = np.random.default_rng([*style, 99])
    drawn = [DRAWN[kind](Style(style), Content([*style, number])) for number in range(DOCUMENTS)]
    files = {f"{number}.jpg": finished(rgb, kind, rng) for number, rgb in enumerate(drawn)}
    files["copy.jpg"] = altered(decode_in_process(files["0.jpg"]).rgb, COPY, seed, 0)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    *documents, copy = (folder / name for name in files)
    return documents, copy


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
        "| seed | documents | pairs of one template | of them in one group | copies with their original |",
        "|---|---|---|---|---|",
    ]
    wrong: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder, local_run(wanted.model_dir) as run:
        for seed in wanted.seeds:
            same = copies = 0
            for kind in TEMPLATES:
                collection = f"{seed}-{TEMPLATES.index(kind)}"
                documents, copy = draw(kind, seed, Path(folder))
                ids = [run.add([path], collection)[path] for path in (*documents, copy)]
                pairs = {frozenset(pair) for group in run.groups(collection) for pair in combinations(group, 2)}
                copies += frozenset((ids[0], ids[-1])) in pairs
                together = sum(frozenset(pair) in pairs for pair in combinations(ids[:-1], 2))
                same += together
                wrong.update({kind: together} if together else {})
            counted = len(TEMPLATES) * comb(DOCUMENTS, 2)
            lines.append(
                f"| {seed} | {len(TEMPLATES) * DOCUMENTS} | {counted} | {same} | {copies} of {len(TEMPLATES)} |"
            )
    if wrong:
        lines += ["", "In one group: " + ", ".join(f"{kind} {count}" for kind, count in wrong.most_common())]
    wanted.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(wanted.out.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
