"""Keypoints, their matches, and the transform on which the matches agree."""

from collections.abc import Callable

import numpy as np
import pytest

from shared.vision.alignment import aligned_ssim
from shared.vision.keypoints import (
    LEAST_SIDE,
    MAX_KEYPOINTS,
    MIN_INLIERS,
    PROBES,
    KeypointMatches,
    Keypoints,
    Transform,
    detect,
    is_sane,
    match_keypoints,
    match_unless_unlike,
)
from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels
from shared.vision.signature import extract
from tests.images import pixels


@pytest.fixture(scope="module")
def astronaut() -> Pixels:
    return pixels("astronaut.png")


def gray(rgb: Pixels) -> Pixels:
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.uint8)


def test_a_known_transform_is_found(astronaut: Pixels) -> None:
    """Rotated by 20 degrees and halved in scale: the homography must map the corners correctly."""
    known = np.vstack([cv2.getRotationMatrix2D((256, 256), 20, 0.5), [0, 0, 1]])
    moved = cv2.warpPerspective(astronaut, known, (512, 512), borderValue=(255, 255, 255)).astype(np.uint8)
    found = match_keypoints(detect(gray(astronaut)), detect(gray(moved)))
    assert found.transform is not None
    assert found.score.inliers == len(found.pairs) >= 50
    assert found.score.inliers <= found.score.matches
    assert found.score.ratio == pytest.approx(found.score.matches / MAX_KEYPOINTS, abs=0.02)
    corners = np.array([[[100, 100], [400, 100], [400, 400], [100, 400]]], np.float64)
    error = cv2.perspectiveTransform(corners, found.transform) - cv2.perspectiveTransform(corners, known)
    assert np.abs(error).max() < 4


def test_matched_pairs_join_the_same_places(astronaut: Pixels) -> None:
    turned = np.ascontiguousarray(np.rot90(astronaut))
    a, b = detect(gray(astronaut)), detect(gray(turned))
    found = match_keypoints(a, b)
    wanted = np.column_stack([a.points[found.pairs[:, 0], 1], 511 - a.points[found.pairs[:, 0], 0]])
    assert np.median(np.abs(b.points[found.pairs[:, 1]] - wanted)) < 2
    assert len(np.unique(found.pairs[:, 1])) == len(found.pairs)


def probed(a: Keypoints, b: Keypoints) -> KeypointMatches:
    return match_unless_unlike(a, b, a.spread(PROBES))


