"""Icons, logos, textures and drawn products: one style, two contents."""

import math

import numpy as np

from bench.negatives.canvas import Canvas, Colour, Content, Style, colour_of
from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels


def _shape(canvas: Canvas, content: Content, x: float, y: float, r: float, ink: Colour) -> None:
    corners = content.whole(2, 9)
    if corners == 2:
        canvas.draw.ellipse((x - r, y - r, x + r, y + r), fill=ink)
        return
    turn, star = content.share() * math.pi, content.share() < 0.4
    points = []
    for place in range(corners * 2):
        reach = r * (0.45 if star and place % 2 else 1)
        angle = turn + math.pi * place / corners
        points.append((x + reach * math.cos(angle), y + reach * math.sin(angle)))
    canvas.draw.polygon(points, fill=ink)


def icon(style: Style, content: Content) -> Pixels:
    side = style.whole(180, 512)
    found = Canvas(side, side, (255, 255, 255))
    found.draw.rounded_rectangle((0.05 * side, 0.05 * side, 0.95 * side, 0.95 * side), 0.2 * side, fill=style.accent)
    for _ in range(content.whole(1, 4)):
        x, y = (0.35 + 0.3 * content.share()) * side, (0.35 + 0.3 * content.share()) * side
        _shape(
            found,
            content,
            x,
            y,
            (0.1 + 0.18 * content.share()) * side,
            content.pick(((255, 255, 255), (250, 220, 120), (30, 30, 40))),
        )
    return found.pixels()


def logo(style: Style, content: Content) -> Pixels:
    w = style.whole(400, 900)
    h = round(w * 0.5)
    found = Canvas(w, h, (255, 255, 255))
    _shape(found, content, 0.22 * w, 0.5 * h, 0.32 * h, style.accent)
    _shape(found, content, 0.22 * w, 0.5 * h, 0.16 * h, (255, 255, 255))
    found.text(
        0.42 * w,
        0.36 * h,
        content.word().upper(),
        style.heading,
        round(0.22 * h),
        style.ink if not style.dark else style.accent,
    )
    found.text(0.42 * w, 0.64 * h, content.words(2, 4), style.body, round(0.09 * h), (110, 110, 110))
    return found.pixels()


def texture(style: Style, content: Content) -> Pixels:
    """Noise of one spectrum and two colours, as plaster, grass or cloth have."""
    side = style.whole(300, 640)
    fine, coarse = style.between(0.6, 2), style.between(3, 9)
    rng = content.rng()
    noise = cv2.GaussianBlur(rng.normal(0, 1, (side, side)), (0, 0), fine) * fine
    noise += 0.6 * coarse * cv2.GaussianBlur(rng.normal(0, 1, (side, side)), (0, 0), coarse)
    mix = np.clip(0.5 + 0.35 * noise / noise.std(), 0, 1)[:, :, np.newaxis]
    dark, light = np.array(style.colour(20, 120)), np.array(style.colour(120, 240))
    return np.asarray(dark + (light - dark) * mix, np.uint8)


def tiles(style: Style, content: Content) -> Pixels:
    """A wall of tiles or bricks, each with a shade of its own."""
    w = style.whole(400, 800)
    h = round(0.8 * w)
    rows, columns = style.whole(5, 12), style.whole(4, 10)
    wall = Canvas(w, h, (200, 196, 190))
    base = np.array(style.colour(80, 190))
    for row in range(rows):
        for column in range(-1, columns):
            shade = base + content.rng().normal(0, 22)
            x, y = (column + 0.5 * (row % 2)) * w / columns, row * h / rows
            wall.box(x + 2, y + 2, x + w / columns - 2, y + h / rows - 2, colour_of(shade))
    return wall.pixels()


def sticker_sheet(style: Style, content: Content) -> Pixels:
    side = style.whole(400, 800)
    sheet = Canvas(side, side, style.paper)
    count = style.whole(3, 5)
    for row in range(count):
        for column in range(count):
            x, y = (column + 0.5) * side / count, (row + 0.5) * side / count
            sheet.draw.ellipse(
                (x - 0.42 * side / count, y - 0.42 * side / count, x + 0.42 * side / count, y + 0.42 * side / count),
                outline=(180, 180, 180),
                width=2,
            )
            _shape(
                sheet,
                content,
                x,
                y,
                0.3 * side / count,
                content.pick(((220, 80, 70), (70, 130, 210), (80, 170, 100), (240, 190, 70))),
            )
    return sheet.pixels()


