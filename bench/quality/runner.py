"""Runs every method on altered copies, and records whether it finds their originals."""

from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final

import numpy as np
from tqdm import tqdm

from bench.quality.alterations import ALTERATIONS, altered
from bench.quality.baselines import QUICK, SLOW, Scores
from bench.quality.collection import NAME, SEED, Memory, Original
from bench.quality.metrics import Answer
from shared.domain.matches import Effort, Ranking, Verdict
from shared.search.request import SearchRequest
from shared.search.timings import Stopwatch
from shared.vision.decode.decoders import decode_in_process
from shared.vision.embedding import Embedder
from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels

EFFORTS: Final = {f"fused, {effort}": effort for effort in Effort}
SHOWN: Final = 10
"""Number of matches requested from a search."""
BALANCED: Final = f"fused, {Effort.BALANCED}"


@dataclass
class Asked:
    """The results of a process.

    Attributes:
        gathered: by alteration and effort, the rank of the first correct image among all candidates, or None.
        verdicts: (alteration, verdict, whether the image is correct) of every match of a balanced search.
        spent: by effort, (milliseconds to find and compare candidates, images compared, bytes examined).
    """

    answers: list[Answer] = field(default_factory=list)
    gathered: dict[tuple[str, str], list[int | None]] = field(default_factory=lambda: defaultdict(list))
    verdicts: list[tuple[str, Verdict, bool]] = field(default_factory=list)
    spent: dict[str, list[tuple[float, int, int]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, other: "Asked") -> None:
        self.answers += other.answers
        self.verdicts += other.verdicts
        for key, places in other.gathered.items():
            self.gathered[key] += places
        for name, costs in other.spent.items():
            self.spent[name] += costs


class Asker:
    """Runs every method on altered copies of one original after another."""

    def __init__(self, originals: Sequence[Original], model_dir: Path, everything: frozenset[int]) -> None:
        """
        Args:
            everything: indices of the originals on whose copies the slow methods and every effort are run too.
        """
        cv2.setNumThreads(1)
        embedder = Embedder(model_dir, threads=1)
        self._originals = originals
        self._everything = everything
        self._searcher = Memory(originals, embedder.model_id).searcher(embedder)
        self._features = np.array([one.described.features for one in originals], np.float64)
        self._pixels = [decode_in_process(one.path.read_bytes()).rgb for one in originals]
        self._quick = {name: make(self._pixels) for name, make in QUICK.items()}
        self._slow = {name: make(self._pixels) for name, make in SLOW.items()} if everything else {}

    def ask(self, place: int) -> Asked:
        group, more = self._originals[place].group, place in self._everything
        right = {other.image_id for other in self._originals if other.group == group}
        found = Asked()
        for name in ALTERATIONS:
            rgb = decode_in_process(altered(self._pixels[place], name, SEED, place)).rgb
            self._search(rgb, name, right, found, more)
            for method, score in {**self._quick, **(self._slow if more else {})}.items():
                found.answers.append(self._whole_order(method, score(rgb), name, right))
        return found

    def _search(self, rgb: Pixels, name: str, right: set[str], found: Asked, more: bool) -> None:
        query = self._searcher.describe_pixels("", rgb, Stopwatch())
        asked = {method: (Ranking.FUSED, effort) for method, effort in EFFORTS.items() if more or method == BALANCED}
        asked |= {"classic": (Ranking.CLASSIC, Effort.BALANCED)} if more else {}
        found.answers.append(self._whole_order("cosine", self._features @ query.features, name, right))
        for method, (ranking, effort) in asked.items():
            watch = Stopwatch()
            answer = self._searcher.search(
                query, SearchRequest(collection=NAME, k=SHOWN, ranking=ranking, effort=effort), watch
            )
            ids = [match.record.image_id for match in answer.matches]
            scores = [match.comparison.score for match in answer.matches]
            found.answers.append(Answer.of(method, name, ids, scores, right))
            if ranking is not Ranking.FUSED:
                continue
            first = next((place for place, one in enumerate(answer.candidate_ids) if one in right), None)
            found.gathered[name, effort].append(first)
            cost = (watch.finish()["total"], answer.candidates, answer.bytes_examined or 0)
            found.spent[effort].append(cost)
            if effort is Effort.BALANCED:
                found.verdicts += [
                    (name, match.comparison.verdict, match.record.image_id in right) for match in answer.matches
                ]

    def _whole_order(self, method: str, scores: Scores, name: str, right: set[str]) -> Answer:
        # Order ties independently of which image is correct.
        shuffled = np.random.default_rng(SEED).permutation(len(scores))
        order = shuffled[np.argsort(-scores[shuffled], kind="stable")]
        ids = [self._originals[place].image_id for place in order]
        return Answer.of(method, name, ids, [float(scores[place]) for place in order], right)


_ASKERS: list[Asker] = []


def _prepare(*arguments: Any) -> None:
    _ASKERS[:] = [Asker(*arguments)]


def _ask(place: int) -> Asked:
    return _ASKERS[0].ask(place)


def asked(
    originals: Sequence[Original], model_dir: Path, queries: int, everything: int, processes: int
) -> Iterator[Asked]:
    """Yield all results so far, growing each time, for altered copies of the first `queries` originals.

    Of the first `everything` all methods are asked, by this process, which then helps the others with the rest.
    """
    whole = Asked()
    chosen = deque(range(min(everything, queries)))
    rest = deque(range(len(chosen), queries))
    others = max(1, processes - 1)
    answered: SimpleQueue[Future[Asked]] = SimpleQueue()
    with (
        ProcessPoolExecutor(others, get_context("spawn"), _prepare, (originals, model_dir, frozenset())) as pool,
        tqdm(total=queries, desc="asking", unit="image") as progress,
    ):

        def ask_another(done: Future[Asked] | None = None) -> None:
            if done is not None:
                answered.put(done)
            with suppress(IndexError):  # this process may have taken the last
                pool.submit(_ask, rest.popleft()).add_done_callback(ask_another)

        for _ in range(2 * others):
            ask_another()
        here = Asker(originals, model_dir, frozenset(chosen))
        while progress.n < queries:
            found = []
            with suppress(IndexError):
                found.append(here.ask(chosen.popleft() if chosen else rest.pop()))
            while not found or not answered.empty():
                found.append(answered.get().result())
            for one in found:
                whole.add(one)
                progress.update()
                yield whole
