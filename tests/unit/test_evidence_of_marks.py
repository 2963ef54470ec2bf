"""Bars, stickers and marks laid over pages and photographs are overlays; what a page or a scene has is not."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from skimage.data import data_dir

from bench.quality.alterations import encoded
from bench.through_api.templates import draw
from shared.vision.decode.decoders import decode_in_process
from shared.vision.evidence.differences import Region, agreement, window_variance
from shared.vision.evidence.fine import encode_fine
from shared.vision.evidence.foreign import laid_over_page
from shared.vision.evidence.geometry import area_within
from shared.vision.evidence.judgement import Judgement, Relation, judge
from shared.vision.evidence.sides import OverlaidImage
from shared.vision.evidence.tone import gray, tones
from shared.vision.opencv import cv2

WHITE, BLACK = (255, 255, 255), (0, 0, 0)
PAPER, INK = (244, 240, 228), (30, 34, 60)


def saved(image: Image.Image, quality: int = 85) -> bytes:
    return encode_fine(decode_in_process(encoded(np.asarray(image), quality)).rgb)


def judged(a: Image.Image, b: Image.Image) -> Judgement:
    return judge(saved(a), saved(b, 78))


@cache
def photograph(name: str) -> Image.Image:
    return Image.fromarray(decode_in_process((Path(data_dir) / name).read_bytes()).rgb)


@cache
def report() -> Image.Image:
    """A page with a heading, a table and a curve, and margins."""
    rng = np.random.default_rng(12)
    image = Image.new("RGB", (760, 560), PAPER)
    draw, face = ImageDraw.Draw(image), ImageFont.load_default(15)
    draw.text((50, 30), "Rainfall by station", INK, ImageFont.load_default(28))
    for row in range(9):
        draw.text((50, 90 + 24 * row), f"station {row + 1}", INK, face)
        for column in range(5):
            draw.text((180 + 90 * column, 90 + 24 * row), f"{rng.integers(1000) / 10:.1f}", INK, face)
    heights = 420 + 60 * np.sin(np.arange(61) / 4) + rng.normal(0, 8, 61)
    draw.line(list(zip((50 + 10 * np.arange(61)).tolist(), heights.tolist(), strict=True)), (160, 40, 40), 3)
    draw.line((50, 320, 50, 500, 660, 500), INK, 2)
    return image


@cache
def emblem() -> Image.Image:
    """A drawing of few things."""
    image = Image.new("RGB", (560, 320), (250, 250, 250))
    draw = ImageDraw.Draw(image)
    draw.regular_polygon((150, 160, 120), 7, fill=(30, 110, 90))
    draw.ellipse((100, 110, 200, 210), fill=(250, 250, 250))
    draw.text((300, 110), "Larkfield", (40, 40, 40), ImageFont.load_default(54))
    return image


def barred(image: Image.Image) -> Image.Image:
    out = image.copy()
    draw, top = ImageDraw.Draw(out), round(0.5 * out.height)
    draw.rectangle((0, top, out.width, top + out.height // 5), (20, 20, 20))
    draw.text((40, top + 20), "DRAFT COPY", WHITE, ImageFont.load_default(out.height // 9))
    return out


def stickered(image: Image.Image) -> Image.Image:
    """Paste a square picture over lines and letters."""
    out, side = image.copy(), image.height // 4
    sticker = Image.new("RGB", (side, side), WHITE)
    draw = ImageDraw.Draw(sticker)
    draw.rounded_rectangle((4, 4, side - 5, side - 5), side // 5, (210, 60, 150))
    draw.regular_polygon((side / 2, side / 2, side / 3), 5, fill=(255, 220, 60))
    out.paste(sticker, (round(0.25 * out.width), round(0.4 * out.height)))
    return out


def marked(image: Image.Image) -> Image.Image:
    """Lay a mark on half of white into the lower right corner, as agencies do."""
    out, width = image.copy(), image.width // 4
    mark = Image.new("RGB", (width, width // 2), WHITE)
    draw = ImageDraw.Draw(mark)
    draw.ellipse((8, 12, width // 3, width // 3 + 4), fill=(200, 90, 20))
    draw.text((width // 2, width // 6), "Finch", (90, 90, 90), ImageFont.load_default(width // 6))
    place = (out.width - width, out.height - width // 2)
    out.paste(Image.blend(out.crop((*place, out.width, out.height)), mark, 0.6), place)
    return out


@cache
def chart(words: bool = False) -> Image.Image:
    image = Image.new("RGB", (760, 460), (250, 249, 240))
    draw, small, large = ImageDraw.Draw(image), ImageFont.load_default(16), ImageFont.load_default(42)
    draw.line((60, 20, 60, 420, 730, 420), (60, 60, 60), 2)
    for place, height in enumerate((180, 330, 90, 260, 370, 140, 300, 220)):
        colour = (31, 119, 180) if place % 2 else (255, 127, 14)
        draw.rectangle((80 + 80 * place, 420 - height, 130 + 80 * place, 419), colour)
        draw.text((95 + 80 * place, 428), f"Q{place + 1}", (60, 60, 60), small)
    if words:
        for y, anchor, line in ((20, "ma", "THE LAST QUARTER"), (440, "md", "OF ALL SEASONS")):
            draw.text((380, y), line, WHITE, large, anchor, stroke_width=3, stroke_fill=BLACK)
    return image


@pytest.mark.parametrize(
    ("drawn", "altered"),
    [
        pytest.param(report, lambda: marked(report()), id="mark in a page's corner"),
        pytest.param(emblem, lambda: marked(emblem()), id="mark in a logo's corner"),
        pytest.param(emblem, lambda: barred(emblem()), id="bar over a logo"),
        pytest.param(emblem, lambda: stickered(emblem()), id="sticker over a logo"),
        pytest.param(report, lambda: stickered(report()), id="sticker over a page"),
        pytest.param(chart, lambda: chart(words=True), id="words over a chart"),
    ],
)
@pytest.mark.parametrize("turned", [False, True], ids=["original first", "copy first"])
def test_what_is_laid_over_a_drawing_is_an_overlay(
    drawn: Callable[[], Image.Image], altered: Callable[[], Image.Image], turned: bool
) -> None:
    pair = drawn(), altered()
    found = judged(*(pair[::-1] if turned else pair))
    assert (found.relation, list(found.differences)) == (Relation.COPY, [])
    assert found.overlays


def signed(image: Image.Image) -> Image.Image:
    out = image.copy()
    ImageDraw.Draw(out).text(
        (0.74 * out.width, 0.91 * out.height), "J. Marlow", (20, 40, 160), ImageFont.load_default(26)
    )
    return out


def with_another_box(image: Image.Image) -> Image.Image:
    out = image.copy()
    draw = ImageDraw.Draw(out)
    draw.rectangle((560, 28, 710, 66), (60, 140, 90))
    draw.text((635, 47), "approved", WHITE, ImageFont.load_default(22), anchor="mm")
    return out


@pytest.mark.parametrize("alter", [signed, with_another_box])
def test_what_stands_on_blank_paper_is_a_difference(alter: Callable[[Image.Image], Image.Image]) -> None:
    found = judged(report(), alter(report()))
    assert found.relation is Relation.VARIANT
    assert found.differences


def jar(colour: tuple[int, int, int]) -> Image.Image:
    image = Image.new("RGB", (400, 460), (250, 250, 250))
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((110, 90, 290, 430), 40, colour)
    draw.rectangle((150, 60, 250, 110), colour)
    draw.rectangle((160, 30, 240, 62), (50, 50, 54))
    draw.rectangle((130, 180, 250, 310), (250, 250, 246))
    draw.text((190, 215), "PLUM", (30, 30, 30), ImageFont.load_default(30), anchor="mm")
    draw.text((190, 265), "jam, 200 g", (30, 30, 30), ImageFont.load_default(18), anchor="mm")
    light = np.linspace(1, 0.82, 400)[np.newaxis, :, np.newaxis]
    return Image.fromarray((np.asarray(image) * light).astype(np.uint8))


def test_a_thing_of_another_colour_around_its_label_is_no_overlay() -> None:
    assert judged(jar((236, 236, 232)), jar((110, 50, 150))).relation is Relation.VARIANT


def logo(word: str, turned: bool = False) -> Image.Image:
    image = Image.new("RGB", (620, 320), WHITE)
    draw, x = ImageDraw.Draw(image), 480 if turned else 140
    draw.regular_polygon((x, 160, 110), 6, fill=(40, 90, 170))
    draw.regular_polygon((x, 160, 55), 6, fill=WHITE)
    draw.text((60 if turned else 290, 110), word, (30, 30, 40), ImageFont.load_default(60))
    return image


def test_half_of_a_logo_that_is_half_of_another_one_mirrored_makes_no_copy() -> None:
    assert judged(logo("AHA"), logo("Harvest", turned=True)).relation is not Relation.COPY


def keys(lit: str, colour: tuple[int, int, int] = (116, 160, 146)) -> Image.Image:
    """Draw keys of which some have another colour."""
    image = Image.new("RGB", (640, 240), (46, 48, 54))
    draw, face = ImageDraw.Draw(image), ImageFont.load_default(20)
    for row, names in enumerate(("1234567890-=", "qwertyuiop[]", "asdfghjkl;'#", "zxcvbnm,./<>")):
        for column, name in enumerate(names):
            left, top = 8 + 50 * column + 8 * row, 8 + 57 * row
            draw.rounded_rectangle(
                (left, top, left + 45, top + 50), 5, (116, 160, 146) if name in lit else (78, 80, 86)
            )
            draw.text((left + 22, top + 25), name, (225, 225, 225), face, anchor="mm")
    return image


@pytest.mark.parametrize(("lit", "other"), [("", "28u0asfjk]#n,<"), ("17-tyui]dhv,", "28u0asfjk]#n,<")])
def test_keys_that_are_lit_are_no_overlay(lit: str, other: str) -> None:
    assert judged(keys(lit), keys(other)).relation is Relation.VARIANT


def test_most_tiles_of_another_shade_are_no_noise() -> None:
    wall = np.full((400, 400), 120, np.float32)
    wall[::40], wall[:, ::40] = 200, 200
    other = wall.copy()
    other[:, 120:][wall[:, 120:] == 120] += 30
    found = agreement(wall, other, window_variance(other), np.ones(wall.shape, bool), np.ones_like(wall))
    assert found.differs[20::40, 140::40].all()
    assert not found.differs[20::40, 20:120:40].any()


def test_a_strip_along_the_very_edge_is_no_mark() -> None:
    """It lies in the pixels that are left out because a page's edge is blurred."""
    page = np.full((64, 64), 200, np.float32)
    page[10:40:6, 8:56] = 20
    other = page.copy()
    other[40:, 62:] = 90
    mask = page != other
    found = agreement(page, other, window_variance(page), np.ones(page.shape, bool), np.ones_like(page))
    over, under = (
        SimpleNamespace(fits=fits, foreign=foreign, seam=0.0, flat=0.0) for fits, foreign in ((0.1, 0.9), (0.9, 0.1))
    )
    sides: Any = lambda: (over, under)  # noqa: E731
    colours = tuple(np.repeat(one[:, :, np.newaxis], 3, axis=2).astype(np.uint8) for one in (page, other))
    strip = Region(mask, (62, 40, 2, 24), int(mask.sum()), 1.0)
    assert laid_over_page(found, strip, sides, (colours[0], colours[1])) is OverlaidImage.NEITHER


