"""What offices print and scan: one style, two contents."""

from calendar import month_name

import numpy as np

from bench.negatives.canvas import Canvas, Content, Style
from shared.vision.pixels import Pixels

A4 = 2**0.5


def _page(style: Style, proportions: float = A4) -> Canvas:
    width = style.whole(760, 1300)
    return Canvas(width, round(width * proportions), style.paper)


def _letterhead(page: Canvas, style: Style) -> float:
    w = page.width
    left = style.between(0.05, 0.12) * w
    page.box(left, 0.05 * w, left + 0.25 * w, 0.11 * w, style.accent)
    page.text(
        left + 0.02 * w, 0.06 * w, style.title.split()[0].upper(), style.heading, round(0.03 * w), (255, 255, 255)
    )
    for row, line in enumerate((style.title + " Ltd", "14 Market Street", "1048 Northtown", "VAT 7745 220 18")):
        page.text(0.66 * w, (0.05 + 0.018 * row) * w, line, style.body, round(0.013 * w), style.black)
    return left


def invoice(style: Style, content: Content) -> Pixels:
    page = _page(style)
    w = page.width
    left = _letterhead(page, style)
    y = 0.2 * w
    page.text(left, y, f"Invoice {content.number(100_000, 999_999)}", style.heading, round(0.028 * w), style.black)
    page.text(
        left,
        y + 0.05 * w,
        f"Date {content.date()}   Customer {content.number(1000, 9999)}",
        style.body,
        round(0.015 * w),
        style.black,
    )
    y += 0.12 * w
    page.box(left, y, 0.93 * w, y + 0.035 * w, (200, 200, 200))
    columns = [left + 0.01 * w, 0.5 * w, 0.65 * w, 0.82 * w]
    for x, name in zip(columns, ("Item", "Qty", "Price", "Total"), strict=True):
        page.text(x, y + 0.008 * w, name, style.body, round(0.015 * w), style.black)
    size = round(style.between(0.013, 0.018) * w)
    for _ in range(content.whole(3, 11)):
        y += 0.045 * w
        cells = (content.words(1, 4), str(content.number(1, 20)), content.amount(), content.amount())
        for x, cell in zip(columns, cells, strict=True):
            page.text(x, y, cell, style.body, size, style.black)
    page.line([(left, 1.12 * w), (0.93 * w, 1.12 * w)], style.black, 3)
    page.text(0.6 * w, 1.14 * w, f"Total {content.amount(1000, 10**6)}", style.heading, round(0.022 * w), style.black)
    for row in range(3):
        line = "Goods remain the property of the seller until they are paid in full. Payable within 30 days."
        page.text(left, (1.27 + 0.02 * row) * w, line, style.body, round(0.011 * w), style.black)
    return page.pixels()


def receipt(style: Style, content: Content) -> Pixels:
    width = style.whole(380, 640)
    rows = style.whole(9, 18)
    page = Canvas(width, round(width * (0.9 + 0.085 * rows)), style.paper)
    size = round(width * style.between(0.038, 0.05))
    page.text(width / 2, 0.06 * width, style.title.upper(), style.heading, round(1.5 * size), style.black, "ma")
    page.text(width / 2, 0.18 * width, "14 Market Street, Northtown", style.body, size, style.black, "ma")
    page.text(
        0.06 * width, 0.28 * width, f"{content.date()}  No {content.number(1000, 9999)}", style.body, size, style.black
    )
    y = 0.38 * width
    for _ in range(rows):
        page.text(0.06 * width, y, content.words(1, 3)[:18], style.body, size, style.black)
        page.text(0.94 * width, y, content.amount(50, 9000), style.body, size, style.black, "ra")
        y += 0.075 * width
    page.line([(0.06 * width, y), (0.94 * width, y)], style.black)
    page.text(0.06 * width, y + 0.03 * width, "TOTAL", style.heading, round(1.3 * size), style.black)
    page.text(
        0.94 * width,
        y + 0.03 * width,
        content.amount(2000, 40_000),
        style.heading,
        round(1.3 * size),
        style.black,
        "ra",
    )
    page.text(width / 2, y + 0.15 * width, "Thank you for your visit", style.body, size, style.black, "ma")
    return page.pixels()


