"""A collage is cut along its seams, and no photograph is."""

from dataclasses import astuple

import numpy as np
import pytest

from shared.vision.opencv import cv2
from shared.vision.panes import MOST_PANES, Pane, panes
from shared.vision.pixels import Pixels
from tests.images import encoded, pixels

NAMES = ("coffee.png", "astronaut.png", "motorcycle_left.png", "chelsea.png")


def cell(name: str, width: int = 240, height: int = 180) -> Pixels:
    return cv2.resize(pixels(name), (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8)


def saved(rgb: Pixels) -> Pixels:
    data = np.frombuffer(encoded(rgb, ".jpg", cv2.IMWRITE_JPEG_QUALITY, 80), np.uint8)
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR_RGB)
    assert decoded is not None
    return decoded.astype(np.uint8)


def is_near(found: Pane, wanted: Pane) -> bool:
    both = zip(astuple(found), astuple(wanted), strict=True)
    return all(abs(one - other) < 0.01 for one, other in both)


@pytest.mark.parametrize(("across", "down"), [(2, 1), (1, 2), (2, 2), (3, 3)])
def test_the_cells_of_a_collage_are_its_panes(across: int, down: int) -> None:
    cells = [cell(NAMES[number % len(NAMES)]) for number in range(across * down)]
    collage = saved(np.vstack([np.hstack(cells[row * across : (row + 1) * across]) for row in range(down)]))
    wanted = [Pane(x / across, y / down, 1 / across, 1 / down) for y in range(down) for x in range(across)]
    found = panes(collage)
    # Where two cells are alike along their seam, they stay together.
    assert sum(any(is_near(one, pane) for one in found) for pane in wanted) >= max(2, len(wanted) - 2)
    assert len(found) <= len(wanted)


def test_cells_of_different_sizes_are_panes() -> None:
    right = np.vstack([cell("coffee.png", 240, 120), cell("chelsea.png", 240, 240)])
    collage = saved(np.hstack([cell("astronaut.png", 360, 360), right]))
    found = panes(collage)
    assert [is_near(one, wanted) for one, wanted in zip(found, [Pane(0, 0, 0.6, 1)], strict=False)] == [True]
    assert any(is_near(one, Pane(0.6, 0, 0.4, 1 / 3)) for one in found)
    assert any(is_near(one, Pane(0.6, 1 / 3, 0.4, 2 / 3)) for one in found)


@pytest.mark.parametrize("name", [*NAMES, "rocket.jpg"])
def test_a_photograph_has_no_panes(name: str) -> None:
    assert panes(pixels(name)) == []


@pytest.mark.parametrize("shape", [(1, 1), (1, 400), (400, 1), (30, 30), (512, 512), (40, 2000)])
def test_a_flat_image_has_none(shape: tuple[int, int]) -> None:
    assert panes(np.full((*shape, 3), 200, np.uint8)) == []


def test_noise_has_none() -> None:
    assert panes(np.random.default_rng(1).integers(0, 256, (400, 600, 3), dtype=np.uint8)) == []


def test_the_dots_of_a_print_are_no_seams() -> None:
    across = np.arange(600) * np.pi / 4
    screen = (np.cos(across)[np.newaxis] * np.cos(across[:400])[:, np.newaxis] > 0).astype(np.uint8) * 255
    assert panes(np.repeat(screen[:, :, np.newaxis], 3, axis=2)) == []


def test_there_are_not_more_panes_than_are_searched_for() -> None:
    colours = np.random.default_rng(2).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    assert len(panes(np.kron(colours, np.ones((120, 120, 1), np.uint8)))) == MOST_PANES
