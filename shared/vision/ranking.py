"""From signals to one score and a verdict."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Final

from shared.domain.matches import Comparison, OrbScore, Ranking, Verdict
from shared.vision.alignment import aligned_ssim
from shared.vision.evidence.judgement import Relation, judge
from shared.vision.histogram import correlation
from shared.vision.keypoints import hull_coverage, match_keypoints
from shared.vision.signature import Signature
from shared.vision.ssim import ssim_and_detail

FIT: Final = Path(__file__).with_name("ranking.json")
NEAR_DUPLICATE_FROM: Final = 0.9
VARIANT_FROM: Final = 0.7
LIKE: Final = 0.5
SIMILAR_FROM: Final = VARIANT_FROM * LIKE
"""Scores from which these verdicts begin."""
MOST: Final = 0.999
"""The highest score of images whose pixels are not the same."""
ENOUGH_KEYPOINTS: Final = 50
ENOUGH_COVERED: Final = 0.2
"""Share of an image: agreement on more of it says no more. Images that share a caption agree on less of both."""


@dataclass(frozen=True, slots=True)
class Fit:
    """A fitted logistic regression with the scores at which verdicts change.

    Attributes:
        weights: by signal name, see `Measured.signals`.
        near_duplicate, similar: least probabilities at which two images are likely, and may be, of one base.
        alike: intercept and weight of the cosine as a sign of the same kind of thing; None for a model that was not
            calibrated.
    """

    intercept: float
    weights: Mapping[str, float]
    near_duplicate: float
    similar: float
    alike: tuple[float, float] | None = None

    def look_alike(self, cosine: float | None) -> float:
        """The probability, 0 to 1, that images of this cosine show the same kind of thing."""
        return 0.0 if self.alike is None or cosine is None else _logistic(self.alike[0] + self.alike[1] * cosine)


@cache
def fit_for(model: str | None) -> Fit:
    """The fit for a model id: its own, or the one that leaves the cosine out, since models' cosines differ."""
    fits = json.loads(FIT.read_text(encoding="utf-8"))["fits"]
    chosen = fits.get(model, fits["any"])
    alike = json.loads(FIT.read_text(encoding="utf-8")).get("alike", {}).get(model)
    return Fit(
        chosen["intercept"],
        chosen["weights"],
        chosen["near_duplicate"],
        chosen["similar"],
        (alike["intercept"], alike["weight"]) if alike else None,
    )


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
        covered=hull_coverage(a.keypoints, b.keypoints, matches),
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
    """Every score of two images, with the verdict that their details bear out.

    Args:
        cosine: of their features under `model`, -1 to 1; None if unknown.
        identical: whether their bytes are the same.

    Returns:
        `score` is (SSIM + ORB ratio) / 2 under `CLASSIC` and the cosine under `COSINE`, each clipped to 0..1. Under
        `FUSED` it orders an answer: 1 for identical images, at least `NEAR_DUPLICATE_FROM`, `VARIANT_FROM` and
        `SIMILAR_FROM` for those of these verdicts. Whatever agrees, images of which one shows nothing are unrelated;
        where both show nothing they are at most similar, and that only if their colours are the same.
    """
    coarse = compare_coarsely(query, candidate, cosine=cosine, ranking=ranking, identical=identical, model=model)
    return conclude(coarse, query, candidate, ranking)


def compare_coarsely(
    query: Signature,
    candidate: Signature,
    *,
    cosine: float | None,
    ranking: Ranking,
    identical: bool = False,
    model: str | None = None,
) -> Comparison:
    """The same without a look at details: `identical`, `similar` or `unrelated`."""
    measured = measure(query, candidate, cosine)
    fit = fit_for(model if cosine is not None else None)
    given = measured.signals()
    agreement = _logistic(fit.intercept + sum(weight * given[name] for name, weight in fit.weights.items()))
    low_information = query.low_information or candidate.low_information
    if low_information:
        agreement = _of_nothing(query, candidate)
        likeness = LIKE * agreement
    else:
        likeness = max(_likeness(agreement, fit), fit.look_alike(cosine))
    same_pixels = identical or (query.pixels_hash == candidate.pixels_hash != b"")
    score = {
        Ranking.FUSED: VARIANT_FROM * likeness,
        Ranking.CLASSIC: (measured.ssim + measured.orb.ratio) / 2,
        Ranking.COSINE: 0.0 if cosine is None else cosine,
    }[ranking]
    return Comparison(
        score=1.0 if same_pixels else min(SIMILAR_FROM * agreement if low_information else MOST, max(0.0, score)),
        verdict=Verdict.IDENTICAL if same_pixels else Verdict.SIMILAR if likeness >= LIKE else Verdict.UNRELATED,
        cosine=cosine,
        ssim=measured.ssim,
        ssim_aligned=measured.ssim_aligned,
        orb=measured.orb,
        histogram=measured.histogram,
        low_information=low_information,
        same_bytes=identical,
        agreement=agreement,
    )


def conclude(coarse: Comparison, query: Signature, candidate: Signature, ranking: Ranking) -> Comparison:
    """A coarse comparison with the verdict that a look at details bears out; without one where none was stored."""
    if coarse.verdict is Verdict.IDENTICAL or coarse.low_information or not (query.fine and candidate.fine):
        return coarse
    judged = judge(query.fine, candidate.fine)
    if judged.relation is Relation.NONE:
        return coarse
    if judged.relation is Relation.COPY:
        verdict, score = Verdict.NEAR_DUPLICATE, NEAR_DUPLICATE_FROM + 0.09 * sum(judged.overlap) / 2
    else:
        verdict, score = Verdict.VARIANT, VARIANT_FROM + 0.19 * judged.agreeing
    return replace(
        coarse,
        orb=_with_inliers(coarse.orb, judged.inliers),
        verdict=verdict,
        score=score if ranking is Ranking.FUSED else coarse.score,
        mirrored=judged.mirrored,
        overlap=judged.overlap,
        differences=judged.differences,
        overlays=judged.overlays,
    )


def _with_inliers(coarse: OrbScore, inliers: int) -> OrbScore:
    """The detailed look's geometry where the coarse one found less."""
    if inliers <= coarse.inliers:
        return coarse
    return replace(coarse, matches=max(coarse.matches, inliers), inliers=inliers)


def _likeness(agreement: float, fit: Fit) -> float:
    """The coarse probability so that `similar` begins at `LIKE`."""
    if agreement < fit.similar:
        return LIKE * agreement / fit.similar
    return LIKE + (1 - LIKE) * 0.9 * (agreement - fit.similar) / (1 - fit.similar)


def _of_nothing(query: Signature, candidate: Signature) -> float:
    """How alike two images are of which at least one shows nothing, 0 to 1."""
    if query.low_information != candidate.low_information:
        return 0.0
    return max(0.0, correlation(query.histogram, candidate.histogram))


def _logistic(value: float) -> float:
    return 1 / (1 + math.exp(-value)) if value >= 0 else math.exp(value) / (1 + math.exp(value))
