"""Landmarks of a face by MediaPipe's face mesh, and how sure it is that this is a face.

Reference: Kartynnik et al., Real-time Facial Surface Geometry from Monocular Video on Mobile GPUs, CVPR Workshop 2019.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from shared.domain.people.face_card import MESH_LANDMARKS
from shared.vision.faces.boxes import Box
from shared.vision.faces.detection import Detection
from shared.vision.faces.network import Network
from shared.vision.faces.similarity import Points, Similarity
from shared.vision.pixels import Pixels

SIDE: Final = 192
MARGIN: Final = 1.5
"""The side of what the network sees, in the longer side of the face's box; MediaPipe's."""

_EYE_CORNERS: Final = ((33, 133), (362, 263))
"""Of the eye on the left and of the eye on the right."""
_LOGIT: Final = 80.0


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """The landmarks of a face.

    Attributes:
        landmarks: shape (468, 2), in pixels of the image.
        presence: how sure the network is that this is a face, 0 to 1.
    """

    landmarks: Points
    presence: float

    @property
    def box(self) -> Box:
        (left, top), (right, bottom) = self.landmarks.min(axis=0), self.landmarks.max(axis=0)
        return float(left), float(top), float(right), float(bottom)

    @property
    def eyes(self) -> Points:
        """The centres of the eye on the left and of the eye on the right, shape (2, 2)."""
        return np.stack([self.landmarks[list(corners)].mean(axis=0) for corners in _EYE_CORNERS])

    @property
    def eye_distance(self) -> float:
        return float(np.linalg.norm(self.eyes[1] - self.eyes[0]))

    def points(self, landmarks: Sequence[Sequence[int]]) -> Points:
        """Return the points by which a chip is cut, shape (n, 2): each the mean of some landmarks."""
        return np.stack([self.landmarks[list(group)].mean(axis=0) for group in landmarks])


class MeshNetwork:
    """The face mesh."""

    def __init__(self, file: Path) -> None:
        self._network = Network(file)

    def fit(self, rgb: Pixels, face: Detection | Mesh) -> Mesh:
        """Return the mesh of a face at the place of a detection, or of an earlier mesh, which is then more exact."""
        left, top, right, bottom = face.box
        centre = complex(left + right, top + bottom) / 2
        across = complex(*(face.eyes[1] - face.eyes[0]))
        upright = across.conjugate() / abs(across) if across else 1
        turn = upright * SIDE / (MARGIN * max(right - left, bottom - top, 1.0))
        view = Similarity(turn, complex(SIDE, SIDE) / 2 - turn * centre)
        presence, flat = sorted(
            self._network.run(view.cut(rgb, SIDE) / np.float32(255)), key=lambda output: output.size
        )
        landmarks = view.inverse().apply(flat.astype(np.float64).reshape(MESH_LANDMARKS, 3)[:, :2])
        return Mesh(landmarks, float(1 / (1 + np.exp(-np.clip(float(presence.ravel()[0]), -_LOGIT, _LOGIT)))))
