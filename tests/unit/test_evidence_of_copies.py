"""What saving, exposure and filters do to a copy is no difference; another colour, text or cell is one."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance, ImageFont
from skimage.data import data_dir

from bench.negatives import kinds
from bench.negatives.canvas import Content, Style
from bench.negatives.scanning import scanned
from bench.quality.alterations import encoded
from shared.vision.decode.decoders import decode_in_process
from shared.vision.evidence import comparison, judgement
from shared.vision.evidence.differences import merged
from shared.vision.evidence.fine import decode_fine, encode_fine
from shared.vision.evidence.judgement import Judgement, Relation, judge
from shared.vision.evidence.registration import Overlap, Plane, refine_bend
from shared.vision.pixels import Pixels

SEED = 11


def judged(a: Pixels, b: Pixels) -> Judgement:
    return judge(encode_fine(a), encode_fine(b))


def photograph(name: str) -> Pixels:
    return decode_in_process((Path(data_dir) / name).read_bytes()).rgb


def document(kind: str) -> Pixels:
    return kinds.DRAWN[kind](Style([SEED, *kind.encode()]), Content([SEED, *kind.encode(), 1]))


def saved(rgb: Pixels, quality: int = 85) -> Pixels:
    return decode_in_process(encoded(rgb, quality)).rgb


def enhanced(name: str, factor: float, rgb: Pixels) -> Pixels:
    return saved(np.asarray(getattr(ImageEnhance, name)(Image.fromarray(rgb)).enhance(factor)))


def half_the_size(rgb: Pixels) -> Pixels:
    image = Image.fromarray(rgb)
    return saved(np.asarray(image.resize((image.width // 2, image.height // 2), Image.Resampling.LANCZOS)), 70)


def sepia(rgb: Pixels) -> Pixels:
    mixed = rgb @ np.array([[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]]).T
    return saved(np.clip(mixed, 0, 255).astype(np.uint8))


@pytest.mark.parametrize("change", [half_the_size, partial(enhanced, "Brightness", 1.6), sepia])
@pytest.mark.parametrize("name", ["coffee.png", "astronaut.png"])
def test_a_plain_copy_of_a_photograph_differs_nowhere(name: str, change: Callable[[Pixels], Pixels]) -> None:
    shown = photograph(name)
    found = judged(shown, change(shown))
    assert (found.relation, list(found.differences)) == (Relation.COPY, [])


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("web page", partial(enhanced, "Brightness", 1.6)),
        ("invoice", partial(enhanced, "Brightness", 1.3)),
        ("identity card", partial(enhanced, "Contrast", 1.4)),
        ("receipt", partial(saved, quality=20)),
    ],
)
def test_a_plain_copy_of_a_page_differs_nowhere(kind: str, change: Callable[[Pixels], Pixels]) -> None:
    """Clipping takes pale boxes from it, and compression takes fine detail."""
    drawn = document(kind)
    assert judged(drawn, change(drawn)).relation is Relation.COPY


def test_only_what_is_not_placed_exactly_is_compared_with_a_bend(monkeypatch: pytest.MonkeyPatch) -> None:
    bends: list[Overlap] = []

    def refine(over: Overlap, *planes: Plane) -> Overlap:
        bends.append(over)
        return refine_bend(over, *planes)

    monkeypatch.setattr(comparison, "refine_bend", refine)
    page = document("web page")
    assert judged(page, saved(page, quality=60)).relation is Relation.COPY
    assert bends == []
    other = kinds.different("web page", SEED, 0)
    assert judged(*(decode_in_process(data).rgb for data in (other.a, other.b))).relation is Relation.VARIANT
    assert bends


@pytest.mark.parametrize("change", [half_the_size, partial(saved, quality=60), np.rot90])
def test_a_copy_frame_onto_frame_needs_no_keypoints(
    monkeypatch: pytest.MonkeyPatch, change: Callable[[Pixels], Pixels]
) -> None:
    monkeypatch.setattr(judgement, "keypoints_in", None)
    for shown in (photograph("coffee.png"), document("diagram")):
        found = judged(shown, np.ascontiguousarray(change(shown)))
        assert found.relation is Relation.COPY
        assert found.overlap == pytest.approx((1, 1), abs=0.01)


@pytest.mark.parametrize("change", [partial(enhanced, "Brightness", 1.2), sepia, np.fliplr])
def test_what_else_has_changed_does(change: Callable[[Pixels], Pixels]) -> None:
    shown = photograph("coffee.png")
    a, b = (decode_fine(encode_fine(rgb)) for rgb in (shown, np.ascontiguousarray(change(shown))))
    assert comparison.compared_exactly(np.eye(3), a, b) is None
    assert judged(shown, np.ascontiguousarray(change(shown))).relation is Relation.COPY


@pytest.mark.parametrize("kind", ["invoice", "receipt", "table"])
def test_another_number_is_no_exact_copy(kind: str) -> None:
    first = Content([SEED, *kind.encode(), 1])
    a = kinds.DRAWN[kind](Style([SEED, *kind.encode()]), first)
    b = kinds.DRAWN[kind](Style([SEED, *kind.encode()]), Content([SEED, *kind.encode(), 1], [first.numbers[0]]))
    x, y = (decode_fine(encode_fine(rgb)) for rgb in (a, b))
    assert comparison.compared_exactly(np.eye(3), x, x.copy()) is not None
    assert comparison.compared_exactly(np.eye(3), x, y) is None


@pytest.mark.parametrize("place", range(4))
def test_a_product_of_another_colour_is_no_copy(place: int) -> None:
    pair = kinds.other_colour(SEED, place)
    assert judged(*(decode_in_process(data).rgb for data in (pair.a, pair.b))).relation is not Relation.COPY


@pytest.mark.parametrize(("kind", "seed", "place"), [("heat map", 777, 0), ("keyboard", 5150, 1)])
def test_other_cells_and_keys_are_no_noise_and_no_overlays(kind: str, seed: int, place: int) -> None:
    pair = kinds.different(kind, seed, place)
    assert judged(*(decode_in_process(data).rgb for data in (pair.a, pair.b))).relation is not Relation.COPY


def page_of_text(seed: int) -> Pixels:
    rng = np.random.default_rng(seed)
    words = ("river", "bottle", "stone", "garden", "winter", "glass", "number", "paper", "silent", "window", "forest")
    page = Image.new("RGB", (820, 1100), (252, 252, 250))
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(22)
    draw.text((300, 50), "THE HARBOUR", font=font, fill=(20, 20, 20))
    draw.line((90, 95, 730, 95), fill=(20, 20, 20), width=2)
    for y in range(120, 1040, 30):
        draw.text((90, y), " ".join(rng.choice(words, 9))[:58], font=font, fill=(20, 20, 20))
    return np.asarray(page)


def test_lines_upon_lines_of_other_text_have_no_base_in_common() -> None:
    a, b = (scanned(page_of_text(seed), np.random.default_rng(seed)) for seed in (1, 2))
    again = scanned(page_of_text(1), np.random.default_rng(3))
    assert judged(a, b).relation is Relation.NONE
    assert judged(a, again).relation is Relation.COPY


def with_bar(rgb: Pixels) -> Pixels:
    out, height = rgb.copy(), len(rgb)
    out[height // 2 : height // 2 + height // 8] = (30, 60, 140)
    place = (40, height // 2 + height // 12)
    written = cv2.putText(out, "COPY FOR ARCHIVE", place, cv2.FONT_HERSHEY_DUPLEX, 1, (255, 255, 255), 2)
    return saved(written.astype(np.uint8))


def with_line(rgb: Pixels) -> Pixels:
    place = (120, len(rgb) - 30)
    written = cv2.putText(rgb.copy(), "Received: yes", place, cv2.FONT_HERSHEY_DUPLEX, 0.9, (20, 30, 120), 2)
    return saved(written.astype(np.uint8))


def test_a_bar_over_text_is_an_overlay_and_a_further_line_is_not() -> None:
    page = page_of_text(4)
    barred, filled_in = judged(page, with_bar(page)), judged(page, with_line(page))
    assert (barred.relation, len(barred.overlays), list(barred.differences)) == (Relation.COPY, 1, [])
    assert (filled_in.relation, list(filled_in.overlays)) == (Relation.VARIANT, [])


def test_boxes_that_overlap_are_one() -> None:
    nested, apart, chained = (12, 12, 4, 4), (80, 0, 5, 5), (28, 10, 20, 10)
    assert merged([(10, 10, 20, 20), nested, apart, chained]) == [(10, 10, 38, 20), apart]


def bill(digit: str) -> Pixels:
    rng = np.random.default_rng(3)
    image = Image.new("RGB", (520, 360), (250, 248, 244))
    draw, face = ImageDraw.Draw(image), ImageFont.load_default(15)
    for row in range(12):
        draw.text((30, 20 + 26 * row), f"item {row + 1} of the order", (60, 60, 70), face)
        for column in range(3):
            whole, tenths = rng.integers(100), digit if (row, column) == (5, 1) else rng.integers(10)
            price = f"{whole}.{tenths}{rng.integers(10)}"
            draw.text((220 + 90 * column, 20 + 26 * row), price, (60, 60, 70), face)
    return np.asarray(image)


def turned(page: Pixels, degrees: float, seed: int) -> Pixels:
    height, width = page.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1) + np.array([[0, 0, 0.4], [0, 0, 0.3]])
    moved = cv2.warpAffine(page, turn, (width, height), borderValue=(250, 248, 244))
    soft = cv2.GaussianBlur(moved, (0, 0), 0.9)
    return np.clip(soft + np.random.default_rng(seed).normal(0, 2, page.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(("digit", "other"), [("1", "7"), ("2", "7")])
def test_another_digit_in_the_small_print_of_a_second_scan_is_a_difference(digit: str, other: str) -> None:
    first = saved(turned(bill(digit), 0.3, 1))
    assert judged(first, saved(turned(bill(other), -0.4, 2), 78)).relation is Relation.VARIANT
    assert judged(first, saved(turned(bill(digit), -0.4, 2), 78)).relation is Relation.COPY


@pytest.mark.parametrize("drawn", [0, 700])
def test_images_of_which_one_has_no_keypoints_are_judged(drawn: int) -> None:
    """A flat one, and one of soft stains, beside the same with dots."""
    flat = np.full((300, 420, 3), 90, np.uint8)
    stained = flat.copy()
    for at, place in enumerate(((90, 80), (300, 140), (180, 240))):
        cv2.circle(stained, place, 60, (90 + 30 * at, 140, 60), -1)
    stained = cv2.GaussianBlur(stained, (0, 0), 25).astype(np.uint8)
    rng = np.random.default_rng(SEED)
    for ground in (flat, stained):
        dotted = ground.copy()
        for x, y in rng.integers(0, (420, 300), (drawn, 2)):
            dotted[y : y + 2, x : x + 2] = 250
        assert judged(ground, dotted).relation in set(Relation)
        assert judged(dotted, ground).relation in set(Relation)
