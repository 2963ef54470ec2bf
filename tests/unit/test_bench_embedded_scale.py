from dataclasses import replace

import numpy as np

from bench.embedded_scale import report
from bench.embedded_scale.made import Photograph, made_images
from bench.embedded_scale.timing import Times
from shared.domain.features import FEATURE_DIMENSIONS, LOCAL_DIMENSIONS, normalise
from shared.domain.images import ImageRecord, IndexedImage

RECORD = ImageRecord("default", "0" * 64, "m", 4, 3, "png", 9, "0" * 16, "2026-01-01")


def photographs() -> list[Photograph]:
    random = np.random.default_rng(0)
    features = random.random((8, FEATURE_DIMENSIONS)) * (np.arange(FEATURE_DIMENSIONS) < 1280)
    local = random.standard_normal((8, LOCAL_DIMENSIONS))
    images = [
        IndexedImage(RECORD, normalise(whole), normalise(parts)) for whole, parts in zip(features, local, strict=True)
    ]
    return [Photograph(image, b"signature", b"copy") for image in images]


def test_made_images_are_unlike_each_other_but_have_vectors_as_a_network_computes_them() -> None:
    made = [image for image, _ in made_images(photographs(), 60)]
    assert len({image.record.image_id for image in made}) == 60
    features = np.stack([image.features for image in made])
    assert (features >= 0).all()
    assert not features[:, 1280:].any()
    assert np.allclose(np.linalg.norm(features, axis=1), 1)
    cosines = features @ features.T
    assert cosines[0, 1:20].mean() > cosines[0, 20:].mean(), "a burst is nearer than the rest"
    assert np.triu(cosines, 1).max() < 0.99999


def test_the_report_has_ratios_to_the_smallest_size() -> None:
    small = report.Size(
        images=1_000,
        loading=2.0,
        opening=0.1,
        rebuilding=0.2,
        page=1.5,
        memory={"VmRSS": 300.0, "RssFile": 70.0},
        database=18.0,
        index=2.0,
    )
    large = replace(small, images=100_000, loading=None, memory={"VmRSS": 597.0, "RssFile": 300.0})
    lines = report.section(
        [small, large],
        {"nothing near": Times({1_000: [10, 20, 30], 100_000: [25, 30, 35]})},
        {"nothing near": {1_000: 100.0, 100_000: 140.0}},
        {"features": 0.99995},
        "",
    )
    text = "\n".join(lines)
    assert "| nothing near | 20.0, 29.0 | 30.0, 34.5 | 1.50 |" in text
    assert "| nothing near: processor time, mean | 100 | 140 | 1.40 |" in text
    assert "| more than at the smallest size, an image |  | 3.0 kB |" in text
    assert "| records stored a second | 500 |  |" in text
    assert "99.9950% by features" in text
