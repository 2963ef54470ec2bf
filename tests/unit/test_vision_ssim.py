"""SSIM equals scikit-image's."""

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels
from shared.vision.ssim import moments, ssim, ssim_and_detail, ssim_map
from tests.images import pixels


def square(name: str) -> Pixels:
    gray = cv2.cvtColor(pixels(name), cv2.COLOR_RGB2GRAY)
    return cv2.resize(gray, (256, 256), interpolation=cv2.INTER_AREA).astype(np.uint8)


def cases() -> dict[str, tuple[Pixels, Pixels]]:
    cat, cup = square("chelsea.png"), square("coffee.png")
    white, black = np.full((256, 256), 255, np.uint8), np.zeros((256, 256), np.uint8)
    dotted = white.copy()
    dotted[::9, ::7] = 254
    half = white.copy()
    half[:128] = 0
    noise = np.random.default_rng(0).integers(0, 256, (256, 256)).astype(np.uint8)
    return {
        "same": (cat, cat),
        "unlike": (cat, cup),
        "blurred": (cat, cv2.GaussianBlur(cat, (0, 0), 1.5).astype(np.uint8)),
        "negative": (cat, 255 - cat),
        "white and nearly white": (white, dotted),
        "white and black": (white, black),
        "flat and edge": (dotted, half),
        "noise": (noise, cup),
        "noise and flat": (noise, white),
    }


@pytest.mark.parametrize("case", cases())
def test_ssim_equals_scikit_images(case: str) -> None:
    a, b = cases()[case]
    wanted = structural_similarity(a, b)
    assert ssim(a, b) == pytest.approx(wanted, abs=1e-4)
    assert ssim_and_detail(moments(a, step=1), b)[0] == pytest.approx(wanted, abs=1e-4)


@pytest.mark.parametrize("case", cases())
def test_every_second_window_says_nearly_the_same(case: str) -> None:
    a, b = cases()[case]
    all_windows, every_second = (ssim_and_detail(moments(a, step=step), b) for step in (1, 2))
    assert every_second == pytest.approx(all_windows, abs=0.006)
    assert every_second[0] == pytest.approx(ssim_map(a, b)[::2, ::2].mean(), abs=1e-4)


def test_the_ssim_map_equals_scikit_images_inside_the_border() -> None:
    a, b = cases()["unlike"]
    _, wanted = structural_similarity(a, b, full=True)
    assert np.abs(ssim_map(a, b) - wanted[3:-3, 3:-3]).max() < 1e-3


def test_a_mask_restricts_the_mean() -> None:
    cat, cup = cases()["unlike"]
    half = np.zeros((256, 256), bool)
    half[:, :128] = True
    mixed = np.where(half, cat, cup).astype(np.uint8)
    assert ssim(cat, mixed, half) > 0.95
    assert ssim(cat, mixed, ~half) < 0.5
    assert ssim(cat, mixed, np.zeros((256, 256), bool)) == 0.0


def test_detail_ignores_areas_that_are_flat_in_both() -> None:
    page, other = (np.full((256, 256), 255, np.uint8) for _ in range(2))
    page[100:150, 100:150] = square("chelsea.png")[100:150, 100:150]
    other[100:150, 100:150] = square("coffee.png")[100:150, 100:150]
    plain, detail = ssim_and_detail(moments(page), other)
    assert plain > 0.9
    assert detail < 0.5
    flat = np.full((256, 256), 90, np.uint8)
    assert np.allclose(ssim_and_detail(moments(flat), flat), 1)
