"""Bars, stickers and marks laid over pages and photographs are overlays; what a page or a scene has of its own is not."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from skimage.data import data_dir

from bench.quality.alterations import encoded
from shared.vision.decode.decoding import decode_in_process
from shared.vision.evidence.fine import encode_fine
from shared.vision.evidence.judgement import Judgement, Relation, judge
from shared.vision.evidence.registration import area_within
from shared.vision.opencv import cv2

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
    draw.text((40, top + 20), "DRAFT COPY", (255, 255, 255), ImageFont.load_default(out.height // 9))
    return out


def stickered(image: Image.Image) -> Image.Image:
    """Paste a square picture over lines and letters."""
    out, side = image.copy(), image.height // 4
    sticker = Image.new("RGB", (side, side), (255, 255, 255))
    draw = ImageDraw.Draw(sticker)
    draw.rounded_rectangle((4, 4, side - 5, side - 5), side // 5, (210, 60, 150))
    draw.regular_polygon((side / 2, side / 2, side / 3), 5, fill=(255, 220, 60))
    out.paste(sticker, (round(0.25 * out.width), round(0.4 * out.height)))
    return out


def marked(image: Image.Image) -> Image.Image:
    """Lay a mark on half of white into the lower right corner, as agencies do."""
    out, width = image.copy(), image.width // 4
    mark = Image.new("RGB", (width, width // 2), (255, 255, 255))
    draw = ImageDraw.Draw(mark)
    draw.ellipse((8, 12, width // 3, width // 3 + 4), fill=(200, 90, 20))
    draw.text((width // 2, width // 6), "Finch", (90, 90, 90), ImageFont.load_default(width // 6))
    place = (out.width - width, out.height - width // 2)
    out.paste(Image.blend(out.crop((*place, out.width, out.height)), mark, 0.6), place)
    return out


def outlined(image: Image.Image) -> Image.Image:
    """Write white letters with a black outline over a page, some of them on blank paper."""
    out = image.copy()
    draw, face = ImageDraw.Draw(out), ImageFont.load_default(out.height // 14)
    for line, (y, anchor) in zip(("RIVER AND", "CASTLE ROAD"), ((0.2, "ma"), (0.86, "md")), strict=True):
        draw.text((0.5 * out.width, y * out.height), line, (255,) * 3, face, anchor, stroke_width=3, stroke_fill=0)
    return out


@pytest.mark.parametrize("alter", [barred, stickered, marked, outlined])
@pytest.mark.parametrize("turned", [False, True], ids=["original first", "copy first"])
def test_what_is_laid_over_a_page_is_an_overlay(
    alter: Callable[[Image.Image], Image.Image], turned: bool
) -> None:
    pair = report(), alter(report())
    found = judged(*(pair[::-1] if turned else pair))
    assert (found.relation, list(found.differences)) == (Relation.COPY, [])
    assert found.overlays


def test_what_is_laid_over_a_drawing_of_few_things_is_an_overlay() -> None:
    found = judged(emblem(), stickered(emblem()))
    assert (found.relation, list(found.differences)) == (Relation.COPY, [])
    assert found.overlays


def signed(image: Image.Image) -> Image.Image:
    out = image.copy()
    ImageDraw.Draw(out).text((0.74 * out.width, 0.91 * out.height), "J. Marlow", (20, 40, 160), ImageFont.load_default(26))
    return out


def with_another_box(image: Image.Image) -> Image.Image:
    out = image.copy()
    draw = ImageDraw.Draw(out)
    draw.rectangle((560, 28, 710, 66), (60, 140, 90))
    draw.text((635, 47), "approved", (255, 255, 255), ImageFont.load_default(22), anchor="mm")
    return out


@pytest.mark.parametrize("alter", [signed, with_another_box])
def test_what_stands_on_blank_paper_is_a_difference(alter: Callable[[Image.Image], Image.Image]) -> None:
    found = judged(report(), alter(report()))
    assert found.relation is Relation.VARIANT
    assert found.differences


def jar(colour: tuple[int, int, int]) -> Image.Image:
    image = Image.new("RGB", (400, 460), (250, 250, 250))
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((110, 60, 290, 430), 40, colour)
    draw.rectangle((150, 30, 250, 60), (50, 50, 54))
    draw.rectangle((130, 180, 250, 310), (250, 250, 246))
    draw.text((190, 215), "PLUM", (30, 30, 30), ImageFont.load_default(30), anchor="mm")
    draw.text((190, 265), "jam, 200 g", (30, 30, 30), ImageFont.load_default(18), anchor="mm")
    return image


def test_a_thing_of_another_colour_around_its_label_is_no_overlay() -> None:
    assert judged(jar((236, 236, 232)), jar((110, 50, 150))).relation is Relation.VARIANT


def darker(image: Image.Image) -> Image.Image:
    return Image.fromarray((255 * (np.asarray(image) / 255.0) ** 2).astype(np.uint8))


@pytest.mark.parametrize("name", ["astronaut.png", "coffee.png"])
def test_a_band_as_dark_as_the_photograph_is_an_overlay(name: str) -> None:
    shown = photograph(name)
    found = judged(shown, barred(darker(shown)))
    assert (found.relation, list(found.differences)) == (Relation.COPY, [])
    assert found.overlays


def test_a_rectangle_in_the_colours_of_the_scene_is_an_overlay() -> None:
    shown = photograph("coffee.png")
    out = shown.copy()
    draw = ImageDraw.Draw(out)
    draw.rectangle((330, 60, 450, 180), (110, 70, 40))
    draw.ellipse((350, 80, 430, 160), fill=(40, 24, 16))
    found = judged(shown, out)
    assert (found.relation, list(found.differences)) == (Relation.COPY, [])


def test_letters_displaced_by_a_part_of_a_pixel_are_the_same() -> None:
    page = np.asarray(report())
    rows, columns = np.mgrid[0 : page.shape[0], 0 : page.shape[1]].astype(np.float32)
    # A bend of one corner, as where paper does not lie flat on the glass.
    near = np.exp(-(((columns - 560) / 60) ** 2 + ((rows - 110) / 40) ** 2))
    bent = cv2.remap(page, columns + 1.9 * near, rows + 1.9 * near, cv2.INTER_CUBIC)
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
    assert area_within(frame + [width / 2, 0], width, height) == pytest.approx(width * height / 2)
    assert area_within(frame + [2 * width, 0], width, height) == 0
