"""Panoramas and scrolling screenshots are found by their parts."""

from dataclasses import replace

import numpy as np
import pytest

from shared.domain.features import FEATURE_DIMENSIONS, normalise
from shared.domain.matches import Ranking, Verdict
from shared.search.request import SearchRequest
from shared.search.timings import Stopwatch
from shared.vision import signature, views
from shared.vision.embedding import Embedding
from shared.vision.keypoints import MAX_KEYPOINTS, MAX_LONG_KEYPOINTS, PART_SHARE, PROBES, most_kept
from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels
from shared.vision.resizing import MAX_PARTS, parts_of
from tests.images import encoded, pixels
from tests.unit.test_logos import searcher_of

NAMES = ("coffee.png", "chelsea.png", "astronaut.png", "rocket.jpg", "motorcycle_left.png", "coins.png")


class Network:
    """In place of the network: no two images have near features."""

    model_id = "m"

    def embed(self, rgb: Pixels) -> Embedding:
        random = np.random.default_rng(int(rgb.sum()))
        return Embedding(normalise(random.normal(size=FEATURE_DIMENSIONS).astype(np.float32)), ())


def panorama(names: tuple[str, ...]) -> Pixels:
    parts = [cv2.resize(pixels(name), (800, 300), interpolation=cv2.INTER_AREA) for name in names]
    return np.ascontiguousarray(np.hstack(parts), dtype=np.uint8)


def test_a_panorama_of_sixteen_to_one_is_found_by_its_parts() -> None:
    whole = panorama(NAMES)
    stored = {"whole": encoded(whole, ".jpg"), "other": encoded(panorama(NAMES[3:]), ".jpg")}
    searcher, _ = searcher_of(stored, Network())
    wanted = SearchRequest(collection="bench", k=5, ranking=Ranking.FUSED)
    for left in (0, 800):
        query = searcher.describe(encoded(whole[:, left : left + 800], ".jpg"), Stopwatch())
        first, *_ = searcher.search(query, wanted, Stopwatch()).matches
        assert (first.record.filename, first.comparison.verdict) == ("whole", Verdict.NEAR_DUPLICATE)
        assert first.comparison.overlap is not None
        assert first.comparison.overlap[1] < 0.2


def faint(rgb: Pixels) -> Pixels:
    """Return the image with a third of its contrast, as in fog."""
    return np.asarray(rgb // 3 + 85, np.uint8)


def test_a_faint_part_beside_strong_ones_is_found_among_other_images() -> None:
    """Of the keypoints of the whole image, none were in that part."""
    whole = panorama(NAMES)[:, : 10 * 300].copy()
    whole[:, 800:1600] = faint(whole[:, 800:1600])
    others = ("brick.png", "camera.png", "grass.png", "gravel.png", "page.png", "moon.png", "retina.jpg", "ihc.png")
    stored = {name: encoded(pixels(name), ".jpg") for name in others}
    searcher, _ = searcher_of(stored | {"whole": encoded(whole, ".jpg")}, Network())
    wanted = SearchRequest(collection="bench", k=5, ranking=Ranking.FUSED)
    part = cv2.resize(whole[:, 1000:1400], (200, 150), interpolation=cv2.INTER_AREA)
    for rgb in (whole[:, 1000:1400], np.asarray(part, np.uint8)):
        query = searcher.describe(encoded(np.ascontiguousarray(rgb), ".jpg"), Stopwatch())
        first, *_ = searcher.search(query, wanted, Stopwatch()).matches
        assert (first.record.filename, first.comparison.verdict) == ("whole", Verdict.NEAR_DUPLICATE)


@pytest.mark.parametrize("turned", [False, True])
def test_each_part_of_a_long_image_has_keypoints_of_its_own(turned: bool) -> None:
    whole = panorama(NAMES)
    whole[:, 800:1600] = faint(whole[:, 800:1600])
    rgb = np.ascontiguousarray(whole.transpose(1, 0, 2)) if turned else whole
    made = signature.unpack(signature.pack(signature.extract(rgb)))
    width, height = made.keypoints.size
    assert min(width, height) == 256
    along = made.keypoints.points[:, int(turned)] / max(width, height)
    counts, _ = np.histogram(along, parts_of(width, height), (0, 1))
    assert len(counts) == 12
    assert counts.min() > MAX_KEYPOINTS // PART_SHARE // 2
    assert len(made.keypoints) <= most_kept((width, height)) <= MAX_LONG_KEYPOINTS
    assert made.keypoints.points.min() >= 0
    assert (made.keypoints.points <= (width, height)).all()


def test_the_keypoints_of_a_long_image_are_spread_over_all_of_it() -> None:
    found = signature.extract(panorama(NAMES), keypoints=3 * MAX_KEYPOINTS).keypoints
    kept = found.spread(most_kept(found.size))
    assert len(kept) == most_kept(found.size) < len(found)
    counts, _ = np.histogram(kept.points[:, 0], parts_of(*found.size), (0, found.size[0]))
    assert counts.min() > 0.7 * counts.mean()


def test_each_part_of_a_long_image_has_as_many_probes() -> None:
    made = signature.extract(panorama(NAMES))
    counts, _ = np.histogram(made.probes.points[:, 0], parts_of(*made.probes.size), (0, made.probes.size[0]))
    assert counts.min() > 0.5 * PROBES / PART_SHARE


def test_only_long_images_have_parts() -> None:
    assert [parts_of(*size) for size in ((400, 300), (300, 400), (400, 100))] == [1, 1, 1]
    assert [parts_of(*size) for size in ((1600, 100), (100, 1600), (30_000, 10))] == [12, 12, MAX_PARTS]


def test_a_long_image_is_compared_with_the_query_although_its_mirror_image_is_as_near() -> None:
    whole = panorama(NAMES)
    searcher, (stored,) = searcher_of({"whole": encoded(whole, ".jpg")}, Network())
    query = searcher.describe(encoded(whole[:, 800:1200], ".jpg"), Stopwatch())
    seen = views.whole(query.signature)
    assert query.pixels is not None
    mirrored = views.mirror(query.pixels, query.signature)
    found = [
        searcher._compare_views(query, sides, record, stored.described.signature, Ranking.FUSED)
        for record in (stored.described.record, replace(stored.described.record, width=400))
        for sides in ((mirrored, seen),)
    ]
    assert [(one.mirrored, one.agreement > 0.9) for one in found] == [(False, True), (True, False)]
