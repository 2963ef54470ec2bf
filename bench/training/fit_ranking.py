"""Fit the fused score: `make bench-fit DATA=folder`, or `python -m bench.training.fit_ranking FOLDER`.

True pairs are altered copies and their originals. False pairs are the same copies and what a search among the other
images finds, random images, and images of the same kind, including synthetic ones (`bench.training.originals`). Each
pair is compared as in a search: by the whole image, its mirror image or a window of it. The fit uses the images with
even indices; those with odd indices are held out to measure it.
"""

import argparse
import json
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from bench.quality.alterations import ALTERATIONS, encoded
from bench.quality.collection import Memory, described, images
from bench.training.originals import DEFINED_BY_COLOUR, families
from shared.domain.errors import PictureRefused
from shared.domain.features import cosine
from shared.search.candidates import CandidateFinder, SearchScope
from shared.search.request import Described
from shared.search.timings import Stopwatch
from shared.vision import views
from shared.vision.decode.decoding import decode
from shared.vision.embedding import Embedder
from shared.vision.opencv import cv2
from shared.vision.ranking import FIT, measure

SEED: Final = 7
RIDGE: Final = 1.0
NEAREST, RANDOM, KIN = 4, 2, 2
FAMILY_EVERY: Final = 5
COPIES: Final = 12
"""Number of altered copies of each image, drawn from all alterations."""
GENTLE: Final = ("JPEG 75", "JPEG 20", "resized to 50 %", "resized to 25 %")
"""Alterations that change neither colours nor outline."""

NEAR_DUPLICATE_PRECISION: Final = 0.995
"""`near-duplicate` starts at the lowest score from which this fraction of the fitted pairs is true."""

SIMILAR_PROBABILITY: Final = 0.1
"""`similar` starts where one in ten such pairs would be true."""

WITHOUT_COSINE: Final = "any"

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Pair:
    """An altered copy and a stored image: the photograph that the copy comes from, and whether it is the stored one."""

    photograph: int
    same: bool
    signals: dict[str, float]


def fit(x: Array, y: Array) -> tuple[Array, float]:
    """Return weights and intercept of a logistic regression, fitted by Newton's method.

    The ridge penalty is on weights of standardised signals, so that a signal of small spread is not shut out.
    """
    mean, spread = x.mean(axis=0), x.std(axis=0) + 1e-9
    z = np.hstack([(x - mean) / spread, np.ones((len(x), 1))])
    penalty = RIDGE * np.eye(z.shape[1])
    penalty[-1, -1] = 0
    weights = np.zeros(z.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(z @ weights, -30, 30)))
        step = np.linalg.solve((z * (p * (1 - p))[:, np.newaxis]).T @ z + penalty, z.T @ (p - y) + penalty @ weights)
        weights -= step
        if np.abs(step).max() < 1e-9:
            break
    scaled = weights[:-1] / spread
    return scaled, float(weights[-1] - scaled @ mean)


def threshold(scores: Array, truth: Array, precision: float) -> float:
    """Return the lowest score from which at least `precision` of the pairs are true."""
    order = np.argsort(-scores)
    good = np.flatnonzero(np.cumsum(truth[order]) / np.arange(1, len(order) + 1) >= precision)
    return float(scores[order][good[-1]]) if len(good) else 1.0


def photographs(folder: Path, limit: int) -> list[Path]:
    """Return the last `limit` images of the folder in the order of `bench.quality`, whose queries are the first."""
    found: list[Path] = []
    for path, _ in reversed(images(folder)):
        if len(found) == limit:
            break
        try:
            decode(path.read_bytes())
        except PictureRefused:
            continue
        found.append(path)
    return found


def pairs(paths: Sequence[Path], embedder: Embedder, workspace: Path) -> list[Pair]:
    rng = np.random.default_rng(SEED)
    originals = [decode(path.read_bytes()).rgb for path in paths]
    made = families(originals, rng, FAMILY_EVERY)
    rgbs = [*originals, *(image for _, _, image in made)]
    source = [*range(len(originals)), *(place for place, _, _ in made)]
    kind = ["photograph"] * len(originals) + [name for _, name, _ in made]
    stored = []
    for place, rgb in enumerate(tqdm(rgbs, desc="originals")):
        path = workspace / f"{place}.png"
        cv2.imwrite(str(path), np.ascontiguousarray(rgb[:, :, ::-1]))
        stored.append(described(path, str(place), embedder))
    searcher = Memory(stored, embedder.model_id).searcher(embedder)
    found = []
    for index, rgb in enumerate(tqdm(rgbs, desc="altered copies")):
        # A photograph and images derived from it are neither clearly the same nor clearly different: never pair them.
        others = np.array([i for i in range(len(rgbs)) if source[i] != source[index]])
        kin = others[[kind[i] == kind[index] for i in others]]
        collection = Memory([stored[i] for i in [index, *others]], embedder.model_id)
        names = GENTLE if kind[index] in DEFINED_BY_COLOUR else rng.choice(list(ALTERATIONS), COPIES, replace=False)
        for name in names:
            query = searcher.describe(encoded(ALTERATIONS[name](rgb, rng), 90), Stopwatch())
            seen = _seen(query, collection)
            near = [place for place in seen if place != str(index)][:NEAREST]
            drawn = {
                *map(int, near),
                *(place for some, count in ((others, RANDOM), (kin, KIN)) for place in _drawn(some, count, rng)),
            }
            for other in (index, *sorted(int(i) for i in drawn)):
                one = stored[other]
                view = seen.get(one.group) or views.whole(query.signature)
                near_by = cosine(query.features, one.described.features)
                measured = measure(view.signature, one.described.signature, near_by)
                found.append(Pair(source[index], other == index, measured.signals()))
    return found