def darker(image: Image.Image) -> Image.Image:
    return Image.fromarray((255 * (np.asarray(image) / 255.0) ** 2).astype(np.uint8))


def test_a_band_as_dark_as_the_photograph_is_an_overlay() -> None:
    shown = photograph("coffee.png")
    found = judged(shown, barred(darker(shown)))
    assert (found.relation, list(found.differences)) == (Relation.COPY, [])
    assert found.overlays


def test_a_rectangle_in_the_colours_of_the_scene_is_an_overlay() -> None:
    shown = darker(photograph("coffee.png"))
    out = shown.copy()
    sticker = Image.new("RGB", (140, 140), WHITE)
    draw = ImageDraw.Draw(sticker)
    draw.rounded_rectangle((5, 5, 134, 134), 28, (100, 130, 30))
    draw.regular_polygon((70, 70, 35), 5, fill=(20, 20, 30))
    out.paste(sticker, (20, 20))
    found = judged(shown, out)
    assert (found.relation, list(found.differences)) == (Relation.COPY, [])


@pytest.mark.parametrize("turned", [False, True])
def test_a_bar_over_a_page_is_no_change_of_tone(turned: bool) -> None:
    page = np.asarray(report())
    covered = page.copy()
    covered[300:500] = 20
    pair = (covered, page) if turned else (page, covered)
    toned = next(tones(*pair, np.ones(page.shape[:2], bool)))
    assert np.array_equal(toned.a, gray(pair[0]))
    assert np.array_equal(toned.b, gray(pair[1]))


