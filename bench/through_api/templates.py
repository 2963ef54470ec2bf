"""How many different documents of one template are put in one group: `python -m bench.through_api.templates`.

Documents of one layout with other contents are drawn, and scanned or sent like those of `bench.negatives`. They are
stored in the local run one after another, each template in a collection of its own, so that each document is compared
with all earlier ones of its template. Last comes a cropped copy of one of them, which must be grouped with it.
"""

import argparse
import tempfile
from collections.abc import Mapping, Sequence, Set
from dataclasses import astuple, dataclass
from itertools import combinations, product
from pathlib import Path
from typing import Final

import numpy as np

from bench.negatives.canvas import Content, Style
from bench.negatives.kinds import DRAWN, finished
from bench.quality.alterations import altered
from bench.through_api.local_run import local_run
from shared.vision.decode.decoders import decode_in_process

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


@dataclass
class Grouped:
    """What was grouped, of the templates of one kind.

    Attributes:
        pairs: of different documents of one template; `together` of them are in one group.
        copies: of documents; `found` of them are in one group with their original.
    """

    pairs: int = 0
    together: int = 0
    copies: int = 0
    found: int = 0

    def add(self, documents: Sequence[str], copy: str, groups: Set[frozenset[str]]) -> None:
        """Count the pairs of one template; `groups` has each pair of images that are in one group."""
        pairs = [frozenset(pair) for pair in combinations(documents, 2)]
        self.pairs += len(pairs)
        self.together += sum(pair in groups for pair in pairs)
        self.copies += 1
        self.found += frozenset((documents[0], copy)) in groups


def markdown(found: Mapping[str, Grouped], seeds: Sequence[int]) -> str:
    """Format a row for each kind of template that has been stored."""
    rows = {kind: one for kind, one in found.items() if one.pairs}
    sums = [sum(counts) for counts in zip(*(astuple(one) for one in rows.values()), strict=True)]
    lines = [
        "# Different documents of one template",
        "",
        f"- documents: {DOCUMENTS} of each template, stored one after another, then a copy ({COPY}) of the first one",
        f"- seeds: {', '.join(map(str, seeds))}",
        "- made by: `python -m bench.through_api.templates`",
        "",
        "| template | pairs of different documents | in one group | copies | with their original |",
        "|---|---|---|---|---|",
        *(f"| {kind} | {one.pairs} | {one.together} | {one.copies} | {one.found} |" for kind, one in rows.items()),
        f"| **all** | {' | '.join(map(str, sums))} |",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.through_api.templates", description=__doc__)
    parser.add_argument("--model-dir", type=Path, default=Path(".build/model"))
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    parser.add_argument("--out", type=Path, default=Path("bench/results/templates.md"))
    wanted = parser.parse_args()
    found = {kind: Grouped() for kind in TEMPLATES}
    with tempfile.TemporaryDirectory() as folder, local_run(wanted.model_dir) as run:
        for number, (seed, kind) in enumerate(product(wanted.seeds, TEMPLATES)):
            documents, copy = draw(kind, seed, Path(folder))
            collection = f"template-{number}"
            ids = [run.add([path], collection)[path] for path in (*documents, copy)]
            together = {frozenset(pair) for group in run.groups(collection) for pair in combinations(group, 2)}
            found[kind].add(ids[:-1], ids[-1], together)
            wanted.out.write_text(markdown(found, wanted.seeds), encoding="utf-8")
    print(wanted.out.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
