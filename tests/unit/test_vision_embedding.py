"""Features: equal to Keras's own on real images, through decoding and resizing; and what else the network says."""

import io
import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from layers.resnet50.export import SEED, TRAINED_ID, UNTRAINED_ID
from shared.domain.features import FEATURE_DIMENSIONS, cosine
from shared.vision.decode.decoding import decode
from shared.vision.embedding import SIDE, Embedder, ModelMissing
from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels
from shared.vision.resizing import resize_square
from tests.images import encoded, pixels, shipped

TURNS: dict[int, Callable[[Pixels], Pixels]] = {
    1: lambda p: p,
    2: lambda p: np.ascontiguousarray(p[:, ::-1]),
    3: lambda p: np.ascontiguousarray(p[::-1, ::-1]),
    4: lambda p: np.ascontiguousarray(p[::-1]),
    5: lambda p: np.ascontiguousarray(p.transpose(1, 0, 2)),
    6: lambda p: np.ascontiguousarray(np.rot90(p, -1)),
    7: lambda p: np.ascontiguousarray(p[::-1, ::-1].transpose(1, 0, 2)),
    8: lambda p: np.ascontiguousarray(np.rot90(p, 1)),
}
"""Stored to upright, by the Exif orientation (Exif 2.32, 4.6.4, tag 274)."""

IMAGES = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "camera.png")


@pytest.fixture(scope="module")
def embedder(model_dir: Path) -> Embedder:
    return Embedder(model_dir)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_every_orientation_gives_the_features_of_the_upright_image(embedder: Embedder, kind: str) -> None:
    """At least 0.99; and nearer than any turned image, since an untrained network's cosines are all high."""
    upright = pixels("astronaut.png")[:400]
    features = embedder.embed(upright).features
    turned = [embedder.embed(TURNS[turn](upright)).features for turn in range(2, 9)]
    for orientation, turn in TURNS.items():
        # What is stored is the image turned back, so that the tag's turn makes it upright again.
        stored = Image.fromarray(TURNS[{6: 8, 8: 6}.get(orientation, orientation)](upright))
        exif = Image.Exif()
        exif[0x0112] = orientation
        out = io.BytesIO()
        options: Any = {"tiffinfo": {0x0112: orientation}} if kind == "TIFF" else {"exif": exif}
        stored.save(out, kind, **options | ({"quality": 95} if kind in ("JPEG", "WEBP") else {}))
        found = cosine(features, embedder.embed(decode(out.getvalue()).rgb).features)
        assert found >= 0.99
        assert found > max(cosine(features, other) for other in turned)
        assert np.array_equal(turn(np.asarray(stored)), upright)


def test_features_are_keras_own_on_the_same_pixels(embedder: Embedder) -> None:
    """`keras.applications.resnet50` with its own preprocessing is the reference; the whole path of ours runs."""
    if embedder.model_id != UNTRAINED_ID:
        pytest.skip("the reference network is built from the seed; the exported one has ImageNet weights")
    import keras
    from keras.applications.resnet50 import preprocess_input

    from layers.resnet50.network import build

    reference = build(None, SEED)
    both = keras.Model(reference.inputs, [reference.get_layer("avg_pool").output, reference.output])
    rgbs = [decode(shipped(name).read_bytes()).rgb for name in IMAGES]
    batch = preprocess_input(np.stack([resize_square(rgb, SIDE) for rgb in rgbs]).astype(np.float32))
    wanted = both.predict(batch, verbose=0)[0]
    for name, rgb, expected in zip(IMAGES, rgbs, wanted, strict=True):
        unit = (expected / np.linalg.norm(expected)).astype(np.float32)
        assert cosine(embedder.embed(rgb).features, unit) >= 0.9999, name
    ours = np.stack([embedder.embed(rgb).features for rgb in rgbs])
    assert differences_agree(ours, wanted / np.linalg.norm(wanted, axis=1, keepdims=True)) >= 0.999


def differences_agree(ours: Any, theirs: Any) -> float:
    """The least cosine of what tells each image from the others: an untrained network's features are all alike."""
    ours, theirs = ours - ours.mean(axis=0), theirs - theirs.mean(axis=0)
    return min(
        float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))
        for one, other in zip(ours, theirs, strict=True)
    )


