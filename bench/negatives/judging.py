"""Judge one pair by the search, PDQ and pHash."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import imagehash
import numpy as np
import pdqhash
from PIL import Image

from bench.negatives.kinds import Pair
from bench.quality.collection import Memory
from shared.domain.matches import Ranking, Verdict
from shared.search.searcher import Searcher
from shared.search.timings import Stopwatch
from shared.vision.decode.decoders import decode_in_process
from shared.vision.embedding import Embedder
from shared.vision.pixels import Pixels

PDQ_BITS: Final = 31
"""Of 256. ThreatExchange, hashing/hashing.pdf: a distance of 31 or less is a match."""
PHASH_BITS: Final = 10
"""Of 64. C. Zauner's benchmark and imagehash's examples put the threshold near this value."""


@dataclass(frozen=True, slots=True)
class Judged:
    kind: str
    group: str
    verdict: Verdict
    score: float
    pdq: bool
    phash: bool


@cache
def _searcher(model_dir: Path) -> Searcher:
    embedder = Embedder(model_dir)
    return Memory([], embedder.model_id).searcher(embedder)


def judge(drawn: Callable[[], Pair], model_dir: Path) -> Judged:
    pair = drawn()
    searcher, watch = _searcher(model_dir), Stopwatch()
    said = searcher.compare(searcher.describe(pair.a, watch), searcher.describe(pair.b, watch), Ranking.FUSED)
    pixels = [decode_in_process(data).rgb for data in (pair.a, pair.b)]
    return Judged(pair.kind, pair.group, said.verdict, said.score, _pdq(*pixels), _phash(*pixels))


def _pdq(a: Pixels, b: Pixels) -> bool:
    return int(np.count_nonzero(pdqhash.compute(a)[0] != pdqhash.compute(b)[0])) <= PDQ_BITS


def _phash(a: Pixels, b: Pixels) -> bool:
    x, y = (imagehash.phash(Image.fromarray(rgb)) for rgb in (a, b))
    return bool(x - y <= PHASH_BITS)
