"""The score and the verdict: what must come out near, what far, whatever the fit says in between."""

import itertools
import json

import numpy as np
import pytest

from bench.basic_alterations import ALTERATIONS, HARDER
from bench.training import fit_look_alikes, fit_ranking
from bench.training.originals import document, flat, on_white, shape
from shared.domain.images import Label
from shared.domain.matches import Ranking, Verdict
from shared.search.look_alikes import shared_labels
from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels
from shared.vision.ranking import (
    ENOUGH_COVERED,
    FIT,
    SIMILAR_FROM,
    SIMILAR_TO,
    VARIANT_FROM,
    Fit,
    compare,
    fit_for,
    measure,
)
from shared.vision.signature import Signature, extract
from tests.images import pixels

NAMES = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg")
FLAT = np.full((200, 300, 3), (190, 40, 40), np.uint8)


@pytest.fixture(scope="module")
def originals() -> dict[str, Signature]:
    return {name: extract(pixels(name)) for name in NAMES}


def scored(a: Signature, b: Signature, ranking: Ranking = Ranking.FUSED) -> tuple[float, Verdict]:
    found = compare(a, b, cosine=None, ranking=ranking)
    return found.score, found.verdict


@pytest.mark.parametrize("name", [*ALTERATIONS, *HARDER])
def test_altered_copies_are_near_duplicates_of_their_originals_only(name: str, originals: dict[str, Signature]) -> None:
    rng = np.random.default_rng(1)
    for original in NAMES:
        copy = extract({**ALTERATIONS, **HARDER}[name](pixels(original), rng))
        for stored, signature in originals.items():
            score, verdict = scored(copy, signature)
            if stored == original:
                assert verdict is Verdict.NEAR_DUPLICATE, (original, score)
            else:
                assert verdict is Verdict.UNRELATED, (original, stored, score)
                assert score < 0.05


def test_a_caption_that_two_images_share_makes_no_duplicates_of_them() -> None:
    signatures = {name: extract(with_caption(pixels(name))) for name in NAMES}
    agreeing = 0
    for one, other in itertools.combinations(NAMES, 2):
        measured = measure(signatures[one], signatures[other], None)
        agreeing += measured.geometry
        assert measured.covered < ENOUGH_COVERED
        assert scored(signatures[one], signatures[other])[1] is not Verdict.NEAR_DUPLICATE, (one, other)
    assert agreeing > 0, "or else this shows nothing"
    for name in NAMES:
        assert scored(extract(pixels(name)), signatures[name])[1] is Verdict.NEAR_DUPLICATE


def with_caption(rgb: Pixels) -> Pixels:
    """A dark bar at the top, with letters that the fit has not seen."""
    out = cv2.resize(rgb, (480, 400), interpolation=cv2.INTER_AREA).astype(np.uint8)
    cv2.rectangle(out, (0, 0), (480, 60), (15, 40, 70), -1)
    cv2.putText(out, "Evening News, page 12", (16, 40), cv2.FONT_HERSHEY_DUPLEX, 1.0, (250, 240, 200), 1, cv2.LINE_AA)
    return out


def made(seed: int) -> dict[str, Pixels]:
    rng = np.random.default_rng(seed)
    return {
        "document": document(rng),
        "shape": shape(rng),
        "flat": flat(rng),
        "on white": on_white(pixels(NAMES[seed]), rng),
        "photograph": pixels(NAMES[seed]),
    }


def test_unrelated_images_of_every_kind_are_unrelated() -> None:
    """Also those that are mostly white, of one colour, or almost without keypoints."""
    signatures = [(seed, kind, extract(image)) for seed in range(3) for kind, image in made(seed).items()]
    for (seed, kind, a), (other_seed, other_kind, b) in itertools.combinations(signatures, 2):
        if seed == other_seed and {kind, other_kind} == {"on white", "photograph"}:
            continue
        score, verdict = scored(a, b)
        assert verdict is Verdict.UNRELATED, (seed, kind, other_seed, other_kind, score)


@pytest.mark.parametrize("kind", ["document", "shape", "on white"])
def test_smaller_copies_of_every_kind_are_near_duplicates(kind: str) -> None:
    image = made(1)[kind]
    copy = extract(ALTERATIONS["resized to half"](image, np.random.default_rng(0)))
    assert scored(copy, extract(image))[1] is Verdict.NEAR_DUPLICATE


