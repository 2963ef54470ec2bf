"""What screens show: one style, two contents."""

from bench.negatives.canvas import Canvas, Colour, Content, Style
from shared.vision.pixels import Pixels

TILES = ("Visits", "Sales", "Errors", "Users")


def _phone(style: Style) -> Canvas:
    w = style.whole(420, 760)
    screen = Canvas(w, round(w * style.between(1.7, 2.1)), style.ground)
    screen.text(0.05 * w, 0.02 * w, "9:41", style.body, round(0.035 * w), style.ink)
    screen.box(0.86 * w, 0.025 * w, 0.95 * w, 0.055 * w, outline=style.ink, width=2)
    screen.box(0, 0.08 * w, w, 0.2 * w, style.accent)
    screen.text(0.05 * w, 0.11 * w, style.title, style.heading, round(0.05 * w), (255, 255, 255))
    return screen


def chat(style: Style, content: Content) -> Pixels:
    screen = _phone(style)
    w = screen.width
    y = 0.24 * w
    bubbles: tuple[Colour, Colour] = ((64, 68, 75), style.accent) if style.dark else ((226, 228, 233), (200, 240, 200))
    size = round(0.038 * w)
    while y < screen.height - 0.3 * w:
        own = content.share() < 0.5
        lines = [content.words(2, 5) for _ in range(content.whole(1, 4))]
        height = len(lines) * 1.35 * size + 0.05 * w
        left = 0.25 * w if own else 0.04 * w
        screen.draw.rounded_rectangle((left, y, left + 0.7 * w, y + height), 0.03 * w, fill=bubbles[own])
        for row, line in enumerate(lines):
            screen.text(left + 0.03 * w, y + 0.02 * w + 1.35 * size * row, line[:30], style.body, size, style.ink)
        screen.text(
            left + 0.67 * w,
            y + height - 0.03 * w,
            f"{content.number(8, 23)}:{content.number(10, 59)}",
            style.body,
            round(0.022 * w),
            style.ink,
            "ra",
        )
        y += height + 0.03 * w
    screen.draw.rounded_rectangle(
        (0.04 * w, screen.height - 0.14 * w, 0.82 * w, screen.height - 0.04 * w), 0.05 * w, outline=style.ink
    )
    screen.draw.ellipse((0.85 * w, screen.height - 0.14 * w, 0.95 * w, screen.height - 0.04 * w), fill=style.accent)
    return screen.pixels()


def app_list(style: Style, content: Content) -> Pixels:
    screen = _phone(style)
    w = screen.width
    y, step = 0.23 * w, style.between(0.14, 0.2) * w
    while y < screen.height - 0.3 * w:
        tint = content.pick(((220, 90, 80), (80, 140, 220), (90, 180, 120), (230, 180, 70)))
        screen.draw.ellipse((0.04 * w, y + 0.02 * w, 0.04 * w + 0.7 * step, y + 0.02 * w + 0.7 * step), fill=tint)
        screen.text(0.22 * w, y + 0.02 * w, content.person(), style.heading, round(0.04 * w), style.ink)
        screen.text(0.22 * w, y + 0.075 * w, content.words(3, 5)[:32], style.body, round(0.03 * w), (130, 130, 135))
        screen.text(0.95 * w, y + 0.02 * w, content.amount(), style.body, round(0.032 * w), style.ink, "ra")
        screen.line([(0.2 * w, y + step), (0.96 * w, y + step)], (150, 150, 155), 1)
        y += step
    for tab in range(4):
        x = (0.125 + 0.25 * tab) * w
        screen.box(
            x - 0.03 * w,
            screen.height - 0.12 * w,
            x + 0.03 * w,
            screen.height - 0.06 * w,
            style.accent if tab == 0 else (150, 150, 155),
        )
    return screen.pixels()


