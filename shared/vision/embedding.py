"""Compute features and labels with an exported network, in LiteRT."""

import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from shared.domain.features import FeatureVector, normalise
from shared.domain.images import Label
from shared.domain.labels import Vocabulary
from shared.domain.model_card import EXPORT_COMMAND, LABELS_FILE, MODEL_FILE, ModelCard
from shared.domain.things import things
from shared.vision import cpu
from shared.vision.pixels import Pixels
from shared.vision.resizing import resize_square

SIDE: Final = 224
MAX_LABELS: Final = 5
ANIMALS: Final = 398
"""Number of the ImageNet classes that are animals; they come first."""


class ModelMissing(RuntimeError):  # noqa: N818
    """The folder holds no exported model; the message names the command that makes one."""


@dataclass(frozen=True, slots=True)
class Embedding:
    """The network's output for an image.

    Attributes:
        features: of unit length.
        labels: the classes that are probable enough, at most `MAX_LABELS`, most probable first.
        things: everyday words for what it sees; see `shared.domain.things`.
    """

    features: FeatureVector
    labels: tuple[Label, ...]
    things: tuple[str, ...] = ()


@contextmanager
def _stderr_held() -> Iterator[None]:
    """Hold back what native code writes to standard error, and show it unless it only informs.

    LiteRT informs of its delegate whatever the log settings are, in the middle of a progress bar.
    """
    original = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(original, 2)
            os.close(original)
            held.seek(0)
            os.write(2, b"".join(line for line in held if not line.startswith(b"INFO:")))


class Embedder:
    """The exported network. Safe to share between threads, which take turns.

    Args:
        threads: number of threads for one image; by default the number of processors.

    Raises:
        ModelMissing: `model_dir` holds no exported model.
    """

    def __init__(self, model_dir: Path, threads: int | None = None) -> None:
        from ai_edge_litert.interpreter import Interpreter

        try:
            card = ModelCard.read(model_dir)
            classes = Vocabulary.read(model_dir / LABELS_FILE).classes if card.has_labels else []
            network = (model_dir / MODEL_FILE).resolve(strict=True)
        except FileNotFoundError as error:
            raise ModelMissing(f"There is no model in {model_dir}. Make it: {EXPORT_COMMAND} {model_dir}") from error
        self.model_id = card.id
        self.has_labels = card.has_labels
        self._names = [each.name for each in classes]
        self._least_probability = card.least_probability
        with _stderr_held():
            self._interpreter = Interpreter(str(network), num_threads=threads or cpu.available_cpus())
            self._interpreter.allocate_tensors()
            self._run = self._interpreter.get_signature_runner()
        self._lock = threading.Lock()

    def embed(self, rgb: Pixels) -> Embedding:
        """Compute the features and labels of upright RGB pixels, uint8, height x width x 3, of any size."""
        batch = resize_square(rgb, SIDE)[np.newaxis]
        with self._lock:
            outputs = self._run(rgb=batch)
            features, probabilities = outputs["features"][0].copy(), outputs["probabilities"][0].copy()
        seen = things(probabilities) if self.has_labels else ()
        return Embedding(normalise(features), self._labels(probabilities), seen)

    def animal_probability(self, rgb: Pixels) -> float:
        """Return how probable it is that pixels, as for `embed`, show an animal; 0 from a network without labels."""
        batch = resize_square(rgb, SIDE)[np.newaxis]
        with self._lock:
            return float(self._run(rgb=batch)["probabilities"][0, :ANIMALS].sum()) if self.has_labels else 0.0

    def _labels(self, probabilities: npt.NDArray[np.float32]) -> tuple[Label, ...]:
        if not self.has_labels:
            return ()
        top = np.argsort(-probabilities, kind="stable")[:MAX_LABELS]
        found = (Label(self._names[index], float(probabilities[index])) for index in top)
        return tuple(label for label in found if label.probability >= self._least_probability)
