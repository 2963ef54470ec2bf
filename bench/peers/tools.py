"""One of the other tools over a folder, as a process of its own.

python -m bench.peers.tools NAME FOLDER QUERIES MODEL_DIR OUT
"""

import json
import sys
import time
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image

DISTANCE: Final = 12
"""Most differing bits that are looked at; imagededup's own default is 10, and precision falls below 99 % before."""
MEAN_SQUARED_ERROR: Final = 500.0
"""Most mean squared error that difPy looks at. Its own "similar" is 50."""
COSINE_DISTANCE: Final = 0.3
"""Most that features may differ to be looked at, as 1 less the cosine."""

Found = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Work:
    """What a tool gets: the files of the folder, files to search with, and the exported model."""

    paths: Sequence[Path]
    queries: Sequence[Path]
    model_dir: Path


def imagededup(work: Work) -> Found:
    # Its CNN needs PyTorch; hashes do not, but their package imports both.
    for module, name in (("imagededup.utils.models", "CustomModel"), ("imagededup.methods.cnn", "CNN")):
        sys.modules[module] = types.ModuleType(module)
        setattr(sys.modules[module], name, None)
    from imagededup.methods import PHash

    started = time.perf_counter()
    hasher = PHash(verbose=False)
    hashes = hasher.encode_images(str(work.paths[0].parent))
    near = hasher.find_duplicates(encoding_map=hashes, max_distance_threshold=DISTANCE, scores=True)
    pairs = [(a, b, float(distance)) for a, others in near.items() for b, distance in others]
    return {"seconds": time.perf_counter() - started, "pairs": pairs}


def imagehash(work: Work) -> Found:
    import imagehash as library
    import pybktree

    started = time.perf_counter()
    hashes = {path.name: int(str(library.phash(Image.open(path))), 16) for path in work.paths}
    names: dict[int, list[str]] = {}
    for name, value in hashes.items():
        names.setdefault(value, []).append(name)
    tree = pybktree.BKTree(pybktree.hamming_distance, names)
    pairs = [
        (a, b, float(distance))
        for a, value in hashes.items()
        for distance, other in tree.find(value, DISTANCE)
        for b in names[other]
        if a != b
    ]
    return {"seconds": time.perf_counter() - started, "pairs": pairs}


def difpy(work: Work) -> Found:
    import difPy

    started = time.perf_counter()
    built = difPy.build(str(work.paths[0].parent), show_progress=False)
    result = difPy.search(built, similarity=MEAN_SQUARED_ERROR, same_dim=False, show_progress=False).result
    pairs = [(Path(a).name, Path(match[0]).name, float(match[1])) for a, matches in result.items() for match in matches]
    return {"seconds": time.perf_counter() - started, "pairs": pairs}


def _vectors(paths: Sequence[Path], model_dir: Path) -> Iterator[np.ndarray[Any, np.dtype[np.float32]]]:
    """Yield the features of each image as a plain pipeline has them: decoded by Pillow, one network, unit length."""
    from shared.vision.embedding import Embedder

    embedder = Embedder(model_dir)
    for path in paths:
        rgb = np.asarray(Image.open(path).convert("RGB"))
        yield np.asarray(embedder.embed(rgb).features, np.float32)


def faiss(work: Work) -> Found:
    import faiss as library

    started, paths = time.perf_counter(), work.paths
    vectors = np.stack(list(_vectors(paths, work.model_dir)))
    index = library.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    stored = time.perf_counter() - started
    limits, similarities, others = index.range_search(vectors, 1 - COSINE_DISTANCE)
    pairs = [
        (paths[at].name, paths[other].name, 1 - float(similarity))
        for at in range(len(paths))
        for similarity, other in zip(
            similarities[limits[at] : limits[at + 1]], others[limits[at] : limits[at + 1]], strict=True
        )
        if at < other
    ]
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "stored": stored, "pairs": pairs} | _searches(
        work, lambda vector: paths[int(index.search(vector[np.newaxis], 10)[1][0][0])].name
    )


def qdrant(work: Work) -> Found:
    from qdrant_client import QdrantClient, models

    started, paths = time.perf_counter(), work.paths
    client = QdrantClient(":memory:")
    for at, vector in enumerate(_vectors(paths, work.model_dir)):
        if at == 0:
            settings = models.VectorParams(size=len(vector), distance=models.Distance.COSINE)
            client.create_collection("images", vectors_config=settings)
        client.upsert("images", [models.PointStruct(id=at, vector=vector.tolist())])
    stored = time.perf_counter() - started
    return {"seconds": None, "stored": stored, "pairs": []} | _searches(
        work, lambda vector: paths[int(client.query_points("images", vector.tolist(), limit=10).points[0].id)].name
    )


def _searches(work: Work, first: Callable[[Any], str]) -> Found:
    """Search with each query from its file on; return the milliseconds of each, and the first file of each answer."""
    taken, found = [], []
    vectors = _vectors(work.queries, work.model_dir)
    for _ in work.queries:
        started = time.perf_counter()
        found.append(first(next(vectors)))
        taken.append((time.perf_counter() - started) * 1000)
    return {"milliseconds": taken, "first": found}


TOOLS: Final[Mapping[str, Callable[[Work], Found]]] = {
    "imagededup": imagededup,
    "imagehash": imagehash,
    "difpy": difpy,
    "faiss": faiss,
    "qdrant": qdrant,
}


def main() -> None:
    name, folder, queries, model_dir, out = sys.argv[1:]
    result = TOOLS[name](Work(sorted(Path(folder).iterdir()), sorted(Path(queries).iterdir()), Path(model_dir)))
    Path(out).write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main()
