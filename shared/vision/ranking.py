"""From signals to one score and a verdict."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from shared.domain.matches import Comparison, OrbScore, Ranking, Verdict
from shared.vision.alignment import aligned_ssim
from shared.vision.histogram import correlation
from shared.vision.keypoints import covered, match_keypoints
from shared.vision.signature import Signature
from shared.vision.ssim import ssim_and_detail

FIT: Final = Path(__file__).with_name("ranking.json")
ENOUGH_KEYPOINTS: Final = 50
ENOUGH_COVERED: Final = 0.2
"""Share of an image: agreement on more of it says no more. Images that share a caption agree on less of both."""


@dataclass(frozen=True, slots=True)
class Fit:
    """A fitted logistic regression with the scores at which verdicts change.

    Attributes:
        weights: by signal name, see `Measured.signals`.
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


@dataclass(frozen=True, slots=True)
class Measured:
    """How two images agree, before any weighing; names that `Comparison` has mean the same.

    Attributes:
        detail: SSIM weighted by detail, -1 to 1.
        geometry: whether the keypoints agree on one sane transform.
        covered: how much of an image the keypoints that agree span, of the two the larger share, 0 to 1.
        keypoints: how many the two images have, the smaller number first.
    """

    cosine: float | None
    ssim: float
    detail: float
    ssim_aligned: float | None
    orb: OrbScore
    histogram: float
    geometry: bool
    covered: float
    keypoints: tuple[int, int]

    def signals(self) -> dict[str, float]:
        """The inputs of the logistic regression, each roughly 0 to 1 (cosine, detail and histogram may be negative).

        Where neither image has keypoints their absence says nothing, and structure and colour must carry the
        score: `smooth` is 1 there and 0 as soon as one image has `ENOUGH_KEYPOINTS`. `explained` is the share of the
        keypoints that agree, as far as they cover an image: letters that two images share are many keypoints.
        """
        fewer, more = self.keypoints
        smooth = 1 - min(1.0, more / ENOUGH_KEYPOINTS)
        covered = min(1.0, self.covered / ENOUGH_COVERED)
        gain = 0.0 if self.ssim_aligned is None else max(0.0, self.ssim_aligned - self.ssim)
        return {
            "geometry": float(self.geometry),
            "covered": covered,
            "explained": covered * self.orb.inliers / fewer if fewer else 0.0,
            "detail": self.detail,
            "aligned_gain": gain,
            "histogram": self.histogram,
            "smooth": smooth,
            "smooth_detail": smooth * self.detail,
            "cosine": 0.0 if self.cosine is None else self.cosine,
        }


def measure(a: Signature, b: Signature, cosine: float | None) -> Measured:
    """Every signal of two images; `a` is the one that is compared with many."""
    matches = match_keypoints(a.keypoints, b.keypoints)
    plain, detail = ssim_and_detail(a.moments, b.gray)
    fewer, more = sorted((len(a.keypoints), len(b.keypoints)))
    return Measured(
        cosine=cosine,
        ssim=plain,
        detail=detail,
        ssim_aligned=aligned_ssim(a, b, matches),
        orb=matches.score,
        histogram=correlation(a.histogram, b.histogram),
        geometry=matches.transform is not None,
        covered=covered(a.keypoints, b.keypoints, matches),
        keypoints=(fewer, more),
    )


def compare(
    query: Signature,
    candidate: Signature,
    *,
    cosine: float | None,
    ranking: Ranking,
    identical: bool = False,
    model: str | None = None,
) -> Comparison:
    """Every score of two images.

    Args:
        cosine: of their features under `model`, -1 to 1; None if unknown.
        identical: whether their bytes are the same; then the score is 1 and the verdict `identical`.

    Returns:
        `score` is the fitted probability under `FUSED`, (SSIM + ORB ratio) / 2 under `CLASSIC` and the cosine
        under `COSINE`, each clipped to 0..1. The verdict is always that of the fitted probability. Whatever agrees,
        the score is 0 where one image shows nothing; where both do, it is at most that of `similar`, and that only if
        their colours are the same.
    """
    measured = measure(query, candidate, cosine)
    fit = fit_for(model if cosine is not None else None)
    given = measured.signals()
    probability = _logistic(fit.intercept + sum(weight * given[name] for name, weight in fit.weights.items()))
    score = {
        Ranking.FUSED: probability,
        Ranking.CLASSIC: (measured.ssim + measured.orb.ratio) / 2,
        Ranking.COSINE: 0.0 if cosine is None else cosine,
    }[ranking]
    most = _most(query, candidate, fit)
    probability = min(most, probability)
    return Comparison(
        score=1.0 if identical else min(most, max(0.0, score)),
        verdict=_verdict(probability, fit, identical),
        cosine=cosine,
        ssim=measured.ssim,
        ssim_aligned=measured.ssim_aligned,
        orb=measured.orb,
        histogram=measured.histogram,
        low_information=query.low_information or candidate.low_information,
    )


def _most(query: Signature, candidate: Signature, fit: Fit) -> float:
    """The highest score that these two can have if their bytes differ."""
    if query.low_information != candidate.low_information:
        return 0.0
    return fit.similar * max(0.0, correlation(query.histogram, candidate.histogram)) if query.low_information else 1.0


def _verdict(probability: float, fit: Fit, identical: bool) -> Verdict:
    if identical:
        return Verdict.IDENTICAL
    if probability >= fit.near_duplicate:
        return Verdict.NEAR_DUPLICATE
    return Verdict.SIMILAR if probability >= fit.similar else Verdict.UNRELATED


def _logistic(value: float) -> float:
    return 1 / (1 + math.exp(-value)) if value >= 0 else math.exp(value) / (1 + math.exp(value))
