"""Copies of tables, boards, screens and flags are copies; one other stone, entry or colour makes a variant."""

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
from shared.vision.evidence.geometry import keypoints_of
from shared.vision.evidence.judgement import Judgement, Relation, judge
from shared.vision.evidence.templates import contained
from shared.vision.pixels import Pixels

WHITE, BLACK, RED = (255, 255, 255), (0, 0, 0), (220, 20, 30)


def saved(image: Image.Image, quality: int = 85) -> bytes:
    return encode_fine(decode_in_process(encoded(np.asarray(image), quality)).rgb)


def judged(a: Image.Image, b: Image.Image) -> Judgement:
    return judge(saved(a), saved(b, 75))


@cache
def timetable() -> Image.Image:
    rng = np.random.default_rng(4)
    image = Image.new("RGB", (620, 680), (250, 250, 246))
    draw, face = ImageDraw.Draw(image), ImageFont.load_default(15)
    for row in range(33):
        for column in range(11):
            draw.text((12 + 55 * column, 10 + 20 * row), f"{5 + column:02}:{rng.integers(60):02}", BLACK, face)
    return image


@cache
def board(stones: int = 30) -> Image.Image:
    rng = np.random.default_rng(8)
    image = Image.new("RGB", (600, 600), (222, 184, 112))
    draw = ImageDraw.Draw(image)
    for line in range(13):
        draw.line((30 + 45 * line, 30, 30 + 45 * line, 570), BLACK, 2)
        draw.line((30, 30 + 45 * line, 570, 30 + 45 * line), BLACK, 2)
    for place in rng.permutation(169)[:stones].tolist():
        x, y = 30 + 45 * (place % 13), 30 + 45 * (place // 13)
        draw.ellipse((x - 20, y - 20, x + 20, y + 20), (20, 20, 20) if place % 2 else (245, 245, 245), BLACK)
    return image


@cache
def puzzle() -> Image.Image:
    rng = np.random.default_rng(2)
    image = Image.new("RGB", (520, 520), WHITE)
    draw, face = ImageDraw.Draw(image), ImageFont.load_default(30)
    for line in range(10):
        at, width = 35 + 50 * line, 1 if line % 3 else 4
        draw.line((at, 35, at, 485), BLACK, width)
        draw.line((35, at, 485, at), BLACK, width)
    for place in rng.permutation(81)[:30].tolist():
        centre = (60 + 50 * (place % 9), 60 + 50 * (place // 9))
        draw.text(centre, str(rng.integers(1, 10)), BLACK, face, anchor="mm")
    return image


@cache
def calendar(entries: int = 3) -> Image.Image:
    image = Image.new("RGB", (700, 520), WHITE)
    draw, face = ImageDraw.Draw(image), ImageFont.load_default(16)
    draw.rectangle((0, 0, 700, 60), (40, 90, 150))
    draw.text((350, 30), "October 2027", WHITE, ImageFont.load_default(34), anchor="mm")
    for day in range(31):
        x, y = 100 * ((day + 2) % 7), 70 + 88 * ((day + 2) // 7)
        draw.rectangle((x, y, x + 100, y + 88), outline=(170, 170, 170))
        draw.text((x + 6, y + 4), str(day + 1), BLACK, face)
        if day in (3, 12, 24, 17)[:entries]:
            draw.rectangle((x + 6, y + 40, x + 94, y + 70), (150, 220, 60 + 5 * day))
            draw.text((x + 10, y + 44), ("dentist", "choir", "exam", "market")[day % 4], BLACK, face)
    return image


@cache
def flag(ground: tuple[int, int, int] = (65, 84, 34)) -> Image.Image:
    image = Image.new("RGB", (600, 400), ground)
    draw = ImageDraw.Draw(image)
    draw.rectangle((180, 0, 240, 400), (117, 17, 163))
    draw.rectangle((0, 170, 600, 230), (117, 17, 163))
    draw.regular_polygon((320, 200, 70), 5, fill=(190, 70, 90))
    return image


@cache
def stripes(colours: tuple[tuple[int, int, int], ...]) -> Image.Image:
    image = Image.new("RGB", (600, 400), colours[0])
    draw = ImageDraw.Draw(image)
    draw.rectangle((200, 0, 399, 400), colours[1])
    draw.rectangle((400, 0, 600, 400), colours[2])
    draw.polygon(
        [(300, 120), (325, 175), (380, 200), (325, 225), (300, 280), (275, 225), (220, 200), (275, 175)], colours[3]
    )
    return image


PINK_FLAG = ((244, 126, 222), (70, 255, 110), (172, 2, 232), (150, 0, 50))
TEAL_FLAG = ((36, 158, 132), (196, 138, 44), (0, 118, 66), (112, 86, 200))


@cache
def bars() -> Image.Image:
    """A price tag with a bar code of fine lines."""
    rng = np.random.default_rng(6)
    image = Image.new("RGB", (640, 400), (255, 221, 0))
    draw = ImageDraw.Draw(image)
    draw.text((30, 20), "oranges of the south", BLACK, ImageFont.load_default(50))
    draw.text((320, 200), "12.85", BLACK, ImageFont.load_default(150), anchor="mm")
    x = 30
    while x < 560:
        width = int(rng.integers(2, 6))
        draw.rectangle((x, 320, x + width - 1, 380), BLACK)
        x += width + int(rng.integers(2, 6))
    return image


@cache
def screen() -> Image.Image:
    image = Image.new("RGB", (1000, 480), (30, 30, 30))
    draw, face = ImageDraw.Draw(image), ImageFont.load_default(18)
    draw.rectangle((0, 0, 1000, 34), (60, 60, 60))
    draw.rectangle((0, 34, 150, 480), (44, 44, 46))
    draw.rectangle((0, 456, 1000, 480), (0, 122, 204))
    rng = np.random.default_rng(9)
    for line in range(18):
        words = " ".join("".join(rng.choice(list("abcdeilmnorst"), 5)) for _ in range(int(rng.integers(1, 8))))
        draw.text((170 + 30 * int(rng.integers(4)), 44 + 22 * line), words, (206, 145, 120), face)
        draw.text((10, 44 + 22 * line), words[:9] + ".py", (200, 200, 200), face)
    return image


def on_a_telephone(image: Image.Image) -> Image.Image:
    out = Image.new("RGB", (540, 720), (18, 18, 18))
    draw, face = ImageDraw.Draw(out), ImageFont.load_default(20)
    draw.text((20, 10), "9:41", WHITE, face)
    out.paste(image.resize((540, round(540 * image.height / image.width)), Image.Resampling.BOX), (0, 110))
    for line in range(11):
        draw.text((20, 390 + 28 * line), f"what somebody wrote below it, line {line}", (220, 220, 220), face)
    return out


def keys(lit: str) -> Image.Image:
    """Draw keys of which some are dark yellow instead of dark gray, at the same gray level."""
    image = Image.new("RGB", (600, 280), (44, 46, 50))
    draw, face = ImageDraw.Draw(image), ImageFont.load_default(22)
    for row, names in enumerate(("1234567890-=", "qwertyuiop[]", "asdfghjkl;'#", "zxcvbnm,./<>")):
        for column, name in enumerate(names):
            left, top = 10 + 47 * column + 8 * row, 8 + 68 * row
            draw.rounded_rectangle((left, top, left + 42, top + 60), 5, (86, 82, 50) if name in lit else (80, 80, 86))
            draw.text((left + 21, top + 30), name, WHITE, face, anchor="mm")
    return image


def captioned(image: Image.Image) -> Image.Image:
    out = image.copy()
    place, face = (out.width / 2, 0.45 * out.height), ImageFont.load_default(out.height // 9)
    ImageDraw.Draw(out).text(place, "READ THIS", WHITE, face, anchor="mm", stroke_width=3, stroke_fill=BLACK)
    return out


def pointed_at(image: Image.Image) -> Image.Image:
    out = image.copy()
    draw = ImageDraw.Draw(out)
    draw.line((150, 120, 330, 250), RED, 8)
    draw.polygon([(360, 272), (310, 262), (338, 222)], RED)
    return out


def barred(image: Image.Image) -> Image.Image:
    """Lay a black bar of text over the lower edge, where the page has black of its own."""
    out = image.copy()
    draw, top = ImageDraw.Draw(out), round(0.87 * image.height)
    draw.rectangle((0, top, out.width, out.height), BLACK)
    face = ImageFont.load_default(out.height // 16)
    draw.text((out.width / 2, (top + out.height) / 2), "from the archive", WHITE, face, anchor="mm")
    return out


def framed(image: Image.Image) -> Image.Image:
    out = image.copy()
    ImageDraw.Draw(out).rectangle((0, 0, out.width - 1, out.height - 1), outline=(40, 60, 120), width=22)
    return out


@pytest.mark.parametrize(
    ("drawn", "alter"),
    [
        pytest.param(timetable, lambda image: image.crop((40, 70, 600, 640)), id="cropped table of digits"),
        pytest.param(bars, lambda image: image.transpose(Image.Transpose.ROTATE_180), id="turned bar code"),
        pytest.param(bars, lambda image: image.resize((256, 160), Image.Resampling.BOX), id="reduced bar code"),
        pytest.param(puzzle, lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT), id="mirrored grid"),
        pytest.param(flag, lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT), id="mirrored flag"),
        pytest.param(screen, on_a_telephone, id="screen on a telephone"),
        pytest.param(timetable, framed, id="frame over a margin"),
    ],
)
def test_a_copy_of_a_drawing_differs_nowhere(
    drawn: Callable[[], Image.Image], alter: Callable[[Image.Image], Image.Image]
) -> None:
    found = judged(drawn(), alter(drawn()))
    assert (found.relation, list(found.differences)) == (Relation.COPY, [])


@pytest.mark.parametrize(
    ("drawn", "alter"),
    [(timetable, captioned), (board, pointed_at), (puzzle, barred)],
    ids=["timetable", "board", "crossword"],
)
def test_what_cuts_letters_and_lines_is_laid_over(
    drawn: Callable[[], Image.Image], alter: Callable[[Image.Image], Image.Image]
) -> None:
    found = judged(drawn(), alter(drawn()))
    assert (found.relation, list(found.differences)) == (Relation.COPY, [])
    assert found.overlays


@pytest.mark.parametrize(
    ("a", "b"),
    [
        pytest.param(lambda: board(30), lambda: board(31), id="one more stone"),
        pytest.param(lambda: calendar(3), lambda: calendar(4), id="one more entry"),
        pytest.param(flag, lambda: flag((131, 98, 51)), id="another colour"),
        pytest.param(lambda: keys("erio[]sgk;zcv"), lambda: keys("q37tf-kcnm"), id="other keys lit"),
        pytest.param(lambda: stripes(PINK_FLAG), lambda: stripes(TEAL_FLAG), id="other colours"),
    ],
)
def test_one_thing_of_its_own_makes_no_copy(a: Callable[[], Image.Image], b: Callable[[], Image.Image]) -> None:
    found = judged(a(), b())
    assert found.relation is not Relation.COPY
    assert found.relation is Relation.NONE or found.differences


def person(image: Image.Image, x: int, coat: tuple[int, int, int], skin: tuple[int, int, int]) -> Image.Image:
    out = image.copy()
    draw = ImageDraw.Draw(out)
    draw.rectangle((x - 75, 240, x + 75, out.height), coat)
    for ring in range(8):
        shade = tuple(round(value * (0.8 + 0.025 * ring)) for value in skin)
        draw.ellipse((x - 56 + 3 * ring, 90 + 4 * ring, x + 56 - 3 * ring, 250 - 4 * ring), shade)
    return out


def test_two_people_in_one_place_are_no_overlay() -> None:
    scene = Image.fromarray(decode_in_process((Path(data_dir) / "coffee.png").read_bytes()).rgb)
    found = judged(
        person(scene, 280, (24, 180, 118), (130, 180, 190)), person(scene, 300, (128, 80, 70), (230, 230, 130))
    )
    assert found.relation is Relation.VARIANT


def bgr(image: Image.Image) -> Pixels:
    return np.ascontiguousarray(np.asarray(image)[:, :, ::-1])


def test_keypoints_are_where_they_are_in_a_turned_image() -> None:
    image = bgr(timetable())
    own, turned = keypoints_of(image), keypoints_of(np.ascontiguousarray(image[::-1, ::-1]))
    back = np.array([image.shape[1] - 1, image.shape[0] - 1], np.float32) - turned.points
    for level in (0, 4):
        here, there = own.points[own.scales == level], back[turned.scales == level]
        away = here[:, np.newaxis] - there[np.newaxis]
        nearest = away[np.arange(len(here)), np.linalg.norm(away, axis=2).argmin(axis=1)]
        assert np.abs(np.median(nearest, axis=0)).max() < 0.4


def test_an_image_is_found_inside_another_by_its_gray_levels() -> None:
    transform = contained(bgr(screen()), bgr(on_a_telephone(screen())))
    assert transform is not None
    assert transform == pytest.approx(np.array([[0.54, 0, -0.23], [0, 0.54, 109.77], [0, 0, 1]]), abs=1)
    assert contained(bgr(screen()), bgr(timetable())) is None
