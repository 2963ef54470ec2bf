"""How often a pair has one verdict, whichever way one asks: `python -m bench.through_api.symmetry FOLDER`.

The pairs are those of `bench.negatives`, and pairs of photographs that have nothing to do with each other. All images
are stored in one collection of the local run. Each pair is compared as files, and as stored images in the other order;
some are also compared mixed, and searched for among all images, by file and as stored. A search shows the nearest only,
so an image that it does not show must be `similar` or `unrelated`.
"""

import argparse
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tqdm import tqdm

from bench.negatives.kinds import Pair, made
from bench.quality.collection import images
from bench.through_api.local_run import LocalRun, Query, local_run
from shared.domain.ledger import ImageKey
from shared.domain.matches import SAFE_TO_ACT_ON, Effort, Verdict
from shared.search.description import Description, describe
from shared.vision.embedding import Embedder

SEED: Final = 20261202
COLLECTION: Final = "pairs"
SHOWN: Final = 50
WRITTEN_EVERY: Final = 10
"""Number of pairs after which the results so far are written."""
NOT_SHOWN: Final = "not shown"
FARTHER: Final = (Verdict.SIMILAR, Verdict.UNRELATED)


@dataclass(frozen=True, slots=True)
class Stored:
    """A pair of images with their ids."""

    kind: str
    files: tuple[bytes, bytes]
    ids: tuple[str, str]


Way = Callable[[LocalRun, Stored], str]


def compared(a: str, b: str) -> Way:
    """Return a comparison of two sides of a pair, each of which is named `file 0`, `id 1` and so on."""

    def side(pair: Stored, name: str) -> Query:
        kind, place = name.split()
        return pair.files[int(place)] if kind == "file" else pair.ids[int(place)]

    return lambda run, pair: str(run.compare(side(pair, a), side(pair, b))["verdict"])


def searched(by: str, place: int, effort: Effort) -> Way:
    """Return a search by one image of a pair, which says the verdict of the other one."""

    def way(run: LocalRun, pair: Stored) -> str:
        query = pair.files[place] if by == "file" else pair.ids[place]
        matches = run.search(query, collection=COLLECTION, k=SHOWN, effort=effort.value)
        said = {match["image_id"]: str(match["verdict"]) for match in matches}
        return said.get(pair.ids[1 - place], NOT_SHOWN)

    return way


COMPARISONS: Final[Mapping[str, Way]] = {
    "compare file a with file b": compared("file 0", "file 1"),
    "compare id b with id a": compared("id 1", "id 0"),
}
"""Ways that every pair is asked in."""
FURTHER: Final[Mapping[str, Way]] = {
    "compare file b with file a": compared("file 1", "file 0"),
    "compare id a with id b": compared("id 0", "id 1"),
    "compare file a with id b": compared("file 0", "id 1"),
    "compare file b with id a": compared("file 1", "id 0"),
    **{f"search by file a, {effort}": searched("file", 0, effort) for effort in Effort},
    "search by file b, balanced": searched("file", 1, Effort.BALANCED),
    "similar to a, balanced": searched("id", 0, Effort.BALANCED),
    "similar to b, balanced": searched("id", 1, Effort.BALANCED),
}


def pairs(count: int, folder: Path) -> Iterator[Pair]:
    """Yield nine tenths of the pairs by the kinds of `bench.negatives`, and one of strangers after each nine."""
    drawn = (draw() for draw in made(count, SEED, folder))
    photographs = (path.read_bytes() for path, _ in images(folder))
    for number in range(count):
        if number % 10 == 9:
            yield Pair("strangers", "different", next(photographs), next(photographs))
        else:
            yield next(drawn)