@pytest.mark.parametrize("ranking", Ranking)
def test_what_shows_nothing_is_like_nothing_but_its_like(ranking: Ranking) -> None:
    flat, dark, photograph = extract(FLAT), extract(np.zeros((9, 9, 3), np.uint8)), extract(pixels("rocket.jpg"))
    smaller = extract(FLAT[::2, ::2])
    for nothing in (flat, dark):
        for pair in ((nothing, photograph), (photograph, nothing)):
            found = compare(*pair, cosine=1.0, ranking=ranking)
            assert (found.score, found.verdict, found.low_information) == (0.0, Verdict.UNRELATED, True)
    found = compare(flat, smaller, cosine=1.0, ranking=ranking)
    assert (found.verdict, found.low_information) == (Verdict.SIMILAR, True)
    assert 0 < found.score <= SIMILAR_FROM
    assert not compare(photograph, photograph, cosine=1.0, ranking=ranking).low_information


@pytest.mark.parametrize("ranking", Ranking)
def test_the_same_bytes_are_identical_under_every_ranking(ranking: Ranking) -> None:
    for image in (FLAT, pixels("coffee.png")):
        found = compare(extract(image), extract(image), cosine=1.0, ranking=ranking, identical=True)
        assert (found.score, found.verdict) == (1.0, Verdict.IDENTICAL)


def test_the_same_pixels_score_highest(originals: dict[str, Signature]) -> None:
    for signature in originals.values():
        assert scored(signature, signature)[0] > 0.999
        assert scored(signature, signature, Ranking.CLASSIC)[0] > 0.99


def test_classic_is_the_mean_of_ssim_and_orb_ratio(originals: dict[str, Signature]) -> None:
    for a, b in itertools.product(originals.values(), repeat=2):
        found = compare(a, b, cosine=0.3, ranking=Ranking.CLASSIC)
        assert found.score == pytest.approx(np.clip((found.ssim + found.orb.ratio) / 2, 0, 1))


@pytest.mark.parametrize(("cosine", "score"), [(0.7, 0.7), (-0.4, 0.0), (None, 0.0)])
def test_cosine_ranks_by_the_cosine(cosine: float | None, score: float, originals: dict[str, Signature]) -> None:
    a, b = originals["coffee.png"], originals["rocket.jpg"]
    assert compare(a, b, cosine=cosine, ranking=Ranking.COSINE).score == score


def test_the_verdict_does_not_depend_on_the_ranking(originals: dict[str, Signature]) -> None:
    a, b = originals["coffee.png"], originals["rocket.jpg"]
    assert {compare(a, b, cosine=0.9, ranking=ranking).verdict for ranking in Ranking} == {Verdict.UNRELATED}


def test_the_cosine_of_an_unknown_model_orders_images_and_decides_nothing(originals: dict[str, Signature]) -> None:
    a, b = originals["coffee.png"], originals["rocket.jpg"]
    found = [compare(a, b, cosine=cosine, ranking=Ranking.FUSED, model="another-model") for cosine in (0.6, 0.8, 1.0)]
    assert sorted({one.score for one in found}) == [one.score for one in found]
    assert found[-1].score < 0.02
    assert {one.verdict for one in found} == {Verdict.UNRELATED}
    assert "cosine" not in fit_for("another-model").weights


@pytest.mark.parametrize("model", ["efficientnet-lite0-imagenet-f16", "another-model"])
def test_a_label_that_both_images_have_makes_them_similar(originals: dict[str, Signature], model: str) -> None:
    a, b = originals["coffee.png"], originals["rocket.jpg"]
    found = [
        compare(a, b, cosine=0.25, ranking=Ranking.FUSED, model=model, shared_labels=shared)
        for shared in (0.0, 0.4, 0.8)
    ]
    assert [one.verdict for one in found] == [Verdict.UNRELATED, Verdict.SIMILAR, Verdict.SIMILAR]
    assert found[0].score < SIMILAR_FROM < found[1].score < found[2].score <= SIMILAR_TO < VARIANT_FROM


