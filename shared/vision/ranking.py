"""Combine the signals of two images into one score and a verdict."""

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
from shared.vision.keypoints import hull_coverage, match_keypoints, match_unless_unlike
from shared.vision.signature import Signature
from shared.vision.ssim import ssim_and_detail

FIT: Final = Path(__file__).with_name("ranking.json")
NEAR_DUPLICATE_FROM: Final = 0.9
VARIANT_FROM: Final = 0.7
LIKE: Final = 0.5
SIMILAR_FROM: Final = VARIANT_FROM * LIKE
"""Lowest scores of these verdicts; `LIKE` is the same on the scale of likeness, 0 to 1."""
SIMILAR_TO: Final = 0.69
"""Highest score of `similar`."""
MOST: Final = 0.999
"""Highest score of images whose pixels differ."""
ENOUGH_KEYPOINTS: Final = 50
ENOUGH_COVERED: Final = 0.2
"""Number of keypoints, and share of an image, above which more agreement adds no evidence; images that only share a
caption stay below both."""


@dataclass(frozen=True, slots=True)
class Fit:
    """A fitted logistic regression with the scores at which verdicts change.

    Attributes:
        weights: by signal name, see `Measured.signals`.
        near_duplicate, similar: lowest probabilities at which two images are likely, or may be, versions of one image.
        alike: intercept, weight of the cosine and weight of the shared labels that give the probability of the same
            kind of subject. Of a model that was not calibrated, the cosine only orders images.
    """

    intercept: float
    weights: Mapping[str, float]
    near_duplicate: float
    similar: float
    alike: tuple[float, float, float]

    def look_alike(self, cosine: float | None, shared_labels: float = 0.0) -> float:
        """Return the probability, 0 to 1, that images with this cosine show the same kind of subject.

        Args:
            shared_labels: see `shared.search.look_alikes.shared_labels`.
        """
        if cosine is None:
            return 0.0
        intercept, by_cosine, by_labels = self.alike
        return _logistic(intercept + by_cosine * cosine + by_labels * shared_labels)


@cache
def fit_for(model: str | None) -> Fit:
    """Return the fit for a model id; for each part that it has none of, that of any model."""
    file = json.loads(FIT.read_text(encoding="utf-8"))
    chosen, alike = (file[part].get(model, file[part]["any"]) for part in ("fits", "alike"))
    return Fit(
        chosen["intercept"],
        chosen["weights"],
        chosen["near_duplicate"],
        chosen["similar"],
        (alike["intercept"], alike["weight"], alike["labels"]),
    )


@dataclass(frozen=True, slots=True)
class Measured:
    """The measurements of two images, before any weighting; fields that `Comparison` also has mean the same.

    Attributes:
        detail: SSIM weighted by detail, -1 to 1.
        geometry: whether the keypoints agree on one plausible transform.
        covered: share of an image that the inliers' convex hull covers, 0 to 1; the larger of the two.
        keypoints: number of keypoints of the two images, the smaller first.
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
        """Return the inputs of the logistic regression, roughly 0 to 1 (cosine, detail, histogram may be negative).

        If neither image has keypoints, their absence means nothing, and structure and colour must decide: `smooth` is 1
        then, and 0 as soon as one image has `ENOUGH_KEYPOINTS`. `explained` is the share of keypoints that are inliers,
        weighted by the area that they cover, because a shared caption has many keypoints in a small area.
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


def measure(a: Signature, b: Signature, cosine: float | None, *, all_keypoints: bool = False) -> Measured:
    """Measure every signal of two images; `a` should be the image that is compared with many.

    Args:
        all_keypoints: whether to match the keypoints of images that have nothing in common, too.
    """
    if all_keypoints:
        matches = match_keypoints(a.keypoints, b.keypoints)
    else:
        matches = match_unless_unlike(a.keypoints, b.keypoints, a.probes)
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
    shared_labels: float = 0.0,
) -> Comparison:
    """Return every score of two images, with the verdict that their details support.

    Args:
        cosine: of their features under `model`, -1 to 1; None if unknown.
        identical: whether their bytes are the same.
        shared_labels: how far the model's labels agree, 0 to 1.

    Returns:
        `score` is (SSIM + ORB ratio) / 2 under `CLASSIC` and the cosine under `COSINE`, each clipped to 0..1. Under
        `FUSED` it is 1 for identical images, and at least `NEAR_DUPLICATE_FROM`, `VARIANT_FROM` or `SIMILAR_FROM` for
        these verdicts. If one image has low information, the images are unrelated whatever agrees; if both have, they
        are at most similar, and only if their colours are the same.
    """
    coarse = compare_coarsely(
        query,
        candidate,
        cosine=cosine,
        ranking=ranking,
        identical=identical,
        model=model,
        shared_labels=shared_labels,
    )
    return conclude(coarse, query, candidate, ranking)


def compare_coarsely(
    query: Signature,
    candidate: Signature,
    *,
    cosine: float | None,
    ranking: Ranking,
    identical: bool = False,
    model: str | None = None,
    shared_labels: float = 0.0,
) -> Comparison:
    """Compare as `compare` does, but without details: the verdict is `identical`, `similar` or `unrelated`."""
    measured = measure(query, candidate, cosine, all_keypoints=ranking is Ranking.CLASSIC)
    fit = fit_for(model if cosine is not None else None)
    given = measured.signals()
    agreement = _logistic(fit.intercept + sum(weight * given[name] for name, weight in fit.weights.items()))
    low_information = query.low_information or candidate.low_information
    if low_information:
        agreement = _low_information_agreement(query, candidate)
        likeness = LIKE * agreement
    else:
        likeness = max(_likeness(agreement, fit), fit.look_alike(cosine, shared_labels))
    same_pixels = identical or query.same_pixels(candidate)
    score = {
        Ranking.FUSED: VARIANT_FROM * likeness if likeness < LIKE else _between(SIMILAR_FROM, SIMILAR_TO, likeness),
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
    """Settle the verdict of a coarse comparison by details; return it unchanged if they are not stored."""
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
    """Return the larger number of inliers, of the coarse and the detailed comparison."""
    if inliers <= coarse.inliers:
        return coarse
    return replace(coarse, matches=max(coarse.matches, inliers), inliers=inliers)


def _likeness(agreement: float, fit: Fit) -> float:
    """Rescale the coarse probability so that `similar` starts at `LIKE`."""
    if agreement < fit.similar:
        return LIKE * agreement / fit.similar
    return LIKE + (1 - LIKE) * 0.9 * (agreement - fit.similar) / (1 - fit.similar)


def _between(low: float, high: float, likeness: float) -> float:
    """Return the score, `low` to `high`, of a likeness of `LIKE` to 1."""
    return low + (high - low) * (likeness - LIKE) / (1 - LIKE)


def _low_information_agreement(query: Signature, candidate: Signature) -> float:
    """Return the agreement, 0 to 1, of two images of which at least one has low information."""
    if query.low_information != candidate.low_information:
        return 0.0
    return max(0.0, correlation(query.histogram, candidate.histogram))


def _logistic(value: float) -> float:
    return 1 / (1 + math.exp(-value)) if value >= 0 else math.exp(value) / (1 + math.exp(value))