def _drawn(places: npt.NDArray[np.intp], count: int, rng: np.random.Generator) -> list[int]:
    """Draw `count` of the places, or all if there are fewer."""
    return [int(place) for place in rng.choice(places, min(count, len(places)), replace=False)]


def _seen(query: Described, collection: Memory) -> dict[str, views.View]:
    """Return what a thorough search finds, best first: the group of each stored image, with its closest view."""
    sides = [views.whole(query.signature)]
    if query.pixels is not None:
        sides.append(views.mirror(query.pixels, query.signature))
    groups = {one.image_id: one.group for one in collection.originals}
    with ThreadPoolExecutor(1) as threads:
        where = SearchScope(collection="", model=collection.model, labels=None)
        finder = CandidateFinder(collection, threads, where)
        finder.search_by_features(query.features)
        finder.search_by_views([*sides, *views.for_second_pass(query.pixels, sides[0])])
        return {groups[entry.record.image_id]: entry.view for entry in finder.found(sides[0])}


def fitted(found: Sequence[Pair], names: Sequence[str]) -> dict[str, Any]:
    """Fit these signals; return weights, thresholds and their performance on the held-out images."""
    x = np.array([[pair.signals[name] for name in names] for pair in found])
    y = np.array([pair.same for pair in found], dtype=np.float64)
    held = np.array([pair.photograph % 2 == 1 for pair in found])
    weights, intercept = fit(x[~held], y[~held])
    scores = 1 / (1 + np.exp(-(x @ weights + intercept)))
    near = max(threshold(scores[~held], y[~held], NEAR_DUPLICATE_PRECISION), SIMILAR_PROBABILITY)
    said, between = scores[held] >= near, (scores[held] >= SIMILAR_PROBABILITY) & (scores[held] < near)
    truth = y[held] == 1
    return {
        "intercept": round(intercept, 4),
        "weights": {name: round(float(weight), 4) for name, weight in zip(names, weights, strict=True)},
        "near_duplicate": round(near, 4),
        "similar": SIMILAR_PROBABILITY,
        "held_out": {
            "true_pairs": int(truth.sum()),
            "false_pairs": int((~truth).sum()),
            "near_duplicate_precision": round(float(truth[said].mean()), 4),
            "near_duplicate_recall": round(float(said[truth].mean()), 4),
            "true_called_similar": round(float(between[truth].mean()), 4),
            "false_called_similar": round(float(between[~truth].mean()), 4),
            "log_loss": round(float(-np.log(np.where(truth, scores[held], 1 - scores[held]).clip(1e-12)).mean()), 4),
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.training.fit_ranking", description=__doc__)
    parser.add_argument("folder", type=Path, help="photographs, each of another subject")
    parser.add_argument("--model-dir", type=Path, default=Path(".build/model"))
    parser.add_argument("--limit", type=int, default=100, help="how many photographs")
    parser.add_argument("--out", type=Path, default=FIT)
    wanted = parser.parse_args()
    embedder = Embedder(wanted.model_dir)
    originals = photographs(wanted.folder, wanted.limit)
    with tempfile.TemporaryDirectory() as workspace:
        found = pairs(originals, embedder, Path(workspace))
    names = list(found[0].signals)
    before = json.loads(wanted.out.read_text(encoding="utf-8")) if wanted.out.exists() else {}
    kept = before.get("fits", {})
    fits = kept | {WITHOUT_COSINE: fitted(found, [name for name in names if name != "cosine"])}
    own = fitted(found, names)
    fits.pop(embedder.model_id, None)
    if own["weights"]["cosine"] > 0:
        fits[embedder.model_id] = own
    else:
        print(
            f"{embedder.model_id}: a higher cosine does not indicate a true pair; this model uses the fit without it."
        )
    described = {
        "made_by": f"python -m bench.training.fit_ranking FOLDER --limit {wanted.limit}",
        "data": f"{len(originals)} photographs of a folder that bench.quality does not ask for, each of another "
        f"subject, with blurred, small on white, documents, shapes and flat ones; {COPIES} altered copies each, drawn "
        f"from {len(ALTERATIONS)} alterations ({len(GENTLE)} of shapes and flat ones), {len(found)} pairs; "
        "even places fitted, odd places held out",
        "seed": SEED,
        "fits": fits,
        "alike": before.get("alike", {}),
    }
    wanted.out.write_text(json.dumps(described, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(fits, indent=2))


if __name__ == "__main__":
    main()