def dashboard(style: Style, content: Content) -> Pixels:
    w, h = style.whole(900, 1300), style.whole(560, 760)
    screen = Canvas(w, h, style.ground)
    screen.box(0, 0, 0.16 * w, h, style.accent)
    for row, name in enumerate(("Home", "Orders", "Stock", "People", "Reports", "Settings")):
        screen.text(0.02 * w, (0.12 + 0.08 * row) * h, name, style.body, round(0.03 * h), (255, 255, 255))
    for column in range(4):
        x = (0.19 + 0.2 * column) * w
        screen.box(x, 0.08 * h, x + 0.18 * w, 0.26 * h, outline=style.ink, width=2)
        screen.text(x + 0.01 * w, 0.1 * h, TILES[column], style.body, round(0.025 * h), style.ink)
        screen.text(
            x + 0.01 * w, 0.15 * h, str(content.number(100, 100_000)), style.heading, round(0.06 * h), style.ink
        )
    for row in range(9):
        y = (0.34 + 0.065 * row) * h
        cells = (content.person(), content.date(), content.amount(), content.pick(("paid", "open", "late")))
        for x, cell in zip((0.2, 0.45, 0.62, 0.8), cells, strict=True):
            screen.text(x * w, y, cell, style.body, round(0.026 * h), style.ink)
    return screen.pixels()


def slide(style: Style, content: Content) -> Pixels:
    w = style.whole(800, 1200)
    h = round(w * 9 / 16)
    page = Canvas(w, h, style.ground)
    page.box(0, 0, w, 0.17 * h, style.accent)
    page.text(0.05 * w, 0.04 * h, content.words(2, 5).title(), style.heading, round(0.075 * h), (255, 255, 255))
    for row in range(content.whole(3, 7)):
        y = (0.25 + 0.1 * row) * h
        page.draw.ellipse((0.06 * w, y + 0.015 * h, 0.07 * w, y + 0.035 * h), fill=style.accent)
        page.text(0.09 * w, y, content.words(3, 7), style.body, round(0.045 * h), style.ink)
    page.text(0.05 * w, 0.93 * h, style.title + " 2026", style.body, round(0.03 * h), style.ink)
    page.text(0.95 * w, 0.93 * h, str(content.number(2, 90)), style.body, round(0.03 * h), style.ink, "ra")
    return page.pixels()


def spreadsheet(style: Style, content: Content) -> Pixels:
    w, h = style.whole(800, 1200), style.whole(500, 760)
    screen = Canvas(w, h, (255, 255, 255))
    screen.box(0, 0, w, 0.08 * h, (33, 115, 70))
    screen.text(0.02 * w, 0.02 * h, style.title + ".xlsx", style.body, round(0.035 * h), (255, 255, 255))
    rows, columns = style.whole(14, 26), style.whole(6, 11)
    height, width = 0.92 * h / (rows + 1), w / (columns + 0.5)
    for row in range(rows + 1):
        y = 0.08 * h + row * height
        screen.line([(0, y), (w, y)], (212, 212, 212), 1)
        for column in range(columns + 1):
            x = (column - 0.5) * width if column else 0
            screen.line([(x, 0.08 * h), (x, h)], (212, 212, 212), 1)
            name = str(row) if column == 0 and row else chr(64 + column) if row == 0 and column else ""
            filled = row and column and (column == 1 or (style.seed[-1] + row * column) % 5)
            cell = (content.word() if column == 1 else content.amount(10, 99_999)) if filled else name
            screen.text(x + 3, y + 0.15 * height, cell, "DejaVuSans.ttf", round(0.55 * height), (20, 20, 20))
    return screen.pixels()


