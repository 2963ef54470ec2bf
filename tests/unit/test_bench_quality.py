"""The quality benchmark itself: reproducible alterations and correct metrics."""

from pathlib import Path

import numpy as np
import pytest

from bench.quality.alterations import ALTERATIONS, HARD, altered
from bench.quality.collection import images
from bench.quality.metrics import Answer, recall_at_precision
from bench.through_api import templates
from bench.through_api.same_kind import held_out
from bench.through_api.symmetry import NOT_SHOWN, Stored, equal, markdown
from shared.vision.decode.decoding import decode
from shared.vision.resizing import shrink_to_fit
from tests.images import pixels


@pytest.mark.parametrize("name", [*ALTERATIONS, *HARD])
def test_an_alteration_is_reproducible_and_changes_the_image(name: str) -> None:
    rgb = shrink_to_fit(pixels("coffee.png"), 200)
    before = rgb.copy()
    made = altered(rgb, name, 1, 2)
    assert altered(rgb, name, 1, 2) == made
    assert np.array_equal(rgb, before)
    copy = decode(made).rgb
    assert copy.shape != rgb.shape or np.abs(copy.astype(int) - rgb).mean() > 0.5


@pytest.mark.parametrize(
    ("area", "name"), [(0.9, "cropped by 10 %"), (0.5, "cropped by 50 %"), (0.2, "cropped by 80 %")]
)
def test_crops_keep_the_fraction_in_their_name(area: float, name: str) -> None:
    rgb = shrink_to_fit(pixels("coffee.png"), 300)
    kept = ALTERATIONS[name](rgb, np.random.default_rng(0))
    assert kept.shape[0] * kept.shape[1] / (rgb.shape[0] * rgb.shape[1]) == pytest.approx(area, abs=0.01)


def answer(ranked: str, scores: list[float], right: str) -> Answer:
    return Answer.of("method", "alteration", list(ranked), scores, set(right))


def test_recall_and_average_precision_follow_their_definitions() -> None:
    second = answer("xabyc", [0.9, 0.8, 0.7, 0.6, 0.5], "ac")
    assert (second.recall_at(1), second.recall_at(2)) == (0.0, 1.0)
    assert second.average_precision == pytest.approx((1 / 2 + 2 / 5) / 2)
    missed = answer("xy", [0.9, 0.8], "a")
    assert (missed.recall_at(50), missed.average_precision) == (0.0, 0.0)


def test_recall_at_a_precision_uses_the_lowest_sufficient_threshold() -> None:
    known = [answer("ax", [0.9, 0.3], "a"), answer("bx", [0.8, 0.7], "b"), answer("xc", [0.6, 0.5], "c")]
    assert recall_at_precision(known, 1.0) == (2 / 3, 0.8)
    assert recall_at_precision(known, 0.6) == (1.0, 0.5)
    tied = [answer("ax", [0.9, 0.9], "a")]
    assert recall_at_precision(tied, 0.99) == (0.0, float("inf"))


def test_subfolders_group_images_and_files_without_one_are_separate(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    plain, grouped = (tmp_path_factory.mktemp(name) for name in ("plain", "grouped"))
    for name in ("a.jpg", "b.jpg"):
        (plain / name).touch()
    for name in ("cat/1.jpg", "cat/2.jpg", "dog/1.jpg"):
        (grouped / name).parent.mkdir(exist_ok=True)
        (grouped / name).touch()
    assert sorted(group for _, group in images(plain)) == ["a", "b"]
    assert sorted(group for _, group in images(grouped)) == ["cat", "cat", "dog"]
    assert images(grouped) == images(grouped)


def test_an_image_that_a_search_does_not_show_may_only_be_farther() -> None:
    assert equal("variant", "variant")
    assert equal(NOT_SHOWN, "similar")
    assert not equal(NOT_SHOWN, "variant")
    assert not equal("similar", "unrelated")


def test_pairs_with_several_verdicts_are_counted_and_shown() -> None:
    pair = Stored("invoice", (b"a", b"b"), ("a", "b"))
    said = [{"one": "variant", "two": "variant"}, {"one": "variant", "two": "near-duplicate"}]
    report = markdown([pair, pair], said)
    assert "1 of 2 pairs (0.500)" in report
    assert "| two | 2 | 0.500 | 0 |" in report
    assert "| invoice | variant | two: near-duplicate |" in report
    assert "call copies, and others do not: 1." in report


def test_every_other_kind_is_held_out(tmp_path: Path) -> None:
    for kind in ("a", "b", "c", "d"):
        (tmp_path / kind).mkdir()
        (tmp_path / kind / "1.jpg").touch()
    assert list(held_out(tmp_path, 5).values()) == ["b", "d"]
    assert list(held_out(tmp_path, 1).values()) == ["b"]


def test_documents_of_one_template_in_one_group_are_counted() -> None:
    one = templates.Grouped()
    one.add(["a", "b", "c"], "copy", {frozenset("ab"), frozenset(("a", "copy"))})
    assert (one.pairs, one.together, one.copies, one.found) == (3, 1, 1, 1)
    assert "| invoice | 3 | 1 | 1 | 1 |" in templates.markdown({"invoice": one, "form": templates.Grouped()}, [5])
