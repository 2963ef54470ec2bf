"""ResNet50 features with LiteRT."""

import json
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from shared.domain.features import FeatureVector, normalise
from shared.domain.images import Label
from shared.vision import cpu
from shared.vision.pixels import Pixels
from shared.vision.resizing import resize_square

SIDE: Final = 224
LABELS_KEPT: Final = 5


class ModelMissing(RuntimeError):  # noqa: N818
    """There is no exported model where one is expected; the message says how to make it."""


@dataclass(frozen=True, slots=True)
class Embedding:
    """What the network says of an image: features of unit length, and the most probable classes, if it has any."""

    features: FeatureVector
    labels: tuple[Label, ...]


class Embedder:
    """The exported network. Safe to share between threads, which take turns.

    Args:
        threads: that run one image; as many as there are processors unless told otherwise.

    Raises:
        ModelMissing: `model_dir` holds no export.
    """

    def __init__(self, model_dir: Path, threads: int | None = None) -> None:
        from ai_edge_litert.interpreter import Interpreter

        try:
            card = _read(model_dir / "model.json")
            names = _read(model_dir / "labels.json") if card["has_labels"] else []
            network = (model_dir / "resnet50.tflite").resolve(strict=True)
        except FileNotFoundError as error:
            raise ModelMissing(
                f"There is no model in {model_dir}. Make it: python -m layers.resnet50.export --out {model_dir}"
            ) from error
        self.model_id: str = card["id"]
        self.has_labels: bool = card["has_labels"]
        self._names: list[str] = names
        self._interpreter = Interpreter(str(network), num_threads=threads or cpu.available())
        self._run = self._interpreter.get_signature_runner()
        self._lock = threading.Lock()

    def embed(self, rgb: Pixels) -> Embedding:
        """Features and labels of upright RGB pixels, uint8, height x width x 3, of any size."""
        batch = resize_square(rgb, SIDE)[np.newaxis]
        with self._lock:
            outputs = self._run(rgb=batch)
            features, probabilities = outputs["features"][0].copy(), outputs["probabilities"][0].copy()
        return Embedding(normalise(features), self._labels(probabilities))

    def _labels(self, probabilities: npt.NDArray[np.float32]) -> tuple[Label, ...]:
        if not self.has_labels:
            return ()
        top = np.argsort(-probabilities, kind="stable")[:LABELS_KEPT]
        return tuple(Label(self._names[index], float(probabilities[index])) for index in top)


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
