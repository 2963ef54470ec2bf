"""Calibrate a model's cosines and labels as signs of the same kind of thing.

    python -m bench.training.fit_look_alikes FOLDER --kinds KINDS

KINDS has a sub-folder of photographs for each kind of thing. A logistic regression of all pairs of every other kind
says how much a shared label counts beside the cosine; the other kinds are held out to measure it. The photographs in
FOLDER each show another kind of thing, so that every pair is one of strangers. The probability is fixed by two
quantiles of their cosines and labels: what one in 100 pairs exceeds is as likely as not, and the median is at one in
100.
`make bench-fit` runs this too.
"""

import argparse
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from bench.quality.collection import images
from bench.training.fit_ranking import fit, photographs
from shared.domain.images import Label
from shared.search.look_alikes import shared_labels
from shared.vision.decode.decoding import decode
from shared.vision.embedding import Embedder
from shared.vision.ranking import FIT

EXCEEDED: Final = 0.99
AT_MEDIAN: Final = 0.01
ANY: Final = "any"
ORDERS_ONLY: Final = 1.0
"""Weight of the cosine of a model that was not calibrated: it orders images, and is too small to decide a verdict."""
FIRST: Final = 5

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Signs:
    """What the network says of every two of N images: N x N each.

    Attributes:
        cosines: -1 to 1.
        labels: what their labels share, 0 to 1.
    """

    cosines: Array
    labels: Array

    @classmethod
    def read(cls, paths: Sequence[Path], embedder: Embedder) -> "Signs":
        said = [embedder.embed(decode(path.read_bytes()).rgb) for path in tqdm(paths, unit="image")]
        features = np.array([one.features for one in said], np.float64)
        return cls(features @ features.T, overlaps([one.labels for one in said]))

    def of(self, places: npt.NDArray[np.intp]) -> "Signs":
        """Return the same of some of the images."""
        return Signs(*(matrix[np.ix_(places, places)] for matrix in (self.cosines, self.labels)))


def overlaps(labels: Sequence[Sequence[Label]]) -> Array:
    """Return what the labels of every two images share: N x N."""
    return np.array([[shared_labels(a, b) for b in labels] for a in labels], np.float64)


def curve(signs: Array) -> tuple[float, float]:
    """Return the intercept and the weight of the logistic curve, by the signs of strangers."""
    even, usual = float(np.quantile(signs, EXCEEDED)), float(np.median(signs))
    weight = math.log((1 - AT_MEDIAN) / AT_MEDIAN) / (even - usual)
    return -weight * even, weight


def worth_of_labels(signs: Signs, same: npt.NDArray[np.bool_]) -> float:
    """Return how much a shared label counts relative to the cosine, from pairs of which `same` show one kind."""
    pairs = np.triu_indices(len(same), 1)
    weights, _ = fit(np.stack([signs.cosines[pairs], signs.labels[pairs]], axis=1), same[pairs].astype(np.float64))
    return float(weights[1] / weights[0])


def found(order_by: Array, same: npt.NDArray[np.bool_]) -> dict[str, float]:
    """Return how often the first other image is of the same kind, and the share of the first five."""
    others = order_by - 2 * np.ptp(order_by) * np.eye(len(order_by))
    right = np.take_along_axis(same, np.argsort(-others, axis=1, kind="stable")[:, :FIRST], axis=1)
    return {"first": round(float(right[:, 0].mean()), 4), "first_five": round(float(right.mean()), 4)}


def fitted(folder: Path, embedder: Embedder) -> tuple[float, dict[str, Any]]:
    """Return the worth of labels, fitted to every other kind, with the figures of the kinds held out."""
    chosen = sorted(images(folder))
    signs = Signs.read([path for path, _ in chosen], embedder)
    kinds, kind = np.unique([name for _, name in chosen], return_inverse=True)
    same = kind[:, np.newaxis] == kind
    even, odd = (np.flatnonzero(kind % 2 == half) for half in (0, 1))
    worth = worth_of_labels(signs.of(even), same[np.ix_(even, even)])
    held, truth = signs.of(odd), same[np.ix_(odd, odd)]
    return worth, {
        "photographs": len(chosen),
        "kinds": len(kinds),
        "held_out": found(held.cosines + worth * held.labels, truth),
        "held_out_by_cosine": found(held.cosines, truth),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.training.fit_look_alikes", description=__doc__)
    parser.add_argument("folder", type=Path, help="photographs, each of another kind of thing")
    parser.add_argument("--kinds", type=Path, required=True, help="sub-folders of photographs of one kind of thing")
    parser.add_argument("--model-dir", type=Path, default=Path(".build/model"))
    parser.add_argument("--limit", type=int, default=250, help="how many photographs of the first folder")
    parser.add_argument("--out", type=Path, default=FIT)
    wanted = parser.parse_args()
    embedder = Embedder(wanted.model_dir)
    worth, figures = fitted(wanted.kinds, embedder)
    paths = photographs(wanted.folder, wanted.limit)
    strangers = Signs.read(paths, embedder)
    signs = (strangers.cosines + worth * strangers.labels)[np.triu_indices(len(paths), 1)]
    intercept, weight = curve(signs)
    file = json.loads(wanted.out.read_text(encoding="utf-8"))
    file.setdefault("alike", {})[embedder.model_id] = {
        "intercept": round(intercept, 3),
        "weight": round(weight, 3),
        "labels": round(worth * weight, 3),
        "photographs": len(paths),
        "strangers": {str(share): round(float(np.quantile(signs, share)), 4) for share in (0.5, 0.9, 0.99, 0.999)},
        "same_kind": figures,
    }
    file["alike"][ANY] = {
        "intercept": round(-math.log((1 - AT_MEDIAN) / AT_MEDIAN), 3),
        "weight": ORDERS_ONLY,
        "labels": round(worth * weight, 3),
    }
    wanted.out.write_text(json.dumps(file, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(file["alike"][embedder.model_id], indent=2))


if __name__ == "__main__":
    main()
