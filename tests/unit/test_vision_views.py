"""Local features, and the views of a query by which it is searched."""

import numpy as np
import pytest

from bench.quality.alterations import ALTERATIONS
from shared.domain.features import LOCAL_DIMENSIONS, cosine
from shared.domain.images import ImageRecord
from shared.domain.matches import Ranking, Verdict
from shared.search.rank_fusion import in_turns, interleaved, reciprocal
from shared.vision import views
from shared.vision.decode import decoding
from shared.vision.keypoints import (
    LONGEST_SIDE,
    MAX_KEYPOINTS,
    MIN_INLIERS,
    PART_SIDE,
    QUERY_KEYPOINTS,
    Keypoints,
    detect,
    match_keypoints,
)
from shared.vision.local_features import vlad_encode
from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels
from shared.vision.ranking import compare_coarsely
from shared.vision.resizing import resize_longest
from shared.vision.signature import Signature, extract
from tests.images import pixels

NAMES = ("astronaut.png", "coffee.png", "chelsea.png", "rocket.jpg", "motorcycle_left.png", "page.png")


@pytest.fixture(scope="module")
def stored() -> dict[str, Signature]:
    return {name: extract(pixels(name)) for name in NAMES}


@pytest.fixture(scope="module")
def coffee() -> tuple[Pixels, Signature]:
    rgb = pixels("coffee.png")
    return rgb, extract(rgb, None, QUERY_KEYPOINTS)


def nearest(vector: np.ndarray[tuple[int], np.dtype[np.float32]], stored: dict[str, Signature]) -> str:
    return max(stored, key=lambda name: cosine(vector, vlad_encode(stored[name].keypoints.descriptors)))


def test_local_features_have_unit_length_and_are_deterministic(stored: dict[str, Signature]) -> None:
    descriptors = stored["coffee.png"].keypoints.descriptors
    vector = vlad_encode(descriptors)
    assert vector.shape == (LOCAL_DIMENSIONS,)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    shuffled = np.random.default_rng(0).permutation(descriptors)
    assert vlad_encode(shuffled) == pytest.approx(vector, abs=1e-5)


def test_local_features_stay_compatible_with_stored_vectors() -> None:
    """Stored vectors are compared with those of later versions, so these numbers must never change."""
    descriptors = (np.arange(64 * 32) * 37 % 251).astype(np.uint8).reshape(64, 32)
    found = vlad_encode(descriptors)[[128, 192, 288, 992]]
    assert found == pytest.approx([0.12348, 0.11818, -0.10974, 0.10071], abs=1e-4)


def test_an_image_without_keypoints_has_a_zero_vector() -> None:
    assert not vlad_encode(np.zeros((0, 32), np.uint8)).any()


@pytest.mark.parametrize(
    "name", ["darker (x 0.4)", "border of 20 %", "cropped by 50 %", "turned by 90 degrees", "gray"]
)
def test_copies_are_nearest_to_their_originals(name: str, stored: dict[str, Signature]) -> None:
    for original in ("coffee.png", "chelsea.png", "motorcycle_left.png"):
        copy = ALTERATIONS[name](pixels(original), np.random.default_rng(3))
        query = views.whole(extract(copy, None, QUERY_KEYPOINTS))
        assert nearest(query.vector, stored) == original


def test_a_mirrored_copy_is_found_and_matched_by_the_mirror_view_only(stored: dict[str, Signature]) -> None:
    copy = np.ascontiguousarray(pixels("coffee.png")[:, ::-1])
    plain = extract(copy, None, QUERY_KEYPOINTS)
    turned = views.mirror(copy, plain)
    original = stored["coffee.png"]
    assert turned.mirrored
    assert nearest(turned.vector, stored) == "coffee.png"
    assert match_keypoints(turned.signature.keypoints, original.keypoints).transform is not None
    assert match_keypoints(views.whole(plain).signature.keypoints, original.keypoints).transform is None


def test_an_image_with_the_pixels_of_the_mirror_image_is_not_identical(stored: dict[str, Signature]) -> None:
    copy = np.ascontiguousarray(pixels("coffee.png")[:, ::-1])
    turned = views.mirror(copy, extract(copy, None, QUERY_KEYPOINTS))
    found = compare_coarsely(turned.signature, stored["coffee.png"], cosine=None, ranking=Ranking.FUSED)
    assert found.verdict is Verdict.SIMILAR
    assert found.score < 1


