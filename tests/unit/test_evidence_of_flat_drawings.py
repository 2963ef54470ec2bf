"""Of flags and icons in few flat colours, another colour is a difference, and saving is none."""

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance, ImageFont

from bench.quality.alterations import encoded
from shared.vision.decode.decoders import decode_in_process
from shared.vision.evidence.differences import agreement, window_variance
from shared.vision.evidence.fine import encode_fine
from shared.vision.evidence.judgement import Judgement, Relation, judge
from shared.vision.evidence.pages import is_page

Colour = tuple[int, int, int]
WHITE, BLACK, RED, GREEN, BLUE, YELLOW = (
    (255, 255, 255),
    (0, 0, 0),
    (206, 43, 55),
    (0, 140, 70),
    (0, 35, 149),
    (255, 205, 0),
)


def judged(a: Image.Image, b: Image.Image) -> Judgement:
    first, second = (encode_fine(np.asarray(image.convert("RGB"))) for image in (a, b))
    return judge(first, second)


def flag(*colours: Colour) -> Image.Image:
    image = Image.new("RGB", (480, 320))
    draw = ImageDraw.Draw(image)
    for place, colour in enumerate(colours):
        draw.rectangle((160 * place, 0, 160 * place + 159, 319), colour)
    return image


def initial(ground: Colour) -> Image.Image:
    image = Image.new("RGB", (256, 256), ground)
    ImageDraw.Draw(image).text((128, 128), "A", WHITE, ImageFont.load_default(120), anchor="mm")
    return image


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (flag(WHITE, BLACK, BLUE), flag(WHITE, RED, YELLOW)),
        (flag(RED, GREEN, BLUE), flag(RED, BLACK, WHITE)),
        (initial((200, 60, 50)), initial((40, 90, 200))),
    ],
)
def test_a_flat_drawing_in_other_colours_is_no_copy(a: Image.Image, b: Image.Image) -> None:
    found = judged(a, b)
    assert found.relation is Relation.VARIANT
    assert found.differences


def saved(image: Image.Image) -> Image.Image:
    return Image.fromarray(decode_in_process(encoded(np.asarray(image), 40)).rgb)


def darker(image: Image.Image) -> Image.Image:
    return ImageEnhance.Brightness(image).enhance(0.6)


def warmer(image: Image.Image) -> Image.Image:
    return Image.fromarray((np.asarray(image) * (1.0, 0.98, 0.93)).astype(np.uint8))


def grayed(image: Image.Image) -> Image.Image:
    return image.convert("L")


@pytest.mark.parametrize("change", [saved, darker, warmer, grayed])
@pytest.mark.parametrize("drawn", [flag(RED, WHITE, BLUE), initial((200, 60, 50))])
def test_a_copy_of_a_flat_drawing_differs_nowhere(
    drawn: Image.Image, change: Callable[[Image.Image], Image.Image]
) -> None:
    found = judged(drawn, change(drawn))
    assert (found.relation, list(found.differences)) == (Relation.COPY, [])


@pytest.mark.parametrize("ground", [0, 255])
def test_a_page_in_another_lighting_is_still_a_page(ground: int) -> None:
    image = Image.new("L", (640, 420), ground)
    for row in range(20, 400, 30):
        ImageDraw.Draw(image).text((30, row), "black paper or white paper", 255 - ground, font_size=20)
    page = np.asarray(image, np.float32)
    # What a fit of the lighting leaves: all of the ground lies beyond the levels of an image.
    lit = page + (2 if ground else -2)
    valid = np.ones(page.shape, bool)
    assert is_page(agreement(lit, page, window_variance(page), valid, np.ones_like(page)))
