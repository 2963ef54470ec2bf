"""Features equal those of Keras on real images, including decoding and resizing; also labels and orientation."""

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

from layers.models.conversion import Precision
from layers.models.networks import NETWORKS
from shared.domain.features import FEATURE_DIMENSIONS, cosine
from shared.domain.model_card import LABELS_FILE, MODEL_FILE, ModelCard
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
"""The transforms from stored to upright pixels, by Exif orientation (Exif 2.32, 4.6.4, tag 274)."""

IMAGES = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "camera.png")


@pytest.fixture(scope="module")
def embedder(model_dir: Path) -> Embedder:
    return Embedder(model_dir)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_every_exif_orientation_has_the_features_of_the_upright_image(embedder: Embedder, kind: str) -> None:
    """The cosine is at least 0.99, and larger than that of any turned image."""
    upright = pixels("astronaut.png")[:400]
    features = embedder.embed(upright).features
    turned = [embedder.embed(TURNS[turn](upright)).features for turn in range(2, 9)]
    for orientation, turn in TURNS.items():
        # The stored image is turned back, so that applying its orientation makes it upright.
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


@pytest.fixture(scope="module")
def network(embedder: Embedder) -> Any:
    """The network in Keras, before its weights are rounded for the export."""
    chosen = next(each for each in NETWORKS.values() if embedder.model_id == each.id(Precision.FLOAT16))
    return chosen.build(chosen.fetch().path)


def test_features_equal_those_of_keras_on_the_same_pixels(embedder: Embedder, network: Any) -> None:
    """The whole pipeline runs: decoding, resizing, and the exported graph with rounded weights."""
    for name in IMAGES:
        rgb = decode(shipped(name).read_bytes()).rgb
        expected = network.predict(resize_square(rgb, SIDE)[np.newaxis], verbose=0)["features"][0]
        unit = (expected / np.linalg.norm(expected)).astype(np.float32)
        assert cosine(embedder.embed(rgb).features, unit) >= 0.9999, name


ORIGINAL: dict[str, dict[int, float]] = {
    "chelsea.png": {285: 0.7810, 282: 0.0970, 281: 0.0749},
    "coffee.png": {967: 0.9050, 968: 0.0311, 925: 0.0117},
    "rocket.jpg": {540: 0.5384, 657: 0.0776, 517: 0.0583},
    "camera.png": {872: 0.9544, 447: 0.0078, 650: 0.0057},
}
"""Class probabilities of the original in PyTorch 2.13 (efficientnet-lite-pytorch 0.1.0) for the same pixels."""


def test_probabilities_equal_those_of_the_original_in_pytorch() -> None:
    lite0 = NETWORKS["efficientnet-lite0"]
    rebuilt = lite0.build(lite0.fetch().path)
    for name, expected in ORIGINAL.items():
        found = rebuilt.predict(resize_square(pixels(name), SIDE)[np.newaxis], verbose=0)["probabilities"][0]
        assert np.argsort(-found)[:3].tolist() == list(expected), name
        assert [found[number] for number in expected] == pytest.approx(list(expected.values()), abs=0.0005)


def test_int8_weights_have_their_own_id_and_nearly_the_same_features(embedder: Embedder, int8_dir: Path) -> None:
    """Cosine 0.99: all of 500 photographs kept at least 0.992 with EfficientNet-Lite0 (docs/reference/models.md)."""
    int8 = Embedder(int8_dir)
    assert int8.model_id == embedder.model_id.replace("f16", "int8")
    assert int8.model_id != embedder.model_id
    model_dir = int8_dir.with_name("model")
    assert (int8_dir / MODEL_FILE).stat().st_size < 0.6 * (model_dir / MODEL_FILE).stat().st_size
    rgbs = [decode(shipped(name).read_bytes()).rgb for name in IMAGES]
    ours, theirs = (np.stack([each.embed(rgb).features for rgb in rgbs]) for each in (int8, embedder))
    assert not np.array_equal(ours, theirs)
    assert (ours * theirs).sum(axis=1).min() >= 0.99


def test_features_are_2048_numbers_of_unit_length(embedder: Embedder) -> None:
    features = embedder.embed(pixels("coffee.png")).features
    assert features.shape == (FEATURE_DIMENSIONS,)
    assert features.dtype == np.float32
    assert np.linalg.norm(features) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("shape", [(1, 1), (1, 4000), (4000, 1), (223, 225)])
def test_black_images_of_any_size_have_finite_features(embedder: Embedder, shape: tuple[int, int]) -> None:
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


def test_labels_are_the_classes_above_the_least_probability(embedder: Embedder, model_dir: Path) -> None:
    least = ModelCard.read(model_dir).least_probability
    assert 0 < least < 0.5
    labels = {name: embedder.embed(pixels(name)).labels for name in IMAGES}
    assert labels["chelsea.png"][0].name in {"Egyptian cat", "tabby", "tiger cat"}
    assert labels["coffee.png"][0].name in {"espresso", "cup", "coffee mug"}
    for found in labels.values():
        probabilities = [label.probability for label in found]
        assert probabilities == sorted(probabilities, reverse=True)
        assert all(least <= probability <= 1 for probability in probabilities)
    assert embedder.embed(np.full((64, 64, 3), 128, np.uint8)).labels == ()


def test_a_model_without_class_names_has_no_labels(model_dir: Path, tmp_path: Path) -> None:
    shutil.copy(model_dir / MODEL_FILE, tmp_path)
    (tmp_path / "model.json").write_text(json.dumps({"id": "m", "has_labels": False}))
    bare = Embedder(tmp_path)
    assert (bare.model_id, bare.has_labels) == ("m", False)
    assert bare.embed(pixels("chelsea.png")).labels == ()


def test_an_image_has_at_most_five_labels(model_dir: Path, tmp_path: Path) -> None:
    for name in (MODEL_FILE, LABELS_FILE):
        shutil.copy(model_dir / name, tmp_path)
    (tmp_path / "model.json").write_text(json.dumps({"id": "m", "has_labels": True, "least_probability": 0}))
    assert len(Embedder(tmp_path).embed(pixels("chelsea.png")).labels) == 5


@pytest.mark.parametrize("present", [(), ("model.json",)])
def test_a_missing_model_explains_how_to_export_it(model_dir: Path, tmp_path: Path, present: tuple[str, ...]) -> None:
    for name in present:
        shutil.copy(model_dir / name, tmp_path)
    with pytest.raises(ModelMissing, match=r"python -m layers\.models\.export --out"):
        Embedder(tmp_path)
