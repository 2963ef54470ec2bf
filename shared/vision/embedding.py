"""ResNet50 features with LiteRT."""

import json
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from shared.domain.features import FeatureVector, normalise
from shared.domain.images import Label
from shared.vision.channels import Pixels
from shared.vision.opencv import cv2

SIDE: Final = 224
LABELS_KEPT: Final = 5


class ModelMissing(RuntimeError):  # noqa: N818
    """There is no exported model where one is expected; the message says how to make it."""


@dataclass(frozen=True, slots=True)
class Embedding:
    """What the network says of a picture: features of unit length, and the most probable classes, if it has any."""

    features: FeatureVector
    labels: tuple[Label, ...]


def resize(rgb: Pixels) -> Pixels:
    """The whole picture as 224 x 224 x 3, area-averaged where it shrinks.

    Averaging uses every pixel, so that a resized copy gives nearly the same input as its original.
    """
    height, width = rgb.shape[:2]
    shrinks = height >= SIDE and width >= SIDE
    return cv2.resize(rgb, (SIDE, SIDE), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR).astype(
        np.uint8, copy=False
    )


class Embedder:
    """The exported network. Safe to share between threads, which take turns.

    Raises:
        ModelMissing: `model_dir` holds no export.
    """

    def __init__(self, model_dir: Path, threads: int | None = None) -> None:
        from ai_edge_litert.interpreter import Interpreter

        try:
            card: dict[str, Any] = json.loads((model_dir / "model.json").read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise ModelMissing(
                f"There is no model in {model_dir}. Make it: python -m layers.resnet50.export --out {model_dir}"
            ) from error
        self.model_id: str = card["id"]
        self.has_labels: bool = card["has_labels"]
        self._names: list[str] = (
            json.loads((model_dir / "labels.json").read_text(encoding="utf-8")) if self.has_labels else []
        )
        self._interpreter = Interpreter(str(model_dir / "resnet50.tflite"), num_threads=threads)
        self._run = self._interpreter.get_signature_runner()
        self._lock = threading.Lock()

    def embed(self, rgb: Pixels) -> Embedding:
        """Features and labels of upright RGB pixels, uint8, height x width x 3, of any size."""
        with self._lock:
            outputs = self._run(rgb=resize(rgb)[np.newaxis])
            features, probabilities = outputs["features"][0].copy(), outputs["probabilities"][0].copy()
        return Embedding(normalise(features), self._labels(probabilities))

    def _labels(self, probabilities: FeatureVector) -> tuple[Label, ...]:
        if not self.has_labels:
            return ()
        top = np.argsort(-probabilities, kind="stable")[:LABELS_KEPT]
        return tuple(Label(self._names[index], float(probabilities[index])) for index in top)
