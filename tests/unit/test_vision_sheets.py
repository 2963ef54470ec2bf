"""Sheets: which page or frame of a file an image shows."""

from dataclasses import replace

import numpy as np
import pytest

from shared.vision import signature
from shared.vision.decode.pages import Page, sheet
from shared.vision.keypoints import QUERY_KEYPOINTS
from shared.vision.pixels import Pixels
from shared.vision.sheets import Cell, locate, pack_cells, unpack_cells
from shared.vision.signature import Signature, extract
from tests.images import pixels

PHOTOGRAPHS = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "hubble_deep_field.jpg")


@pytest.fixture(scope="module")
def file() -> Signature:
    """The signature of a file whose pages 1, 3, 5, 7 and 9 are on its sheet."""
    rgb, cells = sheet([Page(pixels(name), 2 * place + 1) for place, name in enumerate(PHOTOGRAPHS)])
    return signature.unpack(signature.pack(replace(extract(rgb), cells=cells)))


def located(rgb: Pixels, file: Signature, *, mirrored: bool = False) -> int | None:
    query = extract(rgb, keypoints=QUERY_KEYPOINTS)
    found = locate(query.gray, query.keypoints, file.fine, file.cells, mirrored=mirrored)
    return found and found.number


@pytest.mark.parametrize("place", range(len(PHOTOGRAPHS)))
def test_an_image_is_found_on_its_page(file: Signature, place: int) -> None:
    rgb = pixels(PHOTOGRAPHS[place])
    assert located(rgb, file) == 2 * place + 1
    assert located(rgb[: len(rgb) * 3 // 4, 40:], file) == 2 * place + 1
    assert located(np.ascontiguousarray(rgb[:, ::-1]), file, mirrored=True) == 2 * place + 1


def test_an_image_without_keypoints_is_found_by_its_layout(file: Signature) -> None:
    slope = np.repeat(np.tile(np.linspace(0, 255, 400).astype(np.uint8), (300, 1))[:, :, None], 3, axis=2)
    rgb, cells = sheet([Page(pixels("coffee.png"), 1), Page(slope, 2), Page(slope[:, ::-1].copy(), 3)])
    assert located(slope, replace(extract(rgb), cells=cells)) == 2


def test_an_image_that_is_on_no_page_has_none(file: Signature) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (300, 400, 3)).astype(np.uint8)
    assert located(noise, file) is None


def test_a_single_frame_that_represents_its_animation_needs_no_search(file: Signature) -> None:
    one = replace(file, cells=(Cell(7, 1.25),))
    assert locate(one.gray, one.keypoints, one.fine, one.cells, mirrored=False) == Cell(7, 1.25)


def test_what_are_no_cells_is_refused(file: Signature) -> None:
    assert unpack_cells(b"") == ()
    packed = pack_cells(file.cells)
    for wrong in (packed[:-1], packed[:6] + b"\xff" * 16):
        with pytest.raises(ValueError, match="cell"):
            unpack_cells(wrong)
    with pytest.raises(ValueError, match="length"):
        signature.unpack(signature.pack(replace(file, cells=()))[:-1])