def form(style: Style, content: Content) -> Pixels:
    page = _page(style)
    w = page.width
    page.text(0.08 * w, 0.07 * w, f"Application: {style.title}", style.heading, round(0.032 * w), style.black)
    y = 0.18 * w
    labels = (
        "Surname",
        "Given name",
        "Date of birth",
        "Street",
        "Town",
        "Postcode",
        "Telephone",
        "Reference",
        "Amount",
    )
    boxed = style.rng.random() < 0.5
    for label in labels[: style.whole(6, 10)]:
        page.text(0.08 * w, y, label, style.body, round(0.016 * w), style.black)
        page.box(0.3 * w, y - 0.012 * w, 0.92 * w, y + 0.03 * w, outline=style.black, width=2)
        if boxed:
            for cell in range(1, 20):
                x = (0.3 + 0.031 * cell) * w
                page.line([(x, y - 0.012 * w), (x, y + 0.03 * w)], style.black, 1)
        value = str(content.number(10_000, 9_999_999)) if label in labels[5:] else content.words(1, 3)
        page.text(
            0.31 * w, y - 0.006 * w, value, style.body if boxed else style.heading, round(0.022 * w), (25, 35, 130)
        )
        y += 0.075 * w
    for row in range(style.whole(3, 6)):
        page.box(0.08 * w, y, 0.1 * w, y + 0.02 * w, outline=style.black, width=2)
        if content.share() < 0.5:
            page.line([(0.08 * w, y), (0.1 * w, y + 0.02 * w)], (25, 35, 130), 3)
            page.line([(0.1 * w, y), (0.08 * w, y + 0.02 * w)], (25, 35, 130), 3)
        page.text(
            0.12 * w,
            y,
            f"Option {row + 1}: as described in the notes overleaf",
            style.body,
            round(0.015 * w),
            style.black,
        )
        y += 0.04 * w
    points = np.cumsum(content.rng().normal(0, 1, (24, 2)) * (0.008 * w, 0.012 * w) + (0.011 * w, 0), axis=0)
    page.line([(float(x) + 0.6 * w, float(y) + 1.25 * w) for x, y in points], (25, 35, 130), 3)
    page.line([(0.58 * w, 1.28 * w), (0.92 * w, 1.28 * w)], style.black, 2)
    return page.pixels()


def text_page(style: Style, content: Content) -> Pixels:
    page = _page(style, style.between(1.3, 1.5))
    w = page.width
    size = round(style.between(0.016, 0.024) * w)
    left, right = style.between(0.08, 0.14) * w, (1 - style.between(0.08, 0.14)) * w
    y = 0.1 * w
    page.text(w / 2, 0.05 * w, style.title, style.body, size, style.black, "ma")
    page.text(w / 2, page.height - 0.07 * w, str(content.number(1, 500)), style.body, size, style.black, "ma")
    while y < page.height - 0.12 * w:
        x = left + (0.04 * w if content.share() < 0.12 else 0)
        line = content.words(14, 20)
        for word in line.split():
            end = page.text(x, y, word + " ", style.body, size, style.black)
            if end > right - 0.05 * w:
                break
            x = end
        y += size * style_leading(style)
    return page.pixels()


def style_leading(style: Style) -> float:
    return 1.3 + 0.4 * (style.seed[-1] % 5) / 5


def letter(style: Style, content: Content) -> Pixels:
    page = _page(style)
    w = page.width
    left = _letterhead(page, style)
    size = round(0.017 * w)
    page.text(left, 0.25 * w, content.person(), style.body, size, style.black)
    page.text(left, 0.28 * w, f"{content.word().title()} Road {content.number(1, 200)}", style.body, size, style.black)
    page.text(0.7 * w, 0.34 * w, content.date(), style.body, size, style.black)
    y = 0.42 * w
    for _ in range(content.whole(8, 22)):
        page.text(left, y, content.words(8, 12)[:80], style.body, size, style.black)
        y += 0.032 * w
    page.text(left, 1.25 * w, "Yours sincerely", style.body, size, style.black)
    return page.pixels()


def ticket(style: Style, content: Content) -> Pixels:
    w, h = style.whole(800, 1100), style.whole(330, 460)
    page = Canvas(w, h, style.paper)
    page.box(0, 0, w, 0.2 * h, style.accent)
    page.text(0.04 * w, 0.04 * h, style.title.upper(), style.heading, round(0.11 * h), (255, 255, 255))
    size = round(0.07 * h)
    lines = (
        content.words(2, 4).title(),
        content.date(),
        f"Row {content.number(1, 40)} Seat {content.number(1, 60)}",
        content.person(),
    )
    for row, line in enumerate(lines):
        page.text(0.04 * w, (0.27 + 0.16 * row) * h, line, style.body, size, style.black)
    _code(page, content, 0.68 * w, 0.28 * h, 0.6 * h, 25)
    return page.pixels()