def poster(style: Style, content: Content) -> Pixels:
    w = style.whole(500, 900)
    h = round(1.4 * w)
    sheet = Canvas(w, h, style.accent)
    for _ in range(5):
        _shape(
            sheet,
            content,
            content.share() * w,
            (0.25 + 0.35 * content.share()) * h,
            (0.08 + 0.14 * content.share()) * w,
            content.pick(((255, 255, 255), (250, 210, 90), (240, 110, 90), (40, 40, 60))),
        )
    sheet.text(w / 2, 0.05 * h, style.title.upper(), style.heading, round(0.09 * w), (255, 255, 255), "ma")
    for row in range(3):
        sheet.text(
            w / 2,
            (0.72 + 0.07 * row) * h,
            content.words(2, 4).title(),
            style.body,
            round(0.05 * w),
            (255, 255, 255),
            "ma",
        )
    sheet.text(w / 2, 0.94 * h, content.date(), style.body, round(0.045 * w), (255, 255, 255), "ma")
    return sheet.pixels()


BODY_COLOURS: tuple[Colour, ...] = (
    (196, 42, 40),
    (38, 92, 180),
    (48, 140, 72),
    (226, 170, 40),
    (110, 60, 150),
    (40, 44, 50),
    (224, 224, 220),
    (226, 112, 40),
)


def product(style: Style, content: Content) -> Pixels:
    """A bottle, mug or box on a light ground, in another colour and with another label."""
    w = style.whole(420, 760)
    h = round(w * style.between(1, 1.3))
    shop = Canvas(w, h, (246, 246, 245))
    body, shade = content.pick(BODY_COLOURS), style.whole(0, 3)
    shop.draw.ellipse((0.22 * w, 0.86 * h, 0.8 * w, 0.95 * h), fill=(214, 214, 214))
    if shade == 0:
        shop.draw.rounded_rectangle((0.32 * w, 0.3 * h, 0.68 * w, 0.92 * h), 0.06 * w, fill=body)
        shop.box(0.43 * w, 0.14 * h, 0.57 * w, 0.32 * h, body)
        shop.box(0.42 * w, 0.08 * h, 0.58 * w, 0.15 * h, (60, 60, 64))
    elif shade == 1:
        shop.draw.ellipse((0.6 * w, 0.4 * h, 0.86 * w, 0.74 * h), outline=body, width=round(0.04 * w))
        shop.draw.rounded_rectangle((0.24 * w, 0.3 * h, 0.7 * w, 0.88 * h), 0.03 * w, fill=body)
    else:
        shop.draw.polygon([(0.2 * w, 0.3 * h), (0.6 * w, 0.38 * h), (0.6 * w, 0.92 * h), (0.2 * w, 0.8 * h)], fill=body)
        shop.draw.polygon(
            [(0.6 * w, 0.38 * h), (0.84 * w, 0.28 * h), (0.84 * w, 0.78 * h), (0.6 * w, 0.92 * h)],
            fill=colour_of(np.array(body) * 0.7),
        )
    shop.box(0.34 * w, 0.5 * h, 0.58 * w, 0.7 * h, (250, 250, 248))
    shop.text(0.46 * w, 0.53 * h, style.title.split()[0].upper(), style.heading, round(0.04 * w), (30, 30, 30), "ma")
    shop.text(0.46 * w, 0.6 * h, content.word(), style.body, round(0.035 * w), (30, 30, 30), "ma")
    shop.text(0.46 * w, 0.65 * h, f"{content.number(10, 990)} ml", style.body, round(0.03 * w), (30, 30, 30), "ma")
    pixels = shop.pixels().astype(np.float32)
    light = np.linspace(1.08, 0.86, w, dtype=np.float32)[np.newaxis, :, np.newaxis]
    return np.asarray(np.clip(pixels * light, 0, 255), np.uint8)


def potatoes(style: Style, content: Content) -> Pixels:
    """Things of one kind, lying on one table in other places."""
    w = style.whole(400, 760)
    h = round(0.75 * w)
    ground = texture(Style((*style.seed, 1)), Content((*style.seed, 2)))
    table = np.ascontiguousarray(cv2.resize(ground, (w, h), interpolation=cv2.INTER_AREA))
    skin = np.array(style.colour(110, 220))
    for _ in range(style.whole(1, 6)):
        rng = content.rng()
        middle = (int(rng.uniform(0.2, 0.8) * w), int(rng.uniform(0.2, 0.8) * h))
        axes = (int(rng.uniform(0.1, 0.2) * w), int(rng.uniform(0.07, 0.13) * w))
        angle = float(rng.uniform(0, 180))
        for ring in range(12):
            size = tuple(max(1, int(axis * (1 - ring / 12))) for axis in axes)
            tone = skin * (0.55 + 0.05 * ring)
            cv2.ellipse(table, middle, size, angle, 0, 360, colour_of(tone), -1, cv2.LINE_AA)
        for _ in range(15):
            at = (np.array(middle) + rng.normal(0, 0.35, 2) * axes).astype(int)
            cv2.circle(table, (int(at[0]), int(at[1])), 2, colour_of(skin * 0.5), -1, cv2.LINE_AA)
    return np.asarray(np.clip(table + content.rng().normal(0, 3, table.shape), 0, 255), np.uint8)
