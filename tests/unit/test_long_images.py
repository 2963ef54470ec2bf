"""Panoramas and scrolling screenshots are found by their parts."""

import numpy as np

from shared.domain.features import FEATURE_DIMENSIONS, normalise
from shared.domain.matches import Ranking, Verdict
from shared.search.searcher import SearchRequest
from shared.search.timings import Stopwatch
from shared.vision.embedding import Embedding
from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels
from tests.images import encoded, pixels
from tests.unit.test_logos import searcher_of

NAMES = ("coffee.png", "chelsea.png", "astronaut.png", "rocket.jpg", "motorcycle_left.png", "coins.png")


class Network:
    """In place of the network: no two images have near features."""

    model_id = "m"

    def embed(self, rgb: Pixels) -> Embedding:
        random = np.random.default_rng(int(rgb.sum()))
        return Embedding(normalise(random.normal(size=FEATURE_DIMENSIONS).astype(np.float32)), ())


def panorama(names: tuple[str, ...]) -> Pixels:
    parts = [cv2.resize(pixels(name), (800, 300), interpolation=cv2.INTER_AREA) for name in names]
    return np.ascontiguousarray(np.hstack(parts), dtype=np.uint8)


def test_a_panorama_of_sixteen_to_one_is_found_by_its_parts() -> None:
    whole = panorama(NAMES)
    stored = {"whole": encoded(whole, ".jpg"), "other": encoded(panorama(NAMES[3:]), ".jpg")}
    searcher, _ = searcher_of(stored, Network())
    wanted = SearchRequest(collection="bench", k=5, ranking=Ranking.FUSED)
    for left in (0, 800):
        query = searcher.describe(encoded(whole[:, left : left + 800], ".jpg"), Stopwatch())
        first, *_ = searcher.search(query, wanted, Stopwatch()).matches
        assert (first.record.filename, first.comparison.verdict) == ("whole", Verdict.NEAR_DUPLICATE)
        assert first.comparison.overlap is not None
        assert first.comparison.overlap[1] < 0.2
