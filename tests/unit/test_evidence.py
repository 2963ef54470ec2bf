"""Copies agree in all that both show; images of one base are told apart by the parts that differ."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage.data import data_dir

from bench.negatives import kinds
from bench.negatives.canvas import Content, Style
from bench.quality.alterations import ALTERATIONS
from shared.vision.decode.decoders import decode_in_process
from shared.vision.evidence.fine import LONGEST, decode_fine, encode_fine
from shared.vision.evidence.judgement import Judgement, Relation, judge, swapped
from shared.vision.pixels import Pixels

SEED = 3


@pytest.fixture(scope="module")
def photograph() -> Pixels:
    return decode_in_process((Path(data_dir) / "rocket.jpg").read_bytes()).rgb


def judged(a: Pixels, b: Pixels) -> Judgement:
    return judge(encode_fine(a), encode_fine(b))


def altered(rgb: Pixels, name: str) -> Pixels:
    return ALTERATIONS[name](rgb, np.random.default_rng(SEED))


@pytest.mark.parametrize(
    "name",
    [
        "JPEG 20",
        "resized to 50 %",
        "resized to 25 %",
        "cropped by 50 %",
        "rotated by 5 degrees",
        "turned by 90 degrees",
        "turned by 180 degrees",
        "mirrored",
        "brighter (x 1.6)",
        "gamma 2",
        "gray",
        "noise sigma 25",
        "border of 20 %",
    ],
)
def test_a_copy_differs_nowhere(photograph: Pixels, name: str) -> None:
    found = judged(photograph, altered(photograph, name))
    assert found.relation is Relation.COPY
    assert not found.differences
    assert found.mirrored == (name == "mirrored")


def test_a_copy_inside_a_screenshot_differs_nowhere() -> None:
    shown = decode_in_process((Path(data_dir) / "coffee.png").read_bytes()).rgb
    found = judged(shown, altered(shown, "screenshot"))
    assert found.relation is Relation.COPY
    assert found.overlap[0] > 0.98
    assert found.overlap[1] == pytest.approx(0.45, abs=0.1)


def test_a_text_bar_is_laid_over(photograph: Pixels) -> None:
    found = judged(photograph, altered(photograph, "text bar over a fifth"))
    assert found.relation is Relation.COPY
    assert found.overlays


@pytest.mark.parametrize("kind", ["invoice", "receipt", "business card", "table"])
def test_one_other_number_is_found_where_it_is(kind: str) -> None:
    style = [SEED, *kind.encode()]
    first = Content([*style, 1])
    a = kinds.DRAWN[kind](Style(style), first)
    b = kinds.DRAWN[kind](Style(style), Content([*style, 1], [first.numbers[-1]]))
    found = judged(a, b)
    assert found.relation is Relation.VARIANT
    rows, columns = np.nonzero((a != b).any(axis=2))
    box = found.differences[0].first
    height, width = a.shape[:2]
    assert box.left * width < columns.mean() < (box.left + box.width) * width
    assert box.top * height < rows.mean() < (box.top + box.height) * height
    assert box.width * box.height < 0.05


@pytest.mark.parametrize("kind", ["invoice", "QR code", "bar chart", "chat", "slide", "poster", "identity card"])
def test_different_things_of_one_kind_are_no_copies(kind: str) -> None:
    pair = kinds.different(kind, SEED, 0)
    found = judged(*(decode_in_process(data).rgb for data in (pair.a, pair.b)))
    assert found.relation is not Relation.COPY


def test_a_thing_of_another_colour_is_no_copy(photograph: Pixels) -> None:
    other = photograph.copy()
    cv2.circle(other, (300, 200), 60, (60, 60, 170), -1)
    same = other.copy()
    cv2.circle(same, (300, 200), 60, (120, 45, 40), -1)
    found = judged(other, same)
    assert found.relation is Relation.VARIANT
    box = found.differences[0].second
    assert 240 / 640 - 0.05 < box.left < 300 / 640


def test_what_moved_is_no_overlay(photograph: Pixels) -> None:
    def with_disk(x: int) -> Pixels:
        out = photograph.copy()
        cv2.circle(out, (x, 220), 40, (220, 180, 140), -1, cv2.LINE_AA)
        return out

    assert judged(with_disk(200), with_disk(420)).relation is Relation.VARIANT


@pytest.mark.parametrize("change", [lambda rgb: altered(rgb, "mirrored"), lambda rgb: altered(rgb, "gamma 2")])
def test_the_order_makes_no_difference(photograph: Pixels, change: Callable[[Pixels], Pixels]) -> None:
    other = change(photograph)
    assert judged(photograph, other) == swapped(judged(other, photograph))


def test_the_fine_image_is_small_and_never_enlarged(photograph: Pixels) -> None:
    assert decode_fine(encode_fine(photograph)).shape == photograph.shape
    large = np.zeros((3000, 2000, 3), np.uint8)
    assert max(decode_fine(encode_fine(large)).shape) == LONGEST
    with pytest.raises(ValueError, match="in detail"):
        decode_fine(b"no image")


def test_a_long_image_at_a_quarter_of_its_size_is_compared(photograph: Pixels) -> None:
    long = np.ascontiguousarray(photograph[200:320, :411])
    small = cv2.resize(long, (103, 30), interpolation=cv2.INTER_AREA).astype(np.uint8)
    assert judged(long, small).relation in Relation


def test_flat_images_are_nothing_to_each_other() -> None:
    gray = np.full((200, 300, 3), 120, np.uint8)
    assert judged(gray, gray + np.uint8(9)).relation is Relation.NONE