def card(style: Style, content: Content) -> Pixels:
    """A business or membership card."""
    w = style.whole(640, 1000)
    h = round(w * 0.6)
    ground = style.accent if style.dark else style.paper
    page = Canvas(w, h, ground)
    ink = (245, 245, 245) if style.dark else style.black
    page.draw.ellipse((0.06 * w, 0.08 * h, 0.06 * w + 0.2 * h, 0.28 * h), fill=(250, 200, 60))
    page.text(0.24 * w, 0.12 * h, style.title, style.heading, round(0.09 * h), ink)
    page.text(0.06 * w, 0.48 * h, content.person(), style.heading, round(0.1 * h), ink)
    page.text(0.06 * w, 0.63 * h, content.words(1, 3).title(), style.body, round(0.06 * h), ink)
    page.text(0.06 * w, 0.8 * h, f"+44 {content.number(1_000_000, 9_999_999)}", style.body, round(0.06 * h), ink)
    page.text(
        0.94 * w,
        0.8 * h,
        f"{content.word()}@{style.title.split()[0].lower()}.example",
        style.body,
        round(0.05 * h),
        ink,
        "ra",
    )
    return page.pixels()


def identity(style: Style, content: Content) -> Pixels:
    """An identity card with a drawn portrait."""
    w = style.whole(700, 1000)
    h = round(w * 0.63)
    page = Canvas(w, h, style.paper)
    for row in range(0, h, 14):
        page.line([(0, row), (w, row + 0.1 * h)], (225, 232, 240), 1)
    page.text(0.05 * w, 0.05 * h, f"{style.title.upper()} PASS", style.heading, round(0.08 * h), style.accent)
    skin, hair = (
        content.pick(((236, 188, 150), (150, 105, 80), (250, 215, 190))),
        content.pick(((60, 40, 20), (20, 20, 20), (190, 150, 70))),
    )
    x, y, r = 0.18 * w, 0.5 * h, (0.12 + 0.04 * content.share()) * h
    page.box(0.06 * w, 0.22 * h, 0.3 * w, 0.82 * h, content.pick(((210, 220, 230), (180, 200, 190), (220, 205, 190))))
    page.draw.ellipse((x - 1.2 * r, y - 1.5 * r, x + 1.2 * r, y + r), fill=hair)
    page.draw.ellipse((x - r, y - 1.2 * r, x + r, y + 1.2 * r), fill=skin)
    page.draw.ellipse(
        (x - 1.8 * r, y + 1.1 * r, x + 1.8 * r, y + 3 * r),
        fill=content.pick(((40, 60, 120), (120, 40, 40), (50, 50, 50))),
    )
    for side in (-0.4, 0.4):
        page.draw.ellipse((x + side * r - 5, y - 0.3 * r - 4, x + side * r + 5, y - 0.3 * r + 4), fill=(20, 20, 20))
    for row, (label, value) in enumerate(
        (
            ("Name", content.person()),
            ("Born", content.date()),
            ("No", str(content.number(10**7, 10**8))),
            ("Expires", content.date()),
        )
    ):
        page.text(0.36 * w, (0.25 + 0.15 * row) * h, label, style.body, round(0.04 * h), style.black)
        page.text(0.36 * w, (0.3 + 0.15 * row) * h, value, style.heading, round(0.06 * h), style.black)
    return page.pixels()


def _code(page: Canvas, content: Content, x: float, y: float, side: float, cells: int) -> None:
    """A square code with three finder patterns, as QR codes have."""
    bits = content.rng().random((cells, cells)) < 0.5
    for top, left in ((0, 0), (0, cells - 7), (cells - 7, 0)):
        bits[max(0, top - 1) : top + 8, max(0, left - 1) : left + 8] = False
        bits[top : top + 7, left : left + 7] = True
        bits[top + 1 : top + 6, left + 1 : left + 6] = False
        bits[top + 2 : top + 5, left + 2 : left + 5] = True
    cell = side / cells
    for row, column in np.argwhere(bits):
        page.box(x + column * cell, y + row * cell, x + (column + 1) * cell - 1, y + (row + 1) * cell - 1, (0, 0, 0))


def code(style: Style, content: Content) -> Pixels:
    side = style.whole(300, 700)
    page = Canvas(side, side, (255, 255, 255))
    _code(page, content, 0.1 * side, 0.1 * side, 0.8 * side, int(style.rng.choice((21, 25, 29, 33))))
    return page.pixels()


