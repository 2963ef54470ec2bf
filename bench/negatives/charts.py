"""Charts and plans: one style, two contents."""

import math
from itertools import pairwise

import numpy as np

from bench.negatives.canvas import Canvas, Colour, Content, Style, colour_of
from shared.vision.pixels import Pixels

PALETTES = (
    ((31, 119, 180), (255, 127, 14), (44, 160, 44), (214, 39, 40), (148, 103, 189)),
    ((102, 194, 165), (252, 141, 98), (141, 160, 203), (231, 138, 195), (166, 216, 84)),
    ((38, 70, 83), (42, 157, 143), (233, 196, 106), (244, 162, 97), (231, 111, 81)),
)


def _axes(style: Style, content: Content) -> tuple[Canvas, tuple[float, float, float, float], tuple[Colour, ...]]:
    w = style.whole(600, 1100)
    h = round(w * style.between(0.55, 0.8))
    chart = Canvas(w, h, style.ground)
    left, top, right, bottom = 0.11 * w, 0.14 * h, 0.95 * w, 0.86 * h
    chart.text(w / 2, 0.04 * h, style.title, style.heading, round(0.05 * h), style.ink, "ma")
    highest = content.pick((100, 100, 100, 200, 500)) if style.rng.random() < 0.4 else 100
    for tick in range(6):
        y = bottom - (bottom - top) * tick / 5
        if style.seed[-1] % 2:
            chart.line([(left, y), (right, y)], (120, 120, 120) if style.dark else (215, 215, 215), 1)
        chart.text(left - 0.01 * w, y, str(highest * tick // 5), style.body, round(0.03 * h), style.ink, "rm")
    chart.line([(left, top), (left, bottom), (right, bottom)], style.ink, 2)
    return chart, (left, top, right, bottom), PALETTES[style.whole(0, len(PALETTES))]


def bars(style: Style, content: Content) -> Pixels:
    chart, (left, top, right, bottom), colours = _axes(style, content)
    count, series = style.whole(4, 12), style.whole(1, 4)
    step = (right - left) / count
    for place in range(count):
        for row in range(series):
            height = (bottom - top) * content.number(4, 100) / 100
            x = left + (place + 0.15 + 0.7 * row / series) * step
            chart.box(x, bottom - height, x + 0.7 * step / series - 1, bottom - 1, colours[row])
        chart.text(
            left + (place + 0.5) * step,
            bottom + 0.02 * chart.height,
            f"Q{place + 1}",
            style.body,
            round(0.03 * chart.height),
            style.ink,
            "ma",
        )
    return chart.pixels()


def lines(style: Style, content: Content) -> Pixels:
    chart, (left, top, right, bottom), colours = _axes(style, content)
    points = style.whole(12, 60)
    for row in range(style.whole(1, 4)):
        walk = np.cumsum(content.rng().normal(0, 1, points))
        walk = (walk - walk.min()) / (np.ptp(walk) + 1e-9) * 0.9 + 0.05
        xs = np.linspace(left, right, points)
        chart.line(
            [(float(x), float(bottom - (bottom - top) * v)) for x, v in zip(xs, walk, strict=True)],
            colours[row],
            style.whole(2, 5),
        )
    return chart.pixels()


def scatter(style: Style, content: Content) -> Pixels:
    chart, (left, top, right, bottom), colours = _axes(style, content)
    size = style.whole(3, 8)
    for row in range(style.whole(1, 4)):
        rng = content.rng()
        middle, spread = rng.uniform(0.25, 0.75, 2), rng.uniform(0.05, 0.2)
        for x, y in np.clip(rng.normal(middle, spread, (style.whole(25, 90), 2)), 0.02, 0.98):
            px, py = left + x * (right - left), bottom - y * (bottom - top)
            chart.draw.ellipse((px - size, py - size, px + size, py + size), fill=colours[row])
    return chart.pixels()


def pie(style: Style, content: Content) -> Pixels:
    w = style.whole(500, 900)
    h = round(0.75 * w)
    chart = Canvas(w, h, style.ground)
    chart.text(w / 2, 0.04 * h, style.title, style.heading, round(0.06 * h), style.ink, "ma")
    colours = PALETTES[style.whole(0, len(PALETTES))]
    shares = np.array([content.number(5, 60) for _ in range(style.whole(3, 6))], float)
    angles = np.cumsum(np.concatenate([[0], shares / shares.sum() * 360])) - 90
    box = (0.08 * w, 0.16 * h, 0.08 * w + 0.76 * h, 0.92 * h)
    for place, share in enumerate(shares / shares.sum()):
        chart.draw.pieslice(
            box, float(angles[place]), float(angles[place + 1]), fill=colours[place], outline=style.ground
        )
        y = (0.25 + 0.1 * place) * h
        chart.box(0.72 * w, y, 0.75 * w, y + 0.05 * h, colours[place])
        chart.text(0.77 * w, y, f"{share:.0%}", style.body, round(0.045 * h), style.ink)
    if style.seed[-1] % 2:
        middle = 0.08 * w + 0.38 * h
        chart.draw.ellipse((middle - 0.2 * h, 0.34 * h, middle + 0.2 * h, 0.74 * h), fill=style.ground)
    return chart.pixels()


def heat_map(style: Style, content: Content) -> Pixels:
    chart, (left, top, right, bottom), _ = _axes(style, content)
    rows, columns = style.whole(5, 12), style.whole(6, 16)
    low, high = np.array(style.colour(200, 256)), np.array(style.accent)
    values = content.rng().random((rows, columns, 1))
    for (row, column), colour in zip(
        np.ndindex(rows, columns), (low + (high - low) * values).reshape(-1, 3), strict=True
    ):
        x, y = left + (right - left) * column / columns, top + (bottom - top) * row / rows
        chart.box(x, y, x + (right - left) / columns - 2, y + (bottom - top) / rows - 2, colour_of(colour))
    return chart.pixels()


def city_map(style: Style, content: Content) -> Pixels:
    side = style.whole(500, 900)
    found = Canvas(side, round(side * style.between(0.7, 1)), (242, 239, 233))
    w, h = found.width, found.height
    for _ in range(6):
        x, y, size = content.share() * w, content.share() * h, (0.05 + 0.15 * content.share()) * w
        found.draw.ellipse(
            (x - size, y - 0.7 * size, x + size, y + 0.7 * size), fill=content.pick(((200, 225, 180), (170, 211, 223)))
        )
    for _ in range(14):
        rng = content.rng()
        start, angle = rng.random(2) * (w, h), rng.uniform(0, math.pi)
        reach = np.array([math.cos(angle), math.sin(angle)]) * 2 * w
        width = int(rng.choice((4, 6, 10)))
        ends = [tuple(start - reach), tuple(start + reach)]
        found.line(ends, (190, 180, 170), width + 2)
        found.line(ends, (255, 255, 255) if width < 10 else (252, 214, 164), width)
    for _ in range(10):
        found.text(
            content.share() * w,
            content.share() * h,
            content.word().title() + " St",
            style.body,
            round(0.018 * w),
            (90, 80, 80),
        )
    return found.pixels()


def floor_plan(style: Style, content: Content) -> Pixels:
    w = style.whole(600, 1000)
    h = round(w * 0.75)
    plan = Canvas(w, h, style.paper)
    plan.text(0.05 * w, 0.02 * h, style.title, style.heading, round(0.04 * h), style.black)

    def split(left: float, top: float, right: float, bottom: float, depth: int) -> None:
        plan.box(left, top, right, bottom, outline=style.black, width=5)
        if depth == 0 or min(right - left, bottom - top) < 0.15 * w:
            plan.text(
                (left + right) / 2,
                (top + bottom) / 2,
                f"{content.number(60, 400) / 10} m2",
                style.body,
                round(0.025 * h),
                style.black,
                "mm",
            )
            return
        share = 0.3 + 0.4 * content.share()
        if right - left > bottom - top:
            middle = left + share * (right - left)
            split(left, top, middle, bottom, depth - 1)
            split(middle, top, right, bottom, depth - 1)
        else:
            middle = top + share * (bottom - top)
            split(left, top, right, middle, depth - 1)
            split(left, middle, right, bottom, depth - 1)

    split(0.05 * w, 0.1 * h, 0.95 * w, 0.95 * h, 3)
    return plan.pixels()


def diagram(style: Style, content: Content) -> Pixels:
    """Boxes and arrows, with words in them."""
    w = style.whole(700, 1100)
    h = round(0.65 * w)
    found = Canvas(w, h, style.ground)
    found.text(w / 2, 0.03 * h, style.title, style.heading, round(0.05 * h), style.ink, "ma")
    places = []
    for row in range(3):
        for column in range(3):
            if content.share() < 0.75:
                places.append(((0.08 + 0.31 * column) * w, (0.16 + 0.28 * row) * h))
    for here, there in pairwise(places):
        found.line([(here[0] + 0.1 * w, here[1] + 0.07 * h), (there[0] + 0.1 * w, there[1] + 0.07 * h)], style.ink, 2)
    for x, y in places:
        found.box(x, y, x + 0.2 * w, y + 0.15 * h, style.accent, outline=style.ink, width=2)
        found.text(x + 0.1 * w, y + 0.075 * h, content.word(), style.body, round(0.04 * h), (255, 255, 255), "mm")
    return found.pixels()
