"""The page bench/results/peers.md."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Final

from bench.peers.made import Made
from bench.peers.pairs import Pair, best, measured
from bench.speed.runtime_api import ROOT

PAGE: Final = ROOT / "bench" / "results" / "peers.md"
PRECISION: Final = 0.99
LABELS: Final = {
    "PicTrace": "PicTrace, over HTTP",
    "imagededup": "imagededup, PHash",
    "imagehash": "imagehash's phash, BK-tree",
    "difpy": "difPy",
    "faiss": "the same network, FAISS",
    "qdrant": "the same network, Qdrant in memory",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a tool did with the folder.

    Attributes:
        stored: seconds until every image could be searched for; None for a tool that does not search.
        seconds: seconds until all pairs were known; None for a tool that does not look for them.
        megabytes: most resident memory of all of its processes.
        milliseconds: of each search; `first` has the first file of each answer.
    """

    stored: float | None
    seconds: float | None
    megabytes: float
    pairs: Mapping[Pair, float]
    milliseconds: list[float] = field(default_factory=list)
    first: list[str] = field(default_factory=list)


def page(outcomes: Mapping[str, Outcome], made: Made) -> list[str]:
    """Return the lines of the page."""
    names = sorted(made.groups)
    images, groups = len(names), len(set(made.groups.values()))
    day = dt.datetime.now(dt.UTC).date()
    return [
        "# Beside the tools that people use instead",
        "",
        f"`python -m bench.peers` wrote this on {day}: {images:,} files, which are {groups} photographs and altered",
        "copies of them, from JPEG 75 to a screenshot. A pair is right if both files come from one photograph.",
        "All tools ran in one run, one after the other, each in processes of its own.",
        "",
        "## All near-duplicates",
        "",
        "Recall is that at the threshold of the tool's own distance where it is highest with a precision of at least",
        "0.99; PicTrace has no threshold to choose.",
        "",
        "| tool | precision | recall | at a distance of | seconds | MB |",
        "|---|---:|---:|---:|---:|---:|",
        *(_pairs(name, outcome, made) for name, outcome in outcomes.items() if outcome.seconds is not None),
        "",
        "## Adding and searching",
        "",
        f"{len(made.queries)} searches by another altered copy of a stored photograph, one after the other.",
        "",
        "| tool | images added a second | a file of the photograph first | ms of a search, median |",
        "|---|---:|---:|---:|",
        *(_searches(name, outcome, made) for name, outcome in outcomes.items() if outcome.first),
    ]


def _pairs(name: str, outcome: Outcome, made: Made) -> str:
    quality = (
        measured(outcome.pairs, made.groups, None)
        if name == "PicTrace"
        else best(outcome.pairs, made.groups, PRECISION)
    )
    threshold = "" if quality.threshold is None else f"{quality.threshold:.3g}"
    cells = [f"{quality.precision:.4f}", f"{quality.recall:.3f}", threshold]
    return _row([LABELS[name], *cells, f"{outcome.seconds:.0f}", f"{outcome.megabytes:,.0f}"])


def _searches(name: str, outcome: Outcome, made: Made) -> str:
    right = sum(
        made.groups.get(first) == group for first, (_, group) in zip(outcome.first, made.queries, strict=True)
    ) / len(made.queries)
    rate = len(made.groups) / outcome.stored if outcome.stored else 0.0
    return _row([LABELS[name], f"{rate:.1f}", f"{right:.3f}", f"{median(outcome.milliseconds):.0f}"])


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
