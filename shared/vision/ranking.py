"""From signals to one score and a verdict."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from shared.domain.matches import Comparison, OrbScore, Ranking, Verdict
from shared.vision import keypoints
from shared.vision.alignment import aligned_ssim
from shared.vision.histogram import correlation
from shared.vision.signature import Signature
from shared.vision.structure import ssim

FIT: Final = Path(__file__).with_name("ranking.json")


@dataclass(frozen=True, slots=True)
class Fit:
    """A fitted logistic regression with the scores at which verdicts change.

    Attributes:
        weights: by signal name, see `signals`.
        near_duplicate, similar: least scores of these verdicts.
    """

    intercept: float
    weights: Mapping[str, float]
    near_duplicate: float
    similar: float


@cache
def fit_for(model: str | None) -> Fit:
    """The fit for a model id: its own, or the one that leaves the cosine out, since models' cosines differ."""
    fits = json.loads(FIT.read_text(encoding="utf-8"))["fits"]
    chosen = fits.get(model, fits["any"])
    return Fit(chosen["intercept"], chosen["weights"], chosen["near_duplicate"], chosen["similar"])


def signals(
    *, cosine: float | None, plain: float, aligned: float | None, orb: OrbScore, colours: float
) -> dict[str, float]:
    """The inputs of the logistic regression, each roughly 0 to 1 (cosine and SSIM may be negative)."""
    return {
        "inliers": math.log1p(orb.inliers) / math.log1p(keypoints.MAX_KEYPOINTS),
        "inlier_share": orb.inliers / orb.matches if orb.matches else 0.0,
        "ssim": plain,
        "aligned_gain": 0.0 if aligned is None else max(0.0, aligned - plain),
        "histogram": colours,
        "cosine": 0.0 if cosine is None else cosine,
    }


def compare(
    query: Signature,
    candidate: Signature,
    *,
    cosine: float | None,
    ranking: Ranking,
    identical: bool = False,
    model: str | None = None,
) -> Comparison:
    """Every score of two pictures.

    Args:
        cosine: of their features under `model`, -1 to 1; None if unknown.
        identical: whether their bytes are the same; then the score is 1 and the verdict `identical`.

    Returns:
        `score` is the fitted probability under `FUSED`, (SSIM + ORB ratio) / 2 under `CLASSIC` and the cosine
        under `COSINE`, each clipped to 0..1. The verdict is always that of the fitted probability.
    """
    matches = keypoints.match(query.keypoints, candidate.keypoints)
    plain = ssim(query.gray, candidate.gray)
    aligned = aligned_ssim(query, candidate, matches)
    colours = correlation(query.histogram, candidate.histogram)
    fit = fit_for(model)
    given = signals(cosine=cosine, plain=plain, aligned=aligned, orb=matches.score, colours=colours)
    probability = _logistic(fit.intercept + sum(weight * given[name] for name, weight in fit.weights.items()))
    score = {
        Ranking.FUSED: probability,
        Ranking.CLASSIC: (plain + matches.score.ratio) / 2,
        Ranking.COSINE: 0.0 if cosine is None else cosine,
    }[ranking]
    return Comparison(
        score=1.0 if identical else min(1.0, max(0.0, score)),
        verdict=_verdict(probability, fit, identical),
        cosine=cosine,
        ssim=plain,
        ssim_aligned=aligned,
        orb=matches.score,
        histogram=colours,
    )


def _verdict(probability: float, fit: Fit, identical: bool) -> Verdict:
    if identical:
        return Verdict.IDENTICAL
    if probability >= fit.near_duplicate:
        return Verdict.NEAR_DUPLICATE
    return Verdict.SIMILAR if probability >= fit.similar else Verdict.UNRELATED


def _logistic(value: float) -> float:
    return 1 / (1 + math.exp(-value)) if value >= 0 else math.exp(value) / (1 + math.exp(value))