def bar_code(style: Style, content: Content) -> Pixels:
    w, h = style.whole(420, 760), style.whole(220, 400)
    page = Canvas(w, h, (255, 255, 255))
    widths = content.rng().integers(1, 5, 60)
    x, unit = 0.08 * w, 0.84 * w / widths.sum()
    for place, width in enumerate(widths):
        if place % 2 == 0:
            page.box(x, 0.1 * h, x + width * unit - 1, 0.78 * h, (0, 0, 0))
        x += width * unit
    page.text(w / 2, 0.82 * h, str(content.number(10**11, 10**12)), style.body, round(0.1 * h), (0, 0, 0), "ma")
    return page.pixels()


def table(style: Style, content: Content) -> Pixels:
    w, rows, columns = style.whole(760, 1200), style.whole(9, 20), style.whole(4, 8)
    row_height = round(w * style.between(0.028, 0.042))
    page = Canvas(w, round((rows + 3.5) * row_height), style.ground)
    page.text(0.04 * w, 0.5 * row_height, style.title, style.heading, round(0.7 * row_height), style.ink)
    for row in range(rows + 1):
        y = (row + 2) * row_height
        if row == 0:
            page.box(0.04 * w, y, 0.96 * w, y + row_height, style.accent)
        elif row % 2 == 0 and not style.dark:
            page.box(0.04 * w, y, 0.96 * w, y + row_height, (222, 226, 232))
        for column in range(columns):
            x = (0.05 + 0.92 * column / columns) * w
            cell = f"Col {column + 1}" if row == 0 else content.word() if column == 0 else content.amount(10, 99_999)
            page.text(
                x,
                y + 0.2 * row_height,
                cell,
                style.body,
                round(0.55 * row_height),
                style.ink if row else (255, 255, 255),
            )
    return page.pixels()


def calendar(style: Style, content: Content) -> Pixels:
    w = style.whole(760, 1200)
    h = round(0.75 * w)
    page = Canvas(w, h, style.ground)
    start, days = content.whole(0, 7), content.pick((28, 30, 31))
    month = content.pick(month_name[1:])
    page.text(0.04 * w, 0.03 * h, f"{month} {content.number(2015, 2030)}", style.heading, round(0.07 * h), style.accent)
    for column in range(7):
        page.text(
            (0.05 + 0.13 * column) * w,
            0.15 * h,
            ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"][column],
            style.body,
            round(0.04 * h),
            style.ink,
        )
    for day in range(days):
        row, column = divmod(day + start, 7)
        x, y = (0.04 + 0.13 * column) * w, (0.22 + 0.125 * row) * h
        page.box(x, y, x + 0.125 * w, y + 0.12 * h, outline=style.ink, width=1)
        page.text(x + 0.008 * w, y + 0.01 * h, str(day + 1), style.body, round(0.035 * h), style.ink)
        if content.share() < 0.3:
            page.box(
                x + 0.01 * w,
                y + 0.06 * h,
                x + 0.115 * w,
                y + 0.105 * h,
                content.pick(((90, 150, 220), (220, 130, 80), (110, 180, 110))),
            )
            page.text(x + 0.014 * w, y + 0.064 * h, content.word(), style.body, round(0.028 * h), (20, 20, 20))
    return page.pixels()


def sheet_music(style: Style, content: Content) -> Pixels:
    page = _page(style, style.between(1.2, 1.4))
    w = page.width
    page.text(w / 2, 0.05 * w, content.words(2, 4).title(), style.heading, round(0.03 * w), style.black, "ma")
    gap = round(style.between(0.008, 0.012) * w)
    y = 0.16 * w
    while y < page.height - 0.12 * w:
        for line in range(5):
            page.line([(0.06 * w, y + line * gap), (0.94 * w, y + line * gap)], style.black, 1)
        for bar in range(5):
            page.line([((0.06 + 0.22 * bar) * w, y), ((0.06 + 0.22 * bar) * w, y + 4 * gap)], style.black, 2)
        heights = content.rng().integers(-2, 10, 16)
        for place, height in enumerate(heights):
            x, head = (0.1 + 0.053 * place) * w, y + 4 * gap - height * gap / 2
            page.draw.ellipse((x - 0.7 * gap, head - 0.5 * gap, x + 0.7 * gap, head + 0.5 * gap), fill=style.black)
            page.line([(x + 0.6 * gap, head), (x + 0.6 * gap, head - 3 * gap)], style.black, 2)
        y += 11 * gap
    return page.pixels()
