"""Pairs of different things of one kind, and pairs of copies."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Final

import numpy as np

from bench.negatives import charts, documents, graphics, photos, screens
from bench.negatives.canvas import Content, Style
from bench.negatives.scanning import scanned, sent
from bench.quality import alterations
from bench.quality.backdrops import HOSTS, host_image, window
from shared.domain.errors import PictureRefused
from shared.vision.decode.decoding import decode
from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels

Drawing = Callable[[Style, Content], Pixels]
SCANNED: Final[Mapping[str, Drawing]] = {
    "invoice": documents.invoice,
    "receipt": documents.receipt,
    "form": documents.form,
    "text page": documents.text_page,
    "letter": documents.letter,
    "ticket": documents.ticket,
    "business card": documents.card,
    "identity card": documents.identity,
    "table": documents.table,
    "calendar": documents.calendar,
    "sheet music": documents.sheet_music,
    "floor plan": charts.floor_plan,
}
"""Kinds that are scanned in half of the pairs."""
SHOWN: Final[Mapping[str, Drawing]] = {
    "QR code": documents.code,
    "bar code": documents.bar_code,
    "bar chart": charts.bars,
    "line chart": charts.lines,
    "scatter chart": charts.scatter,
    "pie chart": charts.pie,
    "heat map": charts.heat_map,
    "city map": charts.city_map,
    "diagram": charts.diagram,
    "chat": screens.chat,
    "app screen": screens.app_list,
    "dashboard": screens.dashboard,
    "slide": screens.slide,
    "spreadsheet": screens.spreadsheet,
    "source code": screens.source_code,
    "keyboard": screens.keypad,
    "board game": screens.board_game,
    "web page": screens.web_page,
    "icon": graphics.icon,
    "logo": graphics.logo,
    "texture": graphics.texture,
    "tiles": graphics.tiles,
    "stickers": graphics.sticker_sheet,
    "poster": graphics.poster,
    "product": graphics.product,
    "things on a table": graphics.potatoes,
}
DRAWN: Final = {**SCANNED, **SHOWN}
NUMBERED: Final = (
    "invoice",
    "receipt",
    "form",
    "ticket",
    "business card",
    "identity card",
    "table",
    "dashboard",
    "floor plan",
    "product",
)
"""Kinds in which a single number can be changed."""

Scene = Callable[[Style, Content, Sequence[Pixels], bool], Pixels]
BURSTS: Final[Mapping[str, Scene]] = {
    "burst: eyes shut": photos.blink,
    "burst: a step aside": photos.moved,
    "burst: a part moved": photos.moved_part,
    "burst: another person": photos.another_person,
}
PLAIN: Final = (
    "JPEG 75",
    "JPEG 20",
    "resized to 50 %",
    "resized to 25 %",
    "cropped by 10 %",
    "cropped by 30 %",
    "cropped by 50 %",
    "rotated by 5 degrees",
    "turned by 90 degrees",
    "turned by 180 degrees",
    "mirrored",
    "brighter (x 1.6)",
    "darker (x 0.4)",
    "gamma 2",
    "gray",
)
DRESSED: Final = (
    "text bar over a fifth",
    "border of 20 %",
    "inset of a third",
    "screenshot",
    "half of a collage",
    "caption",
    "sticker",
    "logo in a corner",
)
DEGRADED: Final = (
    "JPEG 5",
    "blur sigma 3",
    "noise sigma 25",
    "hue by 90 degrees",
    "perspective 12 %",
    "width by 2/3",
    "cropped by 80 %",
    *alterations.MIXTURES,
)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two images as JPEGs.

    Attributes:
        kind: a row of the table.
        group: `different`, `changed` (a small change of one base), `plain`, `dressed` or `degraded` (copies).
    """

    kind: str
    group: str
    a: bytes
    b: bytes


PHOTOGRAPHS: Final = 60


