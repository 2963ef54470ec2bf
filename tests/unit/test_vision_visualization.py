"""The drawings of a comparison show where the images agree and where they differ."""

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from bench.quality.alterations import ALTERATIONS
from shared.vision.resizing import resize_longest
from shared.vision.visualization import GAP, difference_image, matches_image
from tests.images import pixels

Pixels = npt.NDArray[np.uint8]


@pytest.fixture(scope="module")
def cat() -> Pixels:
    return pixels("chelsea.png")


def decoded(png: bytes) -> Pixels:
    found = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    assert found is not None
    return found.astype(np.uint8)


@pytest.mark.parametrize("change", ["as it is", "turned and cropped", "mirrored"])
def test_the_heat_map_is_bright_only_where_the_images_differ(cat: Pixels, change: str) -> None:
    painted = cat.copy()
    painted[100:160, 200:280] = np.random.default_rng(1).integers(0, 256, (60, 80, 3), np.uint8)
    query = {
        "as it is": painted,
        "turned and cropped": np.ascontiguousarray(np.rot90(painted[20:290, 20:440])),
        "mirrored": np.ascontiguousarray(painted[:, ::-1]),
    }[change]
    heat = decoded(difference_image(query, cat)).astype(float)
    scale = heat.shape[1] / cat.shape[1]
    assert heat.shape[0] == pytest.approx(cat.shape[0] * scale, abs=1), "in the proportions of the second image"
    top, bottom, left, right = (round(value * scale) for value in (110, 150, 210, 270))
    inside = heat[top:bottom, left:right].mean()
    outside = heat[round(200 * scale) : round(270 * scale), round(60 * scale) : round(180 * scale)].mean()
    assert inside > 1.5 * outside


def test_lines_join_matching_points_and_none_join_unrelated_images(cat: Pixels) -> None:
    def between(a: Pixels, b: Pixels) -> int:
        """The number of line pixels in the white gap between the images."""
        drawn = decoded(matches_image(a, b))
        side = round(512 * a.shape[1] / max(a.shape[:2]))
        return int((drawn[:, side + 2 : side + GAP - 2] != 255).any(2).sum())

    assert between(cat, cat) > 500
    assert between(np.ascontiguousarray(cat[:, ::-1]), cat) > 500
    assert between(cat, pixels("coffee.png")) == 0


def test_an_inset_found_only_by_a_window_is_joined_and_aligned() -> None:
    page = pixels("page.png")
    host = ALTERATIONS["inset of a third"](page, np.random.default_rng(1))
    lines = decoded(matches_image(host, page))
    assert (lines[:, 514 : 512 + GAP - 2] != 255).any()
    assert decoded(difference_image(host, page)).shape == resize_longest(page, 512).shape, "aligned with the page"


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (40, 40)])
def test_images_without_keypoints_can_be_drawn(cat: Pixels, shape: tuple[int, int]) -> None:
    flat = np.full((*shape, 3), 200, np.uint8)
    for draw in (matches_image, difference_image):
        assert decoded(draw(flat, cat)).size
        assert decoded(draw(cat, flat)).size