def described(drawn: Iterable[Pair], embedder: Embedder) -> tuple[list[Stored], list[Description]]:
    """Describe the images of all pairs, each once; leave out pairs of equal files."""
    stored: list[Stored] = []
    found: dict[str, Description] = {}
    for pair in tqdm(drawn, desc="describing", unit="pair"):
        if pair.a == pair.b:
            continue
        keys = [ImageKey(COLLECTION, hashlib.sha256(data).hexdigest()) for data in (pair.a, pair.b)]
        for key, data in zip(keys, (pair.a, pair.b), strict=True):
            if key.image_id not in found:
                found[key.image_id] = describe(data, key, embedder, created_at="2026-11-28", filename=pair.kind)
        stored.append(Stored(pair.kind, (pair.a, pair.b), (keys[0].image_id, keys[1].image_id)))
    return stored, list(found.values())


def equal(said: str, expected: str) -> bool:
    return said == expected or (said == NOT_SHOWN and expected in FARTHER)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.through_api.symmetry", description=__doc__)
    parser.add_argument("folder", type=Path, help="photographs, each of another subject")
    parser.add_argument("--model-dir", type=Path, default=Path(".build/model"))
    parser.add_argument("--pairs", type=int, default=500)
    parser.add_argument("--every", type=int, default=5, help="ask in all ways for every pair of so many")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("bench/results/symmetry.md"))
    wanted = parser.parse_args()
    stored, all_images = described(pairs(wanted.pairs, wanted.folder), Embedder(wanted.model_dir))
    with local_run(wanted.model_dir, all_images) as run:

        def ask(place: int) -> dict[str, str]:
            ways = COMPARISONS if place % wanted.every else {**COMPARISONS, **FURTHER}
            return {name: way(run, stored[place]) for name, way in ways.items()}

        said: list[dict[str, str]] = []
        with ThreadPoolExecutor(wanted.threads) as threads:
            for answers in tqdm(threads.map(ask, range(len(stored))), total=len(stored), unit="pair"):
                said.append(answers)
                if len(said) % WRITTEN_EVERY == 0 or len(said) == len(stored):
                    wanted.out.write_text(markdown(stored[: len(said)], said), encoding="utf-8")
    print(wanted.out.read_text(encoding="utf-8"))


def markdown(stored: list[Stored], said: list[dict[str, str]]) -> str:
    """Format how often each way has the verdict of the first one, and the pairs that have several."""
    first = [next(iter(answers.values())) for answers in said]
    counts = Counter(first)
    alike = [
        all(equal(one, expected) for one in answers.values()) for answers, expected in zip(said, first, strict=True)
    ]
    ways = {name: [place for place, answers in enumerate(said) if name in answers] for name in said[0]}
    lines = [
        "# One verdict, whichever way one asks",
        "",
        f"- pairs: {len(stored)}: "
        + ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict if counts[verdict]),
        f"- images: {len({one for pair in stored for one in pair.ids})} in one collection of the local run",
        f"- seed: {SEED}",
        "- made by: `python -m bench.through_api.symmetry FOLDER`",
        "",
        f"**{sum(alike)} of {len(stored)} pairs ({sum(alike) / len(stored):.3f}) have one verdict, whichever way.**",
        "",
        "| way | pairs | the verdict of the first way | of them not shown |",
        "|---|---|---|---|",
    ]
    for name, places in ways.items():
        same = sum(equal(said[place][name], first[place]) for place in places)
        hidden = sum(said[place][name] == NOT_SHOWN and first[place] in FARTHER for place in places)
        lines.append(f"| {name} | {len(places)} | {same / len(places):.3f} | {hidden} |")
    acted_on = sum(len({one in SAFE_TO_ACT_ON for one in answers.values()}) > 1 for answers in said)
    lines += ["", f"Pairs that some ways call copies, and others do not: {acted_on}."]
    if not all(alike):
        lines += ["", "| pair | the first way | others |", "|---|---|---|"]
        for pair, answers, expected in zip(stored, said, first, strict=True):
            others = [f"{name}: {one}" for name, one in answers.items() if not equal(one, expected)]
            if others:
                lines.append(f"| {pair.kind} | {expected} | {'; '.join(others)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