def test_windows_contain_the_keypoints_of_their_area(coffee: tuple[Pixels, Signature]) -> None:
    found = views.windows(views.whole(coffee[1]))
    assert len(found) == 9
    width, height = coffee[1].keypoints.size
    for window, (top, left) in zip(found, [(t, s) for t in views.STEPS for s in views.STEPS], strict=True):
        points = window.keypoints.points / (width, height)
        assert MIN_INLIERS <= len(points) <= views.WINDOW_KEYPOINTS
        assert (points >= (left, top)).all()
        assert (points < (left + views.WINDOW, top + views.WINDOW)).all()
        assert window.signature.keypoints is window.keypoints


def test_an_inset_is_matched_by_a_window_of_the_larger_image(stored: dict[str, Signature]) -> None:
    rgb = ALTERATIONS["inset of a third"](pixels("page.png"), np.random.default_rng(1))
    large = resize_longest(rgb, decoding.LONGEST_SIDE)
    whole = views.whole(extract(rgb, None, QUERY_KEYPOINTS))
    found = [
        match_keypoints(window.signature.keypoints, stored["page.png"].keypoints).score.inliers
        for window in views.windows(views.finer(large, whole))
    ]
    assert max(found) >= MIN_INLIERS


@pytest.mark.parametrize("name", ["coffee.png", "rocket.jpg", "motorcycle_left.png"])
def test_a_small_crop_is_matched_at_its_original_scale(name: str, stored: dict[str, Signature]) -> None:
    rgb = pixels(name)
    height, width = rgb.shape[:2]
    crop = np.ascontiguousarray(rgb[height // 4 : height * 7 // 10, width // 4 : width * 7 // 10])
    whole = views.whole(extract(crop, None, QUERY_KEYPOINTS))
    part = views.part(crop, whole)
    assert max(part.keypoints.size) == PART_SIDE
    original = stored[name].keypoints
    near = [cosine(view.vector, vlad_encode(original.descriptors)) for view in (part, whole)]
    assert near[0] > near[1]
    inliers = [match_keypoints(view.signature.keypoints, original).score.inliers for view in (part, whole)]
    assert inliers[0] >= 2 * max(MIN_INLIERS, inliers[1])


def test_only_a_larger_image_has_a_finer_view(coffee: tuple[Pixels, Signature]) -> None:
    whole = views.whole(coffee[1])
    assert views.finer(resize_longest(coffee[0], LONGEST_SIDE), whole) is whole
    assert (
        max(views.finer(resize_longest(coffee[0], decoding.LONGEST_SIDE), whole).keypoints.size)
        == decoding.LONGEST_SIDE
    )


def test_spread_keypoints_are_not_concentrated_in_one_corner() -> None:
    """Text in one corner has the strongest keypoints of the image."""
    gray = cv2.cvtColor(pixels("coffee.png"), cv2.COLOR_RGB2GRAY).astype(np.uint8)
    for line in range(8):
        cv2.putText(gray, "TEXT text", (0, 16 + 16 * line), cv2.FONT_HERSHEY_SIMPLEX, 0.7, 255, 2)
    found = detect(gray, QUERY_KEYPOINTS)

    def in_the_corner(keypoints: Keypoints) -> float:
        points = keypoints.points / found.size
        return float(((points < (0.25, 0.4)).all(axis=1)).mean())

    spread = found.spread(MAX_KEYPOINTS)
    assert len(spread) == MAX_KEYPOINTS
    assert in_the_corner(spread) < 0.5 * in_the_corner(found.select(np.arange(MAX_KEYPOINTS)))
    assert found.spread(len(found)) is found


def record(name: str) -> ImageRecord:
    return ImageRecord("album", name, "model", 1, 1, "png", 1, "0" * 16, "")


def test_interleaving_takes_three_local_results_for_each_other_one() -> None:
    local, whole = [[record(name) for name in names] for names in ("abcdefgh", "xaby")]
    assert "".join(one.image_id for one in interleaved(local, whole)) == "abcxdefghy"
    assert "".join(one.image_id for one in interleaved([], whole)) == "xaby"
    assert "".join(one.image_id for one in interleaved(local, [])) == "abcdefgh"


def test_both_take_turns_for_the_first_results() -> None:
    local, whole = [[record(name) for name in names] for names in ("abcdefgh", "xaby")]
    assert "".join(one.image_id for one in in_turns(local, whole, 4)) == "axbcdefghy"
    assert "".join(one.image_id for one in in_turns(local, whole, 0)) == "abcxdefghy"
    assert "".join(one.image_id for one in in_turns([], whole, 2)) == "xaby"


def test_images_found_by_both_searches_rank_first() -> None:
    local, whole = [[record(name) for name in names] for names in ("abcd", "xyzd")]
    found = "".join(one.image_id for one in reciprocal(local, whole))
    assert found[0] == "d"
    assert sorted(found) == sorted("abcdxyz")
