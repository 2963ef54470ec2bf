"""Calibrate a model's cosine as a sign of the same kind of thing: `python -m bench.training.fit_look_alikes FOLDER`.

The folder's photographs each show another kind of thing, so that every pair is one of strangers. The logistic curve is
fixed by two of their quantiles: what one in 100 pairs of strangers exceeds is as likely as not, and their median is at
one in 100. `make bench-fit` keeps what this wrote.
"""

import argparse
import json
import math
from pathlib import Path
from typing import Final

import numpy as np

from bench.training.fit_ranking import photographs
from shared.vision.decode.decoding import decode
from shared.vision.embedding import Embedder
from shared.vision.ranking import FIT

EXCEEDED: Final = 0.99
AT_MEDIAN: Final = 0.01


def curve(cosines: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> tuple[float, float]:
    """Intercept and weight by the cosines of strangers."""
    even, usual = float(np.quantile(cosines, EXCEEDED)), float(np.median(cosines))
    weight = math.log((1 - AT_MEDIAN) / AT_MEDIAN) / (even - usual)
    return -weight * even, weight


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.training.fit_look_alikes", description=__doc__)
    parser.add_argument("folder", type=Path, help="photographs, each of another kind of thing")
    parser.add_argument("--model-dir", type=Path, default=Path(".build/model"))
    parser.add_argument("--limit", type=int, default=250, help="how many photographs")
    parser.add_argument("--out", type=Path, default=FIT)
    wanted = parser.parse_args()
    embedder = Embedder(wanted.model_dir)
    images = photographs(wanted.folder, wanted.limit)
    features = np.array([embedder.embed(decode(path.read_bytes()).rgb).features for path in images], np.float64)
    cosines = (features @ features.T)[np.triu_indices(len(features), 1)]
    intercept, weight = curve(cosines)
    fitted = json.loads(wanted.out.read_text(encoding="utf-8"))
    fitted.setdefault("alike", {})[embedder.model_id] = {
        "intercept": round(intercept, 3),
        "weight": round(weight, 3),
        "photographs": len(images),
        "strangers": {str(share): round(float(np.quantile(cosines, share)), 4) for share in (0.5, 0.9, 0.99, 0.999)},
    }
    wanted.out.write_text(json.dumps(fitted, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(fitted["alike"][embedder.model_id], indent=2))


if __name__ == "__main__":
    main()