def test_labels_that_two_images_share_count_by_their_probabilities() -> None:
    cat = [Label("tabby", 0.64), Label("tiger cat", 0.25)]
    assert shared_labels(cat, cat) == pytest.approx(0.89)
    assert shared_labels(cat, [Label("tiger cat", 0.49)]) == pytest.approx(0.35)
    assert shared_labels(cat, [Label("cup", 1.0)]) == shared_labels(cat, []) == 0.0


def test_without_a_cosine_the_fit_that_needs_none_is_used(originals: dict[str, Signature]) -> None:
    a, b = originals["coffee.png"], originals["coffee.png"]
    for model in json.loads(FIT.read_text(encoding="utf-8"))["fits"]:
        known = compare(a, b, cosine=None, ranking=Ranking.FUSED, model=model)
        assert known.score == compare(a, b, cosine=None, ranking=Ranking.FUSED).score


def test_every_shipped_fit_names_real_signals_and_orders_its_verdicts(originals: dict[str, Signature]) -> None:
    file = json.loads(FIT.read_text(encoding="utf-8"))
    known = measure(originals["coffee.png"], originals["rocket.jpg"], 0.5).signals()
    assert {"made_by", "data", "seed", "fits"} <= set(file)
    assert "any" in file["fits"]
    for model, shipped in file["fits"].items():
        fit = fit_for(model)
        assert isinstance(fit, Fit)
        assert set(fit.weights) <= set(known)
        assert 0 < fit.similar <= fit.near_duplicate < 1
        assert shipped["held_out"]["near_duplicate_precision"] >= 0.98


def test_the_regression_recovers_known_weights() -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(size=(20_000, 2)) * [1.0, 0.01]
    y = (rng.random(20_000) < 1 / (1 + np.exp(-(2 * x[:, 0] - 150 * x[:, 1] - 1)))).astype(float)
    weights, intercept = fit_ranking.fit(x, y)
    assert weights == pytest.approx([2, -150], rel=0.06)
    assert intercept == pytest.approx(-1, abs=0.08)


def test_the_threshold_is_the_least_score_of_that_precision() -> None:
    scores = np.array([0.9, 0.8, 0.7, 0.6, 0.5])
    truth = np.array([1.0, 1.0, 0.0, 1.0, 0.0])
    assert fit_ranking.threshold(scores, truth, 1.0) == 0.8
    assert fit_ranking.threshold(scores, truth, 0.75) == 0.6
    assert fit_ranking.threshold(scores, 1 - np.ones(5), 0.5) == 1.0


def test_the_worth_of_labels_is_recovered_from_pairs_of_known_kinds() -> None:
    rng = np.random.default_rng(5)
    cosines, labels = rng.normal(0.3, 0.1, (300, 300)), rng.uniform(0, 1, (300, 300))
    same = rng.random((300, 300)) < 1 / (1 + np.exp(-(20 * cosines + 8 * labels - 11)))
    assert fit_look_alikes.worth_of_labels(fit_look_alikes.Signs(cosines, labels), same) == pytest.approx(0.4, rel=0.05)


def test_the_figures_count_the_first_and_the_first_five_without_the_image_itself() -> None:
    same = np.arange(12)[:, np.newaxis] % 2 == np.arange(12) % 2
    assert fit_look_alikes.found(same + np.eye(12), same) == {"first": 1.0, "first_five": 1.0}
    assert fit_look_alikes.found(-1.0 * same, same) == {"first": 0.0, "first_five": 0.0}


def test_a_cosine_that_one_in_100_strangers_exceeds_is_as_likely_as_not(originals: dict[str, Signature]) -> None:
    strangers = np.random.default_rng(2).normal(0.2, 0.08, 50_000)
    intercept, weight = fit_look_alikes.curve(strangers)
    fit = Fit(0, {}, 0.7, 0.1, (intercept, weight, 0.0))
    assert fit.look_alike(float(np.quantile(strangers, 0.99))) == pytest.approx(0.5)
    assert fit.look_alike(float(np.median(strangers))) == pytest.approx(0.01)
    model = "efficientnet-lite0-imagenet-f16"
    a, b = originals["coffee.png"], originals["rocket.jpg"]
    scored = [compare(a, b, cosine=cosine, ranking=Ranking.FUSED, model=model) for cosine in (0.2, 0.45)]
    assert [found.verdict for found in scored] == [Verdict.UNRELATED, Verdict.SIMILAR]
    assert scored[0].score < SIMILAR_FROM < scored[1].score < 0.7
