"""The model with int8 weights compared with the float model: how much faster it is, and what a search loses."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from bench.quality.alterations import ALTERATIONS, altered
from bench.quality.collection import NAME, SEED, Memory, Original, key_of
from bench.speed.report import Floor, Part
from bench.speed.runtime_api import ROOT
from bench.speed.timing import side_by_side
from layers.models.conversion import Precision
from layers.models.networks import DEFAULT
from shared.domain.features import cosine
from shared.domain.matches import Ranking
from shared.search.description import describe
from shared.search.request import SearchRequest
from shared.search.timings import Stopwatch
from shared.vision.decode.decoders import decode_in_process
from shared.vision.embedding import SIDE, Embedder
from shared.vision.pixels import Pixels
from shared.vision.resizing import resize_square

IN_A_ROW: Final = 4
TIMES: Final = 2.0
BY_COSINE: Final = 24
"""Number of images whose altered copies, one for each alteration, are searched for by features alone."""
FUSED: Final = 6
"""Number of those that are also searched for by a whole search, which takes longer."""


def measure(model_dir: Path, images: list[bytes], rounds: int, alterations: Sequence[str] = tuple(ALTERATIONS)) -> Part:
    """Describe the images with both models, and search for the originals of the same altered copies."""
    int8_dir = exported(model_dir.with_name(f"{model_dir.name}-int8"))
    squares = [resize_square(decode_in_process(data).rgb, SIDE) for data in images]
    ours, int8 = Embedder(model_dir, threads=1), Embedder(int8_dir, threads=1)
    taken = side_by_side({"ours": ours.embed, "int8": int8.embed}, squares, rounds=rounds, in_a_row=IN_A_ROW)
    times = taken["ours"] / taken["int8"]
    alike = [cosine(ours.embed(square).features, int8.embed(square).features) for square in squares]
    found = {embedder.model_id: _found(images, embedder, alterations) for embedder in (ours, int8)}
    rows = [
        (embedder.model_id, f"{taken[name]:.1f}", f"{taken['ours'] / taken[name]:.2f}", near, *shares)
        for name, embedder, near in (("ours", ours, "1"), ("int8", int8, f"{min(alike):.5f}"))
        for shares in [[f"{share:.3f}" for share in found[embedder.model_id]]]
    ]
    return Part(
        "The model with int8 weights",
        ("model", "ms an image", "times as fast", "least cosine to ours", "R@1, cosine", "R@1, fused"),
        rows,
        [Floor("int8 weights against our float model", f"at least {TIMES:g} times", f"{times:.1f}", times >= TIMES)]
        if ours.model_id.startswith(f"{DEFAULT}-")
        else (),
        (
            f"One thread. R@1: the share of altered copies whose original comes first of {len(images)}, each model "
            f"with its own features on both sides; every one of {len(alterations)} alterations (`bench/quality`), by "
            f"features alone of {BY_COSINE} images, by a whole search of {FUSED}.",
        ),
        {
            "inference_int8_ms": taken["int8"],
            "int8_least_cosine": min(alike),
            "int8_cosine_change": found[int8.model_id][0] - found[ours.model_id][0],
            "int8_fused_change": found[int8.model_id][1] - found[ours.model_id][1],
        },
    )


def exported(folder: Path) -> Path:
    """Export the int8 model if it is missing, in a process of its own to free TensorFlow's memory and threads."""
    options = ["--out", str(folder.resolve()), "--precision", Precision.INT8, "--or-fallback"]
    subprocess.run([sys.executable, "-m", "layers.models.export", *options], cwd=ROOT, check=True)
    return folder


def _found(images: Sequence[bytes], embedder: Embedder, alterations: Sequence[str]) -> tuple[float, float]:
    """Return the share of altered copies whose original comes first: by features alone, and by a whole search."""
    originals = [
        Original(Path(), "", describe(data, key_of(data), embedder, created_at="", filename=None)) for data in images
    ]
    vectors = np.array([one.described.features for one in originals])
    searcher = Memory(originals, embedder.model_id).searcher(embedder)

    def search_by_features(rgb: Pixels) -> str:
        return originals[int(np.argmax(vectors @ embedder.embed(rgb).features))].image_id

    def by_search(rgb: Pixels) -> str:
        query = searcher.describe_pixels("", rgb, Stopwatch())
        wanted = SearchRequest(collection=NAME, k=1, ranking=Ranking.FUSED)
        return searcher.search(query, wanted, Stopwatch()).matches[0].record.image_id

    def share(first: Callable[[Pixels], str], asked: int) -> float:
        right = [
            first(decode_in_process(altered(decode_in_process(images[place]).rgb, name, SEED, place)).rgb)
            == one.image_id
            for place, one in enumerate(originals[:asked])
            for name in alterations
        ]
        return sum(right) / len(right)

    return share(search_by_features, BY_COSINE), share(by_search, FUSED)
