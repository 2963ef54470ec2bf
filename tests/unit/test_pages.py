"""Files with several pages or frames: each is compared like an image of its own, and the match names it."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from shared.domain.features import FEATURE_DIMENSIONS, cosine, normalise
from shared.domain.matches import Comparison, Ranking, Verdict
from shared.search.comparison import compare_with_stored, conclude
from shared.search.description import analyse
from shared.vision import signature
from shared.vision.embedding import Embedding
from shared.vision.keypoints import QUERY_KEYPOINTS
from shared.vision.pixels import Pixels
from shared.vision.resizing import resize_longest
from shared.vision.sheets import Page, sheet, stack, unstack
from shared.vision.signature import Signature, SignedPage
from shared.vision.views import local_features, whole
from tests.images import pixels

PHOTOGRAPHS = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "hubble_deep_field.jpg")
THREADS = ThreadPoolExecutor(1)


class Colours:
    """In place of the network: the mean colour decides the features."""

    def embed(self, rgb: Pixels) -> Embedding:
        vector = np.zeros(FEATURE_DIMENSIONS)
        vector[:3] = rgb.mean(axis=(0, 1))
        return Embedding(normalise(vector), ())


def described(pages: list[Page], **options: Any) -> Signature:
    """Return the signature of a file with these pages, packed and unpacked."""
    network: Any = Colours()
    return analyse(sheet(pages), lambda: network, threads=THREADS, shown=pages, **options)[0]


@pytest.fixture(scope="module")
def file() -> Signature:
    """The signature of a file whose pages 1, 3, 5, 7 and 9 show something new, as it is stored."""
    pages = [Page(pixels(name), 2 * place + 1, place / 4) for place, name in enumerate(PHOTOGRAPHS)]
    return signature.unpack(signature.pack(described(pages)))


def compared(query: Signature, stored: Signature) -> Comparison:
    assert query.features is not None
    coarse = compare_with_stored(query, query.features, stored, model="m")
    return conclude(coarse, query, stored, Ranking.FUSED)


@pytest.mark.parametrize("place", range(len(PHOTOGRAPHS)))
def test_a_copy_of_a_page_is_a_near_duplicate_on_that_page(file: Signature, place: int) -> None:
    rgb = pixels(PHOTOGRAPHS[place])
    query = described([Page(np.ascontiguousarray(rgb[: len(rgb) * 4 // 5]), 1)], keypoints=QUERY_KEYPOINTS)
    found = compared(query, file)
    assert (found.verdict, found.page, found.seconds) == (Verdict.NEAR_DUPLICATE, 2 * place + 1, place / 4)
    assert found.overlap is not None
    assert found.overlap[1] < 1 / len(PHOTOGRAPHS)
    assert found.of_one_page
    turned = compared(file, query)
    assert turned.of_one_page
    assert (turned.verdict, turned.page, turned.own_page) == (Verdict.NEAR_DUPLICATE, 1, 2 * place + 1)
    assert turned.overlap == pytest.approx(found.overlap[::-1])


def test_an_image_whose_pixels_are_those_of_a_page_is_not_identical_with_its_file(file: Signature) -> None:
    assert compared(described([Page(pixels(PHOTOGRAPHS[1]), 1)]), file).verdict is Verdict.NEAR_DUPLICATE


def test_files_that_share_a_page_are_variants_and_a_file_is_identical_with_itself(file: Signature) -> None:
    retina, first = Page(pixels("retina.jpg"), 2), Page(pixels("astronaut.png"), 1)
    shared = compared(file, described([first, retina]))
    assert (shared.verdict, shared.overlap) == (Verdict.VARIANT, (1 / 5, 1 / 2))
    assert compared(described([retina, first]), file).verdict is Verdict.VARIANT
    same = compared(file, file)
    assert (same.verdict, same.page) == (Verdict.IDENTICAL, None)


def test_a_file_with_fewer_pages_of_another_is_a_near_duplicate(file: Signature) -> None:
    smaller = [Page(resize_longest(pixels(name), 300), place + 1) for place, name in enumerate(PHOTOGRAPHS[1:3])]
    found = compared(described(smaller), file)
    assert (found.verdict, found.overlap, found.of_one_page) == (Verdict.NEAR_DUPLICATE, (1, 2 / 5), False)


def test_the_vectors_of_a_file_are_near_those_of_each_page(file: Signature) -> None:
    mine = local_features(file)
    assert file.features is not None
    assert mine is not None
    assert np.array_equal(whole(file).vector, mine)
    stranger = local_features(signature.extract(pixels("retina.jpg")))
    assert stranger is not None
    for name in PHOTOGRAPHS:
        page = local_features(signature.extract(pixels(name)))
        assert page is not None
        assert cosine(mine, page) > cosine(mine, stranger) + 0.1


def test_a_single_frame_that_represents_its_animation_is_named(file: Signature) -> None:
    query = described([Page(pixels("coffee.png"), 1)])
    stored = signature.unpack(signature.pack(described([Page(pixels("coffee.png"), 7, 1.25)])))
    assert stored.pages == (SignedPage(7, 1.25),)
    found = compared(query, stored)
    assert (found.verdict, found.page, found.seconds, found.of_one_page) == (Verdict.IDENTICAL, 7, 1.25, False)
    assert compared(query, replace(stored, pages=())).page is None


def test_a_signature_whose_pages_are_cut_off_is_refused(file: Signature) -> None:
    packed = signature.pack(file)
    for wrong in (packed[:-1], packed + b"\0", signature.pack(replace(file, pages=())) + b"\0" * 12):
        with pytest.raises(ValueError, match="length"):
            signature.unpack(wrong)


def test_pages_of_any_size_pass_through_one_array() -> None:
    rng = np.random.default_rng(1)
    pages = [
        Page(rng.integers(0, 255, (height, width, 3)).astype(np.uint8), number, seconds)
        for number, seconds, height, width in ((1, None, 3, 5), (4, 0.5, 7, 2))
    ]
    back = unstack(*stack(pages))
    assert [(page.number, page.seconds) for page in back] == [(1, None), (4, 0.5)]
    assert all(np.array_equal(a.rgb, b.rgb) for a, b in zip(pages, back, strict=True))