@pytest.mark.parametrize("pixels", [0.5, 1.5])
def test_letters_displaced_by_a_part_of_a_pixel_are_the_same(pixels: float) -> None:
    page = np.asarray(report())
    rows, columns = np.mgrid[0 : page.shape[0], 0 : page.shape[1]].astype(np.float32)
    # As where paper does not lie flat on the glass.
    bend = np.float32(pixels) * np.exp(-(((columns - 560) / 60) ** 2 + ((rows - 110) / 40) ** 2))
    bent = cv2.remap(page, columns + bend, rows + bend, cv2.INTER_CUBIC)
    found = judged(report(), Image.fromarray(bent.astype(np.uint8)))
    assert (found.relation, list(found.differences)) == (Relation.COPY, [])


def test_the_area_within_an_image_is_right_where_edges_nearly_coincide() -> None:
    width, height = 841, 480
    frame = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)
    rng = np.random.default_rng(0)
    for size in (1e-6, 1e-5, 1e-4):
        for _ in range(200):
            near = area_within(frame + rng.normal(0, size, (4, 2)), width, height)
            assert near == pytest.approx(width * height, rel=1e-4)
    assert area_within(frame / 2 + 100, width, height) == pytest.approx(width * height / 4)
    assert area_within(frame + np.array([width / 2, 0]), width, height) == pytest.approx(width * height / 2)
    assert area_within(frame + np.array([2 * width, 0]), width, height) == 0


def test_other_words_on_a_scanned_card_are_nothing_laid_over_it(tmp_path: Path) -> None:
    """They cut as many lines of the other card's words as a stamp does, and paper has noise of its own."""
    documents, _ = draw("business card", 20261202, tmp_path)
    one, other = (encode_fine(decode_in_process(documents[at].read_bytes()).rgb) for at in (0, 3))
    assert judge(one, other).relation is Relation.VARIANT
