"""Fit the fused score: `python -m bench.fit_ranking FOLDER --model-dir .build/resnet50`.

Positives are altered copies against their originals; negatives are the same copies against the pictures that the
features put nearest to them, and against random ones. Half of the pictures are fitted on, the other half measured.
"""

import argparse
import json
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from bench.alterations import ALTERATIONS, HARDER
from shared.domain.errors import PictureRefused
from shared.domain.features import cosine
from shared.domain.matches import Ranking
from shared.vision.decoding import decode
from shared.vision.embedding import Embedder
from shared.vision.ranking import FIT, compare, signals
from shared.vision.signature import extract

SEED: Final = 7
RIDGE: Final = 1.0
NEAREST, RANDOM = 4, 2
PRECISION: Final = {"near_duplicate": 0.999, "similar": 0.95}
"""Verdicts begin at the least score that has this precision on the half that was fitted."""

Array = npt.NDArray[np.float64]


def fit(x: Array, y: Array) -> Array:
    """Weights and, last, the intercept of a ridge-penalised logistic regression, by Newton's method."""
    x = np.hstack([x, np.ones((len(x), 1))])
    penalty = RIDGE * np.eye(x.shape[1])
    penalty[-1, -1] = 0
    weights = np.zeros(x.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(x @ weights, -30, 30)))
        gradient = x.T @ (p - y) + penalty @ weights
        hessian = (x * (p * (1 - p))[:, np.newaxis]).T @ x + penalty
        step = np.linalg.solve(hessian, gradient)
        weights -= step
        if np.abs(step).max() < 1e-9:
            break
    return weights


def threshold(scores: Array, truth: Array, precision: float) -> float:
    """The least score at and above which at least `precision` of the pairs are true."""
    order = np.argsort(-scores)
    correct = np.cumsum(truth[order]) / np.arange(1, len(order) + 1)
    good = np.flatnonzero(correct >= precision)
    return float(scores[order][good[-1]]) if len(good) else 1.0


def pairs(folder: Path, embedder: Embedder, limit: int) -> list[tuple[int, bool, dict[str, float]]]:
    """(picture, whether it is the original, signals) of altered copies against stored pictures."""
    rng = np.random.default_rng(SEED)
    rgbs = []
    for path in sorted(folder.rglob("*"))[: limit * 2]:
        try:
            rgbs.append(decode(path.read_bytes()).rgb)
        except (PictureRefused, OSError):
            continue
    rgbs = rgbs[:limit]
    stored = [(embedder.embed(rgb).features, extract(rgb)) for rgb in tqdm(rgbs, desc="originals")]
    features = np.array([entry[0] for entry in stored])
    found = []
    for index, rgb in enumerate(tqdm(rgbs, desc="altered copies")):
        for alter in (ALTERATIONS | HARDER).values():
            copy = alter(rgb, rng)
            vector, signature = embedder.embed(copy).features, extract(copy)
            near = [int(i) for i in np.argsort(-features @ vector)[: NEAREST + 1] if i != index][:NEAREST]
            far = [int(i) for i in rng.integers(0, len(rgbs), RANDOM) if i != index]
            for other in (index, *near, *far):
                similarity = cosine(vector, stored[other][0])
                scores = compare(signature, stored[other][1], cosine=similarity, ranking=Ranking.CLASSIC)
                given = signals(
                    cosine=similarity,
                    plain=scores.ssim,
                    aligned=scores.ssim_aligned,
                    orb=scores.orb,
                    colours=scores.histogram,
                )
                found.append((index, other == index, given))
    return found


def fitted(found: list[tuple[int, bool, dict[str, float]]], names: list[str]) -> dict[str, Any]:
    x = np.array([[given[name] for name in names] for _, _, given in found])
    y = np.array([truth for _, truth, _ in found], dtype=np.float64)
    held = np.array([index % 2 == 1 for index, _, _ in found])
    weights = fit(x[~held], y[~held])
    scores = 1 / (1 + np.exp(-(x @ weights[:-1] + weights[-1])))
    limits = {name: threshold(scores[~held], y[~held], least) for name, least in PRECISION.items()}
    measured = {}
    for name, limit in limits.items():
        said = scores[held] >= limit
        measured[name] = {
            "precision": round(float(y[held][said].mean()), 4) if said.any() else None,
            "recall": round(float(said[y[held] == 1].mean()), 4),
        }
    return {
        "intercept": round(float(weights[-1]), 4),
        "weights": {name: round(float(weight), 4) for name, weight in zip(names, weights[:-1], strict=True)},
        **{name: round(limit, 4) for name, limit in limits.items()},
        "held_out": measured,
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.fit_ranking", description=__doc__)
    parser.add_argument("folder", type=Path, help="photographs, each of another subject")
    parser.add_argument("--model-dir", type=Path, default=Path(".build/resnet50"))
    parser.add_argument("--limit", type=int, default=200, help="how many photographs")
    parser.add_argument("--out", type=Path, default=FIT)
    wanted = parser.parse_args()
    embedder = Embedder(wanted.model_dir)
    found = pairs(wanted.folder, embedder, wanted.limit)
    names = list(found[0][2])
    fits = {
        "any": fitted(found, [name for name in names if name != "cosine"]),
        embedder.model_id: fitted(found, names),
    }
    described = {
        "made_by": "python -m bench.fit_ranking",
        "data": f"{wanted.limit} photographs, {len(ALTERATIONS | HARDER)} altered copies each, {len(found)} pairs; "
        "even ones fitted, odd ones held out",
        "seed": SEED,
        "fits": fits,
    }
    wanted.out.write_text(json.dumps(described, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(fits, indent=2))


if __name__ == "__main__":
    main()
