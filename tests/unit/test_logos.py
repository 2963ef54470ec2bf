"""Logos on transparent ground: each is found by its copies, and by its version in the other colour."""

import io
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from PIL import Image, ImageDraw

from bench.quality.collection import Memory, Original, key_of
from shared.domain.features import FEATURE_DIMENSIONS, normalise
from shared.domain.matches import Ranking, Verdict
from shared.search.description import describe
from shared.search.request import SearchRequest
from shared.search.searcher import Searcher
from shared.search.timings import Stopwatch
from shared.vision.embedding import Embedding
from shared.vision.evidence.judgement import Relation, judge
from shared.vision.pixels import Pixels
from tests.images import encoded, pixels

LOGOS: Final = range(4)


class Network:
    """In place of the network: all logos have the same features."""

    model_id = "m"

    def embed(self, _: Pixels) -> Embedding:
        return Embedding(normalise(np.ones(FEATURE_DIMENSIONS)), ())


def logo(number: int, colour: str, size: tuple[int, int] = (600, 300)) -> bytes:
    """Return a PNG of shapes in one colour on transparent ground."""
    image = Image.new("RGBA", (600, 300), (128, 128, 128, 0))
    draw, rng = ImageDraw.Draw(image), np.random.default_rng(number)
    for _ in range(30):
        x, y, side = (int(value) for value in rng.integers((20, 20, 15), (530, 230, 60)))
        shape = draw.ellipse if rng.random() < 0.4 else draw.rectangle
        shape([x, y, x + side, y + side], fill=colour if rng.random() < 0.7 else (0, 0, 0, 0))
    out = io.BytesIO()
    image.resize(size).save(out, "PNG")
    return out.getvalue()


def searcher_of(stored: dict[str, bytes], made: object | None = None) -> tuple[Searcher, list[Original]]:
    network: Any = made or Network()
    originals = [
        Original(Path(name), name, describe(data, key_of(data), network, created_at="", filename=name))
        for name, data in stored.items()
    ]
    return Memory(originals, network.model_id).searcher(network), originals


@pytest.fixture(scope="module")
def searcher() -> Searcher:
    cat = {"cat": encoded(pixels("chelsea.png"))}
    return searcher_of({f"white-{number}": logo(number, "white") for number in LOGOS} | cat)[0]


def search(searcher: Searcher, data: bytes) -> list[tuple[str | None, Verdict, bool]]:
    query = searcher.describe(data, Stopwatch())
    found = searcher.search(query, SearchRequest(collection="bench", k=5, ranking=Ranking.FUSED), Stopwatch())
    return [(one.record.filename, one.comparison.verdict, one.comparison.inverted) for one in found.matches]


@pytest.mark.parametrize("number", LOGOS)
def test_a_white_logo_is_found_by_its_copies_and_by_its_black_version(searcher: Searcher, number: int) -> None:
    copy, *others = search(searcher, logo(number, "white", (300, 150)))
    assert copy == (f"white-{number}", Verdict.NEAR_DUPLICATE, False)
    assert not any(verdict in (Verdict.NEAR_DUPLICATE, Verdict.VARIANT) for _, verdict, _ in others)
    black, *others = search(searcher, logo(number, "black"))
    assert black == (f"white-{number}", Verdict.VARIANT, True)
    assert not any(verdict in (Verdict.NEAR_DUPLICATE, Verdict.VARIANT) for _, verdict, _ in others)


def test_a_photograph_is_not_searched_for_inverted(searcher: Searcher) -> None:
    first, *_ = search(searcher, encoded(pixels("chelsea.png")[:200]))
    assert first == ("cat", Verdict.NEAR_DUPLICATE, False)


def test_a_stored_logo_is_searched_for_inverted_too() -> None:
    files = {"white": logo(0, "white"), "black": logo(0, "black"), "another": logo(1, "black")}
    searcher, originals = searcher_of(files)
    for one in originals[:2]:
        record = one.described.record
        wanted = SearchRequest(collection="bench", k=5, ranking=Ranking.FUSED, exclude=record.image_id)
        first, second = searcher.search(searcher.recall(record, Stopwatch()), wanted, Stopwatch()).matches
        assert first.record.filename in {"white", "black"}
        assert (first.comparison.verdict, first.comparison.inverted) == (Verdict.VARIANT, True)
        assert second.comparison.verdict in (Verdict.SIMILAR, Verdict.UNRELATED)


def test_a_logo_laid_over_a_light_gray_is_searched_for_inverted(searcher: Searcher) -> None:
    on_light = Image.new("RGBA", (600, 300), (225, 225, 225))
    on_light.alpha_composite(Image.open(io.BytesIO(logo(2, "black"))))
    first, *_ = search(searcher, encoded(np.asarray(on_light.convert("RGB")), ".jpg"))
    assert first == ("white-2", Verdict.VARIANT, True)


def bars(ink: str, ground: str) -> bytes:
    """Return a logo of a few large shapes, of which the gray levels alone are enough to place one upon the other."""
    image = Image.new("RGB", (500, 220), ground)
    draw = ImageDraw.Draw(image)
    draw.ellipse((20, 30, 180, 190), fill=ink)
    draw.text((210, 70), "ORBITA", fill=ink, font_size=72)
    return encoded(np.asarray(image), ".png")


@pytest.mark.parametrize(
    "files", [(bars("black", "white"), bars("white", "black")), (logo(2, "white"), logo(2, "black"))]
)
def test_a_logo_and_its_inverted_version_are_compared_as_a_search_does(files: tuple[bytes, bytes]) -> None:
    searcher = searcher_of({"one": files[1]})[0]
    a, b = (searcher.describe(data, Stopwatch()) for data in files)
    for one, other in ((a, b), (b, a)):
        assert searcher.compare(one, other, Ranking.FUSED).verdict is Verdict.VARIANT
    first, *_ = search(searcher, files[0])
    assert first[:2] == ("one", Verdict.VARIANT)
    assert judge(a.signature.fine, b.signature.fine).relation is not Relation.COPY