@cache
def photographs(folder: Path | None, count: int = PHOTOGRAPHS) -> list[Pixels]:
    """Return the last `count` photographs of a folder, or those in scikit-image's wheel."""
    if folder is None:
        return [host_image(np.random.default_rng(seed)) for seed in range(2 * len(HOSTS))]
    found: list[Pixels] = []
    for path in sorted(folder.rglob("*"))[::-1]:
        if len(found) == count:
            break
        if path.is_file():
            try:
                found.append(decode(path.read_bytes()).rgb)
            except PictureRefused:
                continue
    return found


def _saved(rgb: Pixels, rng: np.random.Generator) -> bytes:
    return alterations.encoded(rgb, int(rng.integers(60, 96)))


def finished(rgb: Pixels, kind: str, rng: np.random.Generator) -> bytes:
    """Return a drawn image as a JPEG; half of the documents are scanned first."""
    if kind in SCANNED and rng.random() < 0.5:
        rgb = scanned(rgb, rng)
    return _saved(sent(rgb, rng), rng)


def different(kind: str, seed: int, place: int) -> Pair:
    """Draw two contents of one style."""
    style = [seed, place, *kind.encode()]
    rng = np.random.default_rng([*style, 99])
    made = [DRAWN[kind](Style(style), Content([*style, side])) for side in (1, 2)]
    a, b = (finished(rgb, kind, rng) for rgb in made)
    return Pair(kind, "different", a, b)


def one_number(kind: str, seed: int, place: int) -> Pair:
    """Draw one content twice, with a single number changed."""
    style = [seed, place, *kind.encode(), 5]
    first = Content([*style, 1])
    a = DRAWN[kind](Style(style), first)
    changed = int(np.random.default_rng(style).choice(first.numbers))
    b = DRAWN[kind](Style(style), Content([*style, 1], [changed]))
    rng = np.random.default_rng([*style, 99])
    return Pair("one other number", "changed", finished(a, kind, rng), finished(b, kind, rng))


def other_colour(seed: int, place: int) -> Pair:
    """Draw one product in two colours."""
    style = [seed, place, 6]
    a, b = (graphics.product(Style(style), Content([*style, 1], changed)) for changed in ((), (0,)))
    again = 1
    while np.array_equal(a, b):
        again += 1
        a, b = (graphics.product(Style(style), Content([*style, again], changed)) for changed in ((), (0,)))
    rng = np.random.default_rng([*style, 99])
    return Pair("product: another colour", "changed", _saved(sent(a, rng), rng), _saved(sent(b, rng), rng))


def burst(kind: str, seed: int, place: int, folder: Path | None) -> Pair:
    style = [seed, place, *kind.encode()]
    rng = np.random.default_rng([*style, 99])
    a, b = (
        _saved(BURSTS[kind](Style(style), Content([*style, side]), photographs(folder), side == 2), rng)
        for side in (1, 2)
    )
    return Pair(kind, "changed", a, b)


def other_caption(seed: int, place: int, folder: Path | None) -> Pair:
    style = [seed, place, 8]
    rng = np.random.default_rng([*style, 99])
    a, b = (
        _saved(sent(photos.meme(Style(style), Content([*style, side]), photographs(folder)), rng), rng)
        for side in (1, 2)
    )
    return Pair("meme: another caption", "changed", a, b)


def other_story(seed: int, place: int, folder: Path | None) -> Pair:
    style = [seed, place, 9]
    rng = np.random.default_rng([*style, 99])
    a, b = (_saved(photos.story(Style(style), Content([*style, side]), photographs(folder)), rng) for side in (1, 2))
    return Pair("post", "different", a, b)


def _caption(rgb: Pixels, rng: np.random.Generator) -> Pixels:
    style = [int(value) for value in rng.integers(0, 2**31, 2)]
    content = Content([*style, 1])
    return photos.captioned(rgb, Style(style), [content.words(2, 4)[:20], content.words(2, 4)[:20]])


