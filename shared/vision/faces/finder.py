"""Find the faces of an image, with what persons are told apart by."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from shared.domain.people.face_card import (
    EMBEDDER_FILE,
    EXPORT_COMMAND,
    FULL_RANGE_FILE,
    MESH_FILE,
    SHORT_RANGE_FILE,
    FaceCard,
)
from shared.domain.people.face_card import SAME as SAME_PERSON
from shared.domain.people.faces import DetectedFace, FaceVector
from shared.vision.faces.boxes import Box, overlap
from shared.vision.faces.detection import SAME, Detection, Detector, detect
from shared.vision.faces.mesh import Mesh, MeshNetwork
from shared.vision.faces.network import Network
from shared.vision.faces.similarity import fit
from shared.vision.pixels import Pixels

MIN_SCORE: Final = 0.6
MIN_PRESENCE: Final = 0.9
"""Of the mesh at the detector's box, and of the mesh that is fitted again at its own: animals lose either."""
MIN_EYE_DISTANCE: Final = 15.0
MAX_FACES: Final = 100
"""Of an image; the largest ones are kept."""

CLEAR_SCORE: Final = 0.9
"""Score from which a face is a human's whatever the classifier says: many are beside a dog or in a costume."""
ANIMAL: Final = 0.5
"""Probability that the place of a face is an animal's from which on a face that is not clear is left out. Of 500
photographs, dogs and a monkey have 0.92 to 0.99, and human faces below `CLEAR_SCORE` at most 0.24."""


class FacesMissing(RuntimeError):  # noqa: N818
    """The folder holds no exported networks for faces; the message names the command that makes them."""


class FaceFinder:
    """Finds, aligns and embeds faces. Safe to share between threads.

    Args:
        folder: what `layers.faces.export` wrote. Each network is loaded when it is first needed.

    Raises:
        FacesMissing: `folder` holds no export.
    """

    def __init__(self, folder: Path) -> None:
        try:
            card = FaceCard.read(folder)
        except FileNotFoundError as error:
            raise FacesMissing(f"There are no networks for faces in {folder}. Make them: {EXPORT_COMMAND}") from error
        self.face_model = card.id
        self._card = card
        self._points = np.array(card.points, dtype=np.float64) * card.side
        self._detectors = (
            Detector(folder / SHORT_RANGE_FILE, side=128, anchors=((8, 2), (16, 6))),
            Detector(folder / FULL_RANGE_FILE, side=192, anchors=((4, 1),)),
        )
        self._mesh = MeshNetwork(folder / MESH_FILE)
        self._embedder = Network(folder / EMBEDDER_FILE)

    def find(self, rgb: Pixels, animal: Callable[[Pixels], float] | None = None) -> list[DetectedFace]:
        """Return the faces of upright RGB pixels, uint8, height x width x 3, of any size; the largest first.

        Args:
            animal: returns how probable it is that pixels show an animal, 0 to 1. With it, a face at the place of an
                animal's is left out.
        """
        found: list[tuple[Detection, Mesh]] = []
        for detection, mesh in self._candidates(rgb):
            if all(overlap(mesh.box, other.box) < SAME for _, other in found):
                found.append((detection, mesh))
        if animal:
            found = [
                (detection, mesh)
                for detection, mesh in found
                if detection.score >= CLEAR_SCORE or animal(_part(rgb, mesh.box)) < ANIMAL
            ]
        found.sort(key=lambda one: (-one[1].eye_distance, one[1].box))
        return [self._describe(rgb, *one) for one in found[:MAX_FACES]]

    def _candidates(self, rgb: Pixels) -> Iterator[tuple[Detection, Mesh]]:
        """Yield what is a face by all measures, the best score first."""
        for detection in detect(rgb, *self._detectors):
            if detection.score < MIN_SCORE:
                return
            rough = self._mesh.fit(rgb, detection)
            if rough.presence < MIN_PRESENCE:
                continue
            mesh = self._mesh.fit(rgb, rough)
            if mesh.presence >= MIN_PRESENCE and mesh.eye_distance >= MIN_EYE_DISTANCE:
                yield detection, mesh

    def _describe(self, rgb: Pixels, detection: Detection, mesh: Mesh) -> DetectedFace:
        height, width = rgb.shape[:2]
        left, top, right, bottom = np.clip(np.array(mesh.box) / (width, height, width, height), 0, 1).tolist()
        chip = fit(mesh.points(self._card.landmarks), self._points).cut(rgb, self._card.side)
        [values] = self._embedder.run(prepared(chip, self._card))
        return DetectedFace(
            box=(left, top, right - left, bottom - top),
            score=detection.score,
            presence=mesh.presence,
            eye_distance=mesh.eye_distance,
            vector=comparable(values, self._card),
        )


def prepared(chip: Pixels, card: FaceCard) -> npt.NDArray[np.uint8] | npt.NDArray[np.float32]:
    """Return a chip, RGB bytes, as an embedder takes it."""
    ordered = chip if card.order == "RGB" else np.ascontiguousarray(chip[:, :, ::-1])
    if card.mean is None:
        return ordered
    return ((ordered - np.array(card.mean, dtype=np.float32)) / np.float32(card.scale)).astype(np.float32)


def comparable(values: npt.NDArray[np.float32], card: FaceCard) -> FaceVector:
    """Return the values of an embedder, scaled so that faces of one person are within `SAME_PERSON` of each other."""
    vector = values.astype(np.float32)
    if card.unit:
        vector /= max(float(np.linalg.norm(vector)), 1e-12)
    return vector if card.same == SAME_PERSON else vector * np.float32(SAME_PERSON / card.same)


def _part(rgb: Pixels, box: Box) -> Pixels:
    """Return the square around the centre of a box with the box's longer side, as far as it is in the image."""
    height, width = rgb.shape[:2]
    half = max(box[2] - box[0], box[3] - box[1]) / 2
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    left, top = int(np.clip(x - half, 0, width - 1)), int(np.clip(y - half, 0, height - 1))
    right, bottom = int(np.clip(x + half, left + 1, width)), int(np.clip(y + half, top + 1, height))
    return np.ascontiguousarray(rgb[top:bottom, left:right])
