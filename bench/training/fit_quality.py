"""Fit the two decisions of `shared.domain.preference`: `python -m bench.training.fit_quality FOLDER`.

Whether a larger copy has more detail, or was enlarged; and whether the copy with more fine detail was sharpened, or the
other one smoothed. Prints the intercepts and weights to enter there, and how many pairs each gets right in five-fold
cross-validation, in which the copies of one photograph are never split.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Final

import numpy as np
import numpy.typing as npt

from bench.best_copy import INTERPOLATIONS, QUALITIES, described, load, save, scale, sharpen, smooth
from bench.training.fit_ranking import photographs
from shared.domain import preference
from shared.domain.quality import Quality
from shared.vision.opencv import cv2

SEED: Final = 9
RIDGE: Final = 1e-2
STEPS: Final = 60
FOLDS: Final = 5

Samples = list[tuple[int, Sequence[float], bool]]
"""Photograph, signals and truth of each pair."""


def quality_of(data: bytes) -> Quality:
    found = described(data, "1")[0].quality
    assert found is not None  # noqa: S101
    return found


def enlargements(data: bytes, rng: Random) -> list[tuple[Sequence[float], bool]]:
    """Return the signals of pairs of different sizes, and whether the larger one is the source."""
    bgr, source, found = load(data), quality_of(data), []
    for factor in (1.1, 1.2, 1.33, 1.5, 2, 3, 4, 0.3, 0.5, 0.67, 0.75, 0.8, 0.9):
        nearest = cv2.INTER_NEAREST if factor > 1 else cv2.INTER_AREA
        copy = scale(bgr, factor, rng.choice([nearest, *INTERPOLATIONS]))
        if rng.random() < 0.25:
            copy = sharpen(copy, rng.uniform(0.6, 2) * max(1, factor), rng.uniform(0.4, 1.5))
        other = quality_of(save(copy, rng.choice(QUALITIES)))
        larger, smaller = (other, source) if factor > 1 else (source, other)
        if len(larger.spectrum) > len(smaller.spectrum) > preference.TOP + 1:
            found.append((preference.enlargement_signals(larger, smaller), factor < 1))
    return found


def sharpenings(data: bytes, rng: Random) -> list[tuple[Sequence[float], bool]]:
    """Return the signals of pairs of one size, and whether the sharper one is a sharpened copy."""
    bgr, source, found = load(data), quality_of(data), []
    for kind in ("sharpened", "smoothed") * 3:
        copy = sharpen(bgr, rng.uniform(0.6, 2.5), rng.uniform(0.8, 3)) if kind == "sharpened" else smooth(bgr, rng)
        other = quality_of(save(copy, rng.choice([None, 60, 75, 90, 95])))
        sharper, smoother = (other, source) if kind == "sharpened" else (source, other)
        found.append((preference.sharpening_signals(sharper, smoother), kind == "sharpened"))
    return found


def fit(signals: npt.NDArray[np.float64], truth: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return intercept and weights of the ridge-regularised logistic regression, by Newton's method."""
    mean, deviation = signals.mean(axis=0), signals.std(axis=0) + 1e-9
    inputs = np.c_[np.ones(len(signals)), (signals - mean) / deviation]
    weights = np.zeros(inputs.shape[1])
    ridge = RIDGE * len(inputs) * np.diag([0.0] + [1.0] * signals.shape[1])
    for _ in range(STEPS):
        probability = 1 / (1 + np.exp(-inputs @ weights))
        hessian = (inputs * (probability * (1 - probability))[:, None]).T @ inputs + ridge
        weights = weights + np.linalg.solve(hessian, inputs.T @ (truth - probability) - ridge @ weights)
    scaled = weights[1:] / deviation
    return np.concatenate([[weights[0] - float(mean @ scaled)], scaled])


def report(name: str, samples: Samples) -> None:
    """Print the fit of one decision and its accuracy in cross-validation."""
    fold = np.array([photograph for photograph, _, _ in samples]) % FOLDS
    signals = np.array([found for _, found, _ in samples], np.float64)
    truth = np.array([right for _, _, right in samples], np.float64)
    correct = 0
    for left_out in range(FOLDS):
        tested = fold == left_out
        weights = fit(signals[~tested], truth[~tested])
        correct += int(((weights[0] + signals[tested] @ weights[1:] > 0) == truth[tested]).sum())
    weights = fit(signals, truth)
    print(f"{name}: {weights[0]:.3f}, ({', '.join(f'{value:.3f}' for value in weights[1:])})")
    print(f"  right in cross-validation: {correct} of {len(samples)}")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.training.fit_quality", description=__doc__)
    parser.add_argument("folder", type=Path, help="photographs")
    parser.add_argument("--limit", type=int, default=80, help="number of photographs")
    wanted = parser.parse_args()
    rng = Random(SEED)  # noqa: S311
    larger: Samples = []
    sharper: Samples = []
    for number, path in enumerate(photographs(wanted.folder, wanted.limit)):
        data = save(load(path.read_bytes()), rng.choice([None, 90]))
        larger += [(number, *sample) for sample in enlargements(data, rng)]
        sharper += [(number, *sample) for sample in sharpenings(data, rng)]
    report("REAL", larger)
    report("SHARPENED", sharper)


if __name__ == "__main__":
    main()
