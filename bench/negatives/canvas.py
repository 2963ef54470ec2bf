"""Draw the benchmark's documents, charts and screens: a canvas, a style that two of them share, and their contents.

Everything is drawn from seeds. A `Style` is the template (fonts, colours, proportions); `Content` holds the values of
one image. Each value has a seed of its own, so that one can be changed while all others stay.
"""

from collections.abc import Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from shared.vision.pixels import Pixels

Colour = tuple[int, int, int]
FONTS: Final = (
    "DejaVuSans.ttf",
    "DejaVuSans-Bold.ttf",
    "DejaVuSerif.ttf",
    "DejaVuSerif-Bold.ttf",
    "DejaVuSansMono.ttf",
    "STIXGeneral.ttf",
    "STIXGeneralBol.ttf",
    "cmr10.ttf",
    "cmss10.ttf",
    "cmtt10.ttf",
)
_WORDS = (
    "anchor basin candle delta ember falcon garden harbour island jacket kettle lantern marble needle orchard "
    "paper quarry ribbon saddle timber umbrella valley window yellow zephyr bridge copper dragon engine forest "
    "glacier hammer insect jungle kernel ladder magnet nectar oyster pebble quiver rocket silver tunnel urchin "
    "velvet walnut yogurt bottle camera dollar eleven finger guitar hollow iron jewel knight lemon mirror "
    "north olive planet queen river stone table under violet water zebra cable drawer filter switch handle"
)
WORDS: Final = tuple(_WORDS.split())
_NAMES = (
    "Ada Bruno Clara Daniel Elena Felix Greta Hugo Irene Jonas Karin Lucas Maria Nils Olga Paul Rosa Simon Tanja Viktor"
)
NAMES: Final = tuple(_NAMES.split())
_SURNAMES = (
    "Adler Becker Costa Duarte Eriksen Fischer Garcia Hansen Ivanov Jensen Keller Lindqvist Moreau Novak Olsen "
    "Petrov Rossi Schulz Tanaka Weber"
)
SURNAMES: Final = tuple(_SURNAMES.split())


@lru_cache(maxsize=256)
def font(name: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(Path(mpl.get_data_path()) / "fonts" / "ttf" / name), max(6, size))


def colour_of(values: npt.ArrayLike) -> Colour:
    """Return the nearest colour to three numbers."""
    red, green, blue = np.clip(np.asarray(values), 0, 255).astype(int).tolist()
    return red, green, blue


class Style:
    """A template; two images of one style differ only in their content."""

    def __init__(self, seed: Sequence[int]) -> None:
        self.rng = np.random.default_rng(seed)
        self.seed = tuple(seed)
        pick = self.rng.choice
        self.heading, self.body = str(pick(FONTS)), str(pick(FONTS))
        self.accent: Colour = self.colour(20, 200)
        self.dark = bool(self.rng.random() < 0.3)
        self.paper: Colour = self.colour(235, 256)
        self.black: Colour = self.colour(10, 60)
        self.scale = float(self.rng.uniform(0.75, 1.3))
        self.title = " ".join(str(word) for word in pick(WORDS, 2)).title()

    def colour(self, low: int = 0, high: int = 256) -> Colour:
        red, green, blue = (int(value) for value in self.rng.integers(low, high, 3))
        return red, green, blue

    def between(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))

    def whole(self, low: int, high: int) -> int:
        """Draw a whole number from `low` to `high` - 1."""
        return int(self.rng.integers(low, high))

    def size(self, points: float) -> int:
        return round(points * self.scale)

    @cached_property
    def ground(self) -> Colour:
        return (28, 30, 34) if self.dark else self.paper

    @cached_property
    def ink(self) -> Colour:
        return (228, 228, 228) if self.dark else (25, 25, 28)


class Content:
    """The values of one image; the same seed draws the same values, except those whose indices are in `changed`.

    Attributes:
        numbers: indices, in the order of drawing, of the values that are numbers.
    """

    def __init__(self, seed: Sequence[int], changed: Sequence[int] = ()) -> None:
        self._seed, self._changed = list(seed), frozenset(changed)
        self._place = 0
        self.numbers: list[int] = []

    def rng(self) -> np.random.Generator:
        """Return the generator of the next value."""
        seed = [*self._seed, self._place, int(self._place in self._changed)]
        self._place += 1
        return np.random.default_rng(seed)

    def number(self, low: int, high: int) -> int:
        """Draw a number from `low` to `high` - 1; a different one if its index is in `changed`."""
        self.numbers.append(self._place)
        seen = Content(self._seed) if self._place in self._changed else None
        value = int(self.rng().integers(low, high))
        if seen is not None:
            seen._place = self._place - 1
            before = int(seen.rng().integers(low, high))
            while value == before:
                value = low + (value - low + 1) % (high - low)
        return value

    def amount(self, low: int = 100, high: int = 100_000) -> str:
        return f"{self.number(low, high) / 100:.2f}"

    def whole(self, low: int, high: int) -> int:
        return int(self.rng().integers(low, high))

    def share(self) -> float:
        return float(self.rng().random())

    def word(self) -> str:
        return str(self.rng().choice(WORDS))

    def words(self, low: int, high: int) -> str:
        rng = self.rng()
        return " ".join(str(word) for word in rng.choice(WORDS, int(rng.integers(low, high))))

    def person(self) -> str:
        rng = self.rng()
        return f"{rng.choice(NAMES)} {rng.choice(SURNAMES)}"

    def date(self) -> str:
        rng = self.rng()
        return f"{int(rng.integers(1, 29)):02}.{int(rng.integers(1, 13)):02}.{int(rng.integers(2019, 2027))}"

    def pick(self, among: Sequence[Any]) -> Any:
        return among[int(self.rng().integers(len(among)))]


class Canvas:
    """Pixels to draw on, in RGB."""

    def __init__(self, width: int, height: int, ground: Colour) -> None:
        self.image = Image.new("RGB", (width, height), ground)
        self.draw = ImageDraw.Draw(self.image)
        self.width, self.height = width, height

    def text(self, x: float, y: float, words: str, name: str, size: int, ink: Colour, anchor: str = "la") -> float:
        """Draw a line of text; return the x coordinate of its end, in pixels."""
        face = font(name, size)
        self.draw.text((x, y), words, fill=ink, font=face, anchor=anchor)
        return x + face.getlength(words)

    def box(self, left: float, top: float, right: float, bottom: float, fill: Colour | None = None, **how: Any) -> None:
        self.draw.rectangle((left, top, max(left, right), max(top, bottom)), fill=fill, **how)

    def line(self, points: Sequence[tuple[float, float]], ink: Colour, width: int = 2) -> None:
        self.draw.line(list(points), fill=ink, width=width)

    def pixels(self) -> Pixels:
        return np.asarray(self.image, np.uint8).copy()
