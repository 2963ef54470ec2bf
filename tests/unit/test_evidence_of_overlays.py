"""What a program lays over or around a copy is no difference; two images in one frame, or with two overlays, differ."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from skimage.data import data_dir

from bench.quality.alterations import encoded
from shared.vision.decode.decoders import decode_in_process
from shared.vision.evidence.fine import encode_fine
from shared.vision.evidence.judgement import Judgement, Relation, judge
from shared.vision.evidence.layers import flat_share, translucent_share


@cache
def photograph(name: str) -> Image.Image:
    return Image.fromarray(decode_in_process((Path(data_dir) / name).read_bytes()).rgb)


def saved(image: Image.Image) -> bytes:
    return encode_fine(decode_in_process(encoded(np.asarray(image), 88)).rgb)


def judged(a: Image.Image, b: Image.Image) -> Judgement:
    return judge(saved(a), saved(b))


def star(image: Image.Image, at: tuple[int, int] = (330, 60)) -> Image.Image:
    out = image.copy()
    turns = np.arange(10) * np.pi / 5
    radius = np.where(np.arange(10) % 2, 20, 48)
    corners = np.stack([at[0] + radius * np.sin(turns), at[1] - radius * np.cos(turns)], axis=1)
    ImageDraw.Draw(out).polygon([tuple(corner) for corner in corners.tolist()], fill=(235, 60, 160))
    return out


def watermarked(image: Image.Image) -> Image.Image:
    layer = Image.new("L", image.size, 0)
    face = ImageFont.load_default(image.width // 8)
    ImageDraw.Draw(layer).text((image.width / 2, image.height / 2), "SPECIMEN", fill=130, font=face, anchor="mm")
    out = image.copy()
    out.paste((255, 255, 255), (0, 0), layer.rotate(20))
    return out


def rounded(image: Image.Image) -> Image.Image:
    mask = Image.new("L", image.size, 0)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, image.width - 1, image.height - 1), image.width // 10, fill=255)
    out = Image.new("RGB", image.size, (255, 255, 255))
    out.paste(image, (0, 0), mask)
    return out


def subtitled(image: Image.Image, words: str = "we were never told why") -> Image.Image:
    out = image.copy()
    draw, face = ImageDraw.Draw(out), ImageFont.load_default(image.height // 14)
    place = (image.width / 2, 0.92 * image.height)
    draw.text(place, words, (255, 255, 255), face, anchor="md", stroke_width=2, stroke_fill=(0, 0, 0))
    return out


def on_a_telephone(image: Image.Image) -> Image.Image:
    screen = Image.new("RGB", (360, 760), (250, 250, 250))
    draw, face = ImageDraw.Draw(screen), ImageFont.load_default(15)
    draw.text((20, 10), "11:42", (20, 20, 20), face)
    screen.paste(image.resize((360, round(360 * image.height / image.width))), (0, 90))
    for line in range(12):
        draw.text((20, 490 + 20 * line), f"a comment of some words, the {line + 1}th of them", (60, 60, 60), face)
    return screen


@pytest.mark.parametrize("change", [star, watermarked, rounded, subtitled])
def test_what_is_laid_over_a_photograph_is_an_overlay(change: Callable[[Image.Image], Image.Image]) -> None:
    shown = photograph("astronaut.png")
    found = judged(shown, change(shown))
    assert (found.relation, list(found.differences)) == (Relation.COPY, [])
    assert found.overlays


def test_what_is_around_a_photograph_is_no_difference() -> None:
    shown = photograph("astronaut.png")
    found = judged(shown, on_a_telephone(shown))
    assert (found.relation, list(found.differences), list(found.overlays)) == (Relation.COPY, [], [])
    assert found.overlap[0] > 0.97
    assert found.overlap[1] == pytest.approx(360 / 760, abs=0.03)


def test_different_overlays_are_a_difference() -> None:
    shown = photograph("astronaut.png")
    moved = judged(star(shown), star(shown, (90, 330)))
    reworded = judged(subtitled(shown), subtitled(shown, "nobody was there at all"))
    assert {moved.relation, reworded.relation} == {Relation.VARIANT}


def test_two_photographs_inside_one_host_are_no_copies() -> None:
    host = photograph("motorcycle_left.png").resize((740, 500))

    def with_inset(name: str) -> Image.Image:
        out = host.copy()
        out.paste(photograph(name).resize((240, 240)), (460, 40))
        return out

    assert judged(with_inset("chelsea.png"), with_inset("coffee.png")).relation is Relation.VARIANT


def test_layers_explain_mixtures_and_nothing_else() -> None:
    rng = np.random.default_rng(5)
    under, other = (rng.normal(120, 40, 3000).astype(np.float32) for _ in range(2))
    flat = np.where(rng.random(3000) < 0.4, 20, 240).astype(np.float32)
    assert flat_share(flat, under) == 1.0
    assert flat_share(other, under) < 0.75
    assert translucent_share(0.5 * under + 100, under) == 1.0
    assert translucent_share(other, under) < 0.5
    assert translucent_share(under + 30, under) == 0.0
