"""The better of two copies is found by evidence of quality, not by size."""

from collections import Counter
from dataclasses import replace
from random import Random

import numpy as np
import pytest

from bench.best_copy import COPIES, EXPORTS, described, load, pairs, save, scale, sharpen, with_camera
from shared.domain.duplicates import best_first
from shared.domain.images import ImageRecord
from shared.domain.preference import SENTENCES, Reason, prefer
from shared.domain.quality import Quality
from shared.vision.opencv import cv2
from tests.images import shipped

PHOTOGRAPHS = ("chelsea.png", "coffee.png", "astronaut.png", "rocket.jpg")


def source(name: str, quality: int | None = None) -> bytes:
    return save(load(shipped(name).read_bytes()), quality)


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_a_copy_is_never_preferred_to_its_source(name: str) -> None:
    found = list(pairs(source(name), Random(1)))
    wrong = Counter(pair.kind for pair in found if not pair.preference.first)
    assert len(found) == len(COPIES)
    assert not wrong


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_an_export_is_never_preferred_to_the_original_with_its_metadata(name: str) -> None:
    jpeg = source(name, 92)
    height, width = load(jpeg).shape[:2]
    original = with_camera(jpeg, (width, height))
    found = list(pairs(original, Random(2), EXPORTS))
    assert [(pair.kind, pair.preference.first, pair.preference.reason) for pair in found] == [
        (kind, True, Reason.CAMERA) for kind in EXPORTS
    ]


def test_metadata_that_state_another_size_or_an_editor_prove_nothing() -> None:
    jpeg = source("chelsea.png", 92)
    height, width = load(jpeg).shape[:2]
    whole = described(with_camera(jpeg, (width, height)), "1")[0].quality
    reduced = described(with_camera(jpeg, (2 * width, 2 * height)), "1")[0].quality
    assert whole is not None
    assert reduced is not None
    assert (whole.camera, whole.original) == (True, True)
    assert (reduced.camera, reduced.original) == (True, False)


def test_a_raw_file_is_preferred_to_everything_and_a_chosen_copy_to_that() -> None:
    jpeg, _ = described(source("chelsea.png", 92), "1")
    raw = replace(jpeg, image_id="r" * 64, width=jpeg.width // 2, format="nef", quality=Quality(raw=True))
    assert prefer(jpeg, raw) == replace(prefer(raw, jpeg), first=False)
    assert prefer(raw, jpeg).reason is Reason.RAW
    chosen = replace(jpeg, chosen=True)
    assert prefer(chosen, raw).first
    assert prefer(chosen, raw).reason is Reason.CHOSEN


def test_images_that_were_not_measured_are_compared_by_size() -> None:
    measured, _ = described(source("chelsea.png"), "1")
    larger = replace(measured, image_id="f" * 64, width=2 * measured.width, quality=None)
    assert prefer(larger, measured).first
    assert prefer(larger, measured).reason is Reason.LARGER


def test_a_group_is_sorted_best_first_whatever_its_order() -> None:
    bgr = load(shipped("chelsea.png").read_bytes())
    lossless, q90 = save(bgr, None), save(bgr, 90)
    garish = save(sharpen(bgr, 2, 2.5), 70)
    records = [described(data, str(age))[0] for age, data in enumerate((garish, q90, lossless))]
    expected = [record.image_id for record in reversed(records)]
    for rotation in range(3):
        turned = records[rotation:] + records[:rotation]
        assert [record.image_id for record in best_first(turned)] == expected


def test_evidence_survives_storage_and_every_reason_has_a_sentence() -> None:
    measured = described(source("coffee.png", 80), "1")[0].quality
    assert measured is not None
    assert Quality.from_text(measured.to_text()) == measured
    assert Quality.from_text('{"step":2.6,"later":1}') == Quality(step=2.6)
    assert set(SENTENCES) == set(Reason)


def record(**changes: object) -> ImageRecord:
    return replace(described(source("chelsea.png"), "1")[0], **changes)  # type: ignore[arg-type]


def test_equally_good_copies_are_ordered_by_age() -> None:
    older, newer = record(created_at="1", image_id="a"), record(created_at="2", image_id="b")
    assert prefer(newer, older) == replace(prefer(older, newer), first=False)
    assert prefer(older, newer).first


def test_a_large_image_is_measured_at_its_full_resolution() -> None:
    rng = np.random.default_rng(3)
    large = rng.integers(0, 256, (1500, 2000, 3), np.uint8)
    enlarged = scale(np.ascontiguousarray(large[::2, ::2]), 2, cv2.INTER_CUBIC)
    (first, pixels), (second, _) = (described(save(image, 95), "1") for image in (large, enlarged))
    assert max(pixels.shape) == 1000
    assert first.quality is not None
    assert second.quality is not None
    assert len(first.quality.spectrum) == len(second.quality.spectrum) == 27
    assert first.quality.spectrum[-1] - second.quality.spectrum[-1] > 10
    assert prefer(first, second).first