@pytest.mark.parametrize("change", [np.rot90, lambda rgb: rgb[100:400, 150:450], lambda rgb: rgb // 3])
def test_copies_agree_on_the_same_with_probes(astronaut: Pixels, change: Callable[[Pixels], Pixels]) -> None:
    a, b = detect(gray(np.ascontiguousarray(change(astronaut)))), detect(gray(astronaut))
    found = probed(a, b)
    assert found.transform is not None
    assert found.score == match_keypoints(a, b).score


def test_different_images_end_with_the_probes(astronaut: Pixels) -> None:
    a, b = detect(gray(astronaut)), detect(gray(pixels("coffee.png")))
    found, everything = probed(a, b), match_keypoints(a, b)
    assert found.transform is None
    assert 0 < found.score.matches < everything.score.matches
    assert found.score.ratio == found.score.matches / PROBES
    assert found.score.inliers == 0


@pytest.mark.parametrize("none", ["first", "second", "both"])
def test_probes_of_images_without_keypoints_match_nothing(astronaut: Pixels, none: str) -> None:
    flat = np.full((200, 200), 90, np.uint8)
    a, b = (detect(flat if none in (side, "both") else gray(astronaut)) for side in ("first", "second"))
    found = probed(a, b)
    assert (found.score, found.transform) == (match_keypoints(a, b).score, None)
    assert found.score.matches == 0


def test_few_keypoints_are_matched_without_probes(astronaut: Pixels) -> None:
    a, b = detect(gray(astronaut), 2 * PROBES - 1), detect(gray(pixels("coffee.png")))
    assert probed(a, b).score == match_keypoints(a, b).score


def test_matching_is_deterministic(astronaut: Pixels) -> None:
    a, b = detect(gray(astronaut)), detect(gray(np.ascontiguousarray(astronaut[60:400, 90:480])))
    first, second = match_keypoints(a, b), match_keypoints(a, b)
    assert first.score == second.score
    assert np.array_equal(first.pairs, second.pairs)


def test_unrelated_images_agree_on_no_geometry() -> None:
    found = [detect(gray(pixels(name))) for name in ("chelsea.png", "coffee.png", "rocket.jpg", "camera.png")]
    for a in found:
        for b in found:
            if a is not b:
                matches = match_keypoints(a, b)
                assert matches.transform is None
                assert matches.score.inliers < MIN_INLIERS


def test_a_keypoint_with_two_equal_partners_is_not_matched(astronaut: Pixels) -> None:
    """Lowe's ratio test: with the image twice side by side, every keypoint has a second, equally good partner."""
    twice = detect(gray(np.hstack([astronaut, astronaut])))
    found = match_keypoints(detect(gray(astronaut)), twice)
    assert found.score.matches < 0.35 * MAX_KEYPOINTS
    assert match_keypoints(detect(gray(astronaut)), detect(gray(astronaut))).score.matches > 0.8 * MAX_KEYPOINTS


def test_images_without_keypoints_match_nothing(astronaut: Pixels) -> None:
    flat = detect(np.full((300, 300), 128, np.uint8))
    assert len(flat) == 0
    for a, b in ((flat, flat), (flat, detect(gray(astronaut))), (detect(gray(astronaut)), flat)):
        found = match_keypoints(a, b)
        assert (found.score.matches, found.score.inliers, found.score.ratio) == (0, 0, 0.0)
        assert found.transform is None


@pytest.mark.parametrize("ratio", [9, 20, 40, 100])
def test_a_long_image_is_found_by_a_part_of_it(ratio: int) -> None:
    """Without more pixels for long images, none above a ratio of 8.26 had a keypoint."""
    tile = gray(pixels("brick.png"))[:256, :256]
    rng = np.random.default_rng(5)
    rows = [np.roll(tile, int(shift), axis=1) for shift in rng.integers(0, 256, ratio)]
    marks = rng.integers(0, 256, (256 * ratio // 8, 32), dtype=np.uint8)
    page = cv2.addWeighted(np.concatenate(rows), 0.5, cv2.resize(marks, (256, 256 * ratio)), 0.5, 0).astype(np.uint8)
    whole = detect(page)
    assert min(whole.size) >= min(128, 4096 // ratio)
    assert len(whole) > 100
    part = detect(np.ascontiguousarray(page[256 : 256 * 4]), 1500)
    found = match_keypoints(part, detect(page, 1500))
    if ratio <= 40:
        assert found.transform is not None
        assert len(found.pairs) >= 2 * MIN_INLIERS


@pytest.mark.parametrize("height", [1, 7, 8, 30, 62, 63, 100])
def test_a_strip_of_any_height_is_handled(height: int) -> None:
    strip = np.random.default_rng(height).integers(0, 256, (height, 512)).astype(np.uint8)
    assert (len(detect(strip)) > 0) is (height >= LEAST_SIDE)
    assert (len(detect(np.ascontiguousarray(strip.T))) > 0) is (height >= LEAST_SIDE)


@pytest.mark.parametrize("seed", range(8))
def test_noise_of_any_small_size_is_handled(seed: int) -> None:
    rng = np.random.default_rng(seed)
    tiny = [detect(rng.integers(0, 256, rng.integers(1, 40, 2)).astype(np.uint8)) for _ in range(2)]
    matches = match_keypoints(*tiny)
    assert 0 <= matches.score.inliers <= matches.score.matches <= MAX_KEYPOINTS


@pytest.mark.parametrize(
    ("transform", "sane"),
    [
        (np.eye(3), True),
        (np.diag([3.0, 3.0, 1.0]), True),
        (np.array([[0, -1, 300], [1, 0, 0], [0, 0, 1.0]]), True),
        (np.array([[1, 0, 0], [0, 1, 0], [0.001, 0, 1.0]]), True),
        (np.diag([-1.0, 1.0, 1.0]), False),
        (np.diag([20.0, 20.0, 1.0]), False),
        (np.diag([0.05, 0.05, 1.0]), False),
        (np.diag([1.0, 0.02, 1.0]), False),
        (np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1.0]]), False),
        (np.array([[1, 0, 0], [0, 1, 0], [-0.01, 0, 1.0]]), False),
        (np.zeros((3, 3)), False),
    ],
    ids=["same", "3 x", "turned", "perspective", "mirror", "20 x", "1/20", "squashed", "line", "behind", "nothing"],
)
def test_only_plausible_transforms_are_accepted(transform: Transform, sane: bool) -> None:
    assert is_sane(transform, (400, 300)) is sane


def test_alignment_reverses_the_transform(astronaut: Pixels) -> None:
    original = extract(astronaut)
    for copy in (
        np.ascontiguousarray(np.rot90(astronaut)),
        np.ascontiguousarray(astronaut[80:420, 60:460]),
        cv2.copyMakeBorder(astronaut, 60, 60, 60, 60, cv2.BORDER_CONSTANT, value=(255, 255, 255)).astype(np.uint8),
    ):
        changed = extract(copy)
        aligned = aligned_ssim(changed, original, match_keypoints(changed.keypoints, original.keypoints))
        assert aligned is not None
        assert aligned > 0.75
    other = extract(pixels("chelsea.png"))
    assert aligned_ssim(other, original, match_keypoints(other.keypoints, original.keypoints)) is None