def _sticker(rgb: Pixels, rng: np.random.Generator) -> Pixels:
    style = [int(value) for value in rng.integers(0, 2**31, 2)]
    side = round(min(rgb.shape[:2]) * rng.uniform(0.15, 0.3))
    icon = cv2.resize(graphics.icon(Style(style), Content(style)), (side, side), interpolation=cv2.INTER_AREA)
    out = rgb.copy()
    top, left = int(rng.integers(0, rgb.shape[0] - side)), int(rng.integers(0, rgb.shape[1] - side))
    out[top : top + side, left : left + side] = icon
    return out


def _logo(rgb: Pixels, rng: np.random.Generator) -> Pixels:
    style = [int(value) for value in rng.integers(0, 2**31, 2)]
    width = round(rgb.shape[1] * rng.uniform(0.15, 0.28))
    mark = graphics.logo(Style(style), Content(style))
    mark = cv2.resize(mark, (width, max(8, width // 2)), interpolation=cv2.INTER_AREA).astype(np.uint8)
    out = rgb.copy()
    height = min(len(mark), len(out))
    part = out[-height:, -width:]
    out[-height:, -width:] = mark[:height] if rng.random() < 0.5 else 0.5 * part + 0.5 * mark[:height]
    return out


_OWN: Final[Mapping[str, alterations.Alteration]] = {
    "caption": _caption,
    "sticker": _sticker,
    "logo in a corner": _logo,
    "screenshot": window,
}


def copied_photograph(name: str, group: str, which: int, seed: int, place: int, folder: Path | None) -> Pair:
    found = photographs(folder)
    return copy(name, group, found[which % len(found)], seed, place)


def copied_drawing(name: str, group: str, kind: str, seed: int, place: int) -> Pair:
    style = [seed, place, *kind.encode(), 4]
    return copy(name, f"{group}, drawn", DRAWN[kind](Style(style), Content([*style, 1])), seed, place)


def copy(name: str, group: str, rgb: Pixels, seed: int, place: int) -> Pair:
    rng = np.random.default_rng([seed, place, *name.encode()])
    alter = _OWN.get(name) or alterations.ALTERATIONS[name]
    return Pair(name, group, _saved(rgb, rng), alterations.encoded(alter(rgb, rng), 90))


def scan_again(kind: str, seed: int, place: int) -> Pair:
    """Draw one document, and scan it twice."""
    style = [seed, place, *kind.encode(), 3]
    rgb = DRAWN[kind](Style(style), Content([*style, 1]))
    rng = np.random.default_rng([*style, 99])
    a, b = (_saved(sent(scanned(rgb, rng), rng), rng) for _ in range(2))
    return Pair("scanned twice", "scans", a, b)


def made(count: int, seed: int, folder: Path | None) -> Iterator[Callable[[], Pair]]:
    """Yield `count` pairs of each kind, as functions that draw them."""
    names = list(DRAWN)
    for place in range(count):
        yield from (partial(different, kind, seed, place) for kind in DRAWN)
        yield partial(other_story, seed, place, folder)
        yield from (partial(burst, kind, seed, place, folder) for kind in BURSTS)
        yield partial(other_caption, seed, place, folder)
        yield partial(other_colour, seed, place)
        yield from (partial(one_number, kind, seed, place) for kind in np.roll(NUMBERED, place)[:3].tolist())
        yield from (partial(scan_again, kind, seed, place) for kind in np.roll(list(SCANNED), place)[:3].tolist())
        for group, alterations_ in (("plain", PLAIN), ("dressed", DRESSED), ("degraded", DEGRADED)):
            for step, name in enumerate(alterations_):
                yield partial(copied_photograph, name, group, 7 * place + step, seed, place, folder)
                if group != "degraded" and (step + place) % 3 == 0:
                    kind = names[(5 * place + step) % len(names)]
                    yield partial(copied_drawing, name, group, kind, seed, place)