def test_int8_weights_have_an_id_of_their_own_and_nearly_the_same_features(embedder: Embedder, int8_dir: Path) -> None:
    int8 = Embedder(int8_dir)
    assert int8.model_id == embedder.model_id.replace("f16", "int8")
    assert int8.model_id != embedder.model_id
    assert (int8_dir / "resnet50.tflite").stat().st_size < 30_000_000
    rgbs = [decode(shipped(name).read_bytes()).rgb for name in IMAGES]
    ours, theirs = (np.stack([each.embed(rgb).features for rgb in rgbs]) for each in (int8, embedder))
    assert not np.array_equal(ours, theirs)
    assert (ours * theirs).sum(axis=1).min() >= 0.9999
    assert differences_agree(ours, theirs) >= 0.995


def test_features_are_2048_numbers_of_unit_length(embedder: Embedder) -> None:
    features = embedder.embed(pixels("coffee.png")).features
    assert features.shape == (FEATURE_DIMENSIONS,)
    assert features.dtype == np.float32
    assert np.linalg.norm(features) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("shape", [(1, 1), (1, 4000), (4000, 1), (223, 225)])
def test_any_size_and_even_black_has_finite_features(embedder: Embedder, shape: tuple[int, int]) -> None:
    assert np.isfinite(embedder.embed(np.zeros((*shape, 3), np.uint8)).features).all()


def test_a_copy_is_nearer_than_another_image(embedder: Embedder) -> None:
    original = embedder.embed(pixels("coffee.png")).features
    small = cv2.resize(pixels("coffee.png"), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA).astype(np.uint8)
    copy = decode(encoded(small, ".jpg", cv2.IMWRITE_JPEG_QUALITY, 60)).rgb
    to_copy = cosine(original, embedder.embed(copy).features)
    for other in ("astronaut.png", "chelsea.png", "rocket.jpg", "camera.png"):
        assert to_copy > cosine(original, embedder.embed(pixels(other)).features)


def test_the_order_of_the_channels_matters(embedder: Embedder) -> None:
    rgb = pixels("coffee.png")
    swapped = np.ascontiguousarray(rgb[:, :, ::-1])
    assert not np.array_equal(embedder.embed(rgb).features, embedder.embed(swapped).features)


def test_threads_share_one_network(embedder: Embedder) -> None:
    rgbs = [pixels(name) for name in IMAGES]
    alone = [embedder.embed(rgb).features for rgb in rgbs]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda rgb: embedder.embed(rgb).features, rgbs * 3))
    for index, features in enumerate(together):
        assert np.array_equal(features, alone[index % len(rgbs)])


def test_an_untrained_network_gives_no_labels(embedder: Embedder) -> None:
    if embedder.model_id != UNTRAINED_ID:
        pytest.skip("the exported model has ImageNet weights")
    assert not embedder.has_labels
    assert embedder.embed(pixels("chelsea.png")).labels == ()


def test_a_network_with_class_names_gives_the_five_most_probable(model_dir: Path, tmp_path: Path) -> None:
    shutil.copy(model_dir / "resnet50.tflite", tmp_path)
    (tmp_path / "model.json").write_text(json.dumps({"id": TRAINED_ID, "has_labels": True}))
    (tmp_path / "labels.json").write_text(json.dumps([f"class {number}" for number in range(1000)]))
    named = Embedder(tmp_path)
    labels = named.embed(pixels("chelsea.png")).labels
    assert named.model_id == TRAINED_ID
    assert len(labels) == 5
    probabilities = [label.probability for label in labels]
    assert probabilities == sorted(probabilities, reverse=True)
    assert 0 < probabilities[-1] <= probabilities[0] <= 1
    assert all(label.name.startswith("class ") for label in labels)


@pytest.mark.parametrize("present", [(), ("model.json",)])
def test_a_missing_model_says_how_to_make_it(model_dir: Path, tmp_path: Path, present: tuple[str, ...]) -> None:
    for name in present:
        shutil.copy(model_dir / name, tmp_path)
    with pytest.raises(ModelMissing, match=r"python -m layers\.resnet50\.export --out"):
        Embedder(tmp_path)