def source_code(style: Style, content: Content) -> Pixels:
    w, h = style.whole(700, 1100), style.whole(480, 760)
    screen = Canvas(w, h, (30, 31, 38) if style.dark else (252, 252, 250))
    size = round(style.between(0.02, 0.03) * h)
    colours = (
        ((198, 120, 221), (97, 175, 239), (152, 195, 121))
        if style.dark
        else ((130, 20, 130), (20, 60, 180), (30, 110, 40))
    )
    y, depth = 0.03 * h, 0
    row = 1
    while y < 0.95 * h:
        screen.text(0.01 * w, y, f"{row:3}", "DejaVuSansMono.ttf", size, (130, 130, 130))
        x = 0.07 * w + depth * 2 * size
        for word in content.words(1, 6).split():
            x = screen.text(
                x,
                y,
                word + content.pick((" ", "(", ".", " = ", "): ")),
                "DejaVuSansMono.ttf",
                size,
                content.pick((*colours, style.ink)),
            )
        depth = min(5, max(0, depth + content.pick((-1, 0, 0, 1))))
        y += 1.4 * size
        row += 1
    return screen.pixels()


def keypad(style: Style, content: Content) -> Pixels:
    """A keyboard of which other keys are lit."""
    w = style.whole(700, 1100)
    h = round(0.36 * w)
    board = Canvas(w, h, (45, 46, 50))
    for row, keys in enumerate(("1234567890-=", "qwertyuiop[]", "asdfghjkl;'#", "zxcvbnm,./<>")):
        for column, key in enumerate(keys):
            x, y = (0.015 + 0.015 * row + 0.077 * column) * w, (0.05 + 0.23 * row) * h
            lit = content.share() < 0.25
            board.draw.rounded_rectangle(
                (x, y, x + 0.07 * w, y + 0.2 * h), 6, fill=style.accent if lit else (80, 82, 88)
            )
            board.text(x + 0.035 * w, y + 0.1 * h, key, style.body, round(0.09 * h), (240, 240, 240), "mm")
    return board.pixels()


def board_game(style: Style, content: Content) -> Pixels:
    side = style.whole(400, 800)
    board = Canvas(side, side, (255, 255, 255))
    cell = side / 8
    light, dark = style.colour(200, 250), style.colour(90, 150)
    for row in range(8):
        for column in range(8):
            x, y = column * cell, row * cell
            board.box(x, y, x + cell, y + cell, light if (row + column) % 2 else dark)
            if content.share() < 0.3:
                white = content.share() < 0.5
                board.draw.ellipse(
                    (x + 0.15 * cell, y + 0.15 * cell, x + 0.85 * cell, y + 0.85 * cell),
                    fill=(250, 250, 250) if white else (20, 20, 20),
                    outline=(20, 20, 20),
                )
                board.text(
                    x + cell / 2,
                    y + cell / 2,
                    content.pick("KQRBNP"),
                    style.heading,
                    round(0.4 * cell),
                    (20, 20, 20) if white else (250, 250, 250),
                    "mm",
                )
    return board.pixels()


def web_page(style: Style, content: Content) -> Pixels:
    w, h = style.whole(800, 1200), style.whole(640, 900)
    page = Canvas(w, h, style.ground)
    page.box(0, 0, w, 0.08 * h, (225, 226, 230))
    page.draw.rounded_rectangle((0.12 * w, 0.02 * h, 0.8 * w, 0.06 * h), 8, fill=(255, 255, 255))
    page.text(
        0.14 * w,
        0.025 * h,
        f"{style.title.split()[0].lower()}.example/{content.word()}",
        style.body,
        round(0.022 * h),
        (60, 60, 60),
    )
    page.text(0.05 * w, 0.11 * h, style.title, style.heading, round(0.05 * h), style.accent)
    page.text(0.05 * w, 0.2 * h, content.words(4, 7).title(), style.heading, round(0.04 * h), style.ink)
    for column in range(3):
        x = (0.05 + 0.31 * column) * w
        page.box(
            x,
            0.3 * h,
            x + 0.28 * w,
            0.52 * h,
            content.pick(((180, 200, 220), (220, 190, 170), (190, 215, 180), (210, 190, 220))),
        )
        for row in range(8):
            page.text(x, (0.55 + 0.04 * row) * h, content.words(3, 5)[:26], style.body, round(0.024 * h), style.ink)
    return page.pixels()
