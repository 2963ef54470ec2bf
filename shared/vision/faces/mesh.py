"""Landmarks of a face by MediaPipe's face mesh, and how sure it is that this is a face.

Reference: Kartynnik et al., Real-time Facial Surface Geometry from Monocular Video on Mobile GPUs, CVPR Workshop 2019.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from shared.vision.faces.boxes import Box
from shared.vision.faces.detection import Detection
from shared.vision.faces.network import Network
from shared.vision.faces.similarity import Points, Similarity
from shared.vision.pixels import Pixels

SIDE: Final = 192
LANDMARKS: Final = 468
MARGIN: Final = 1.5
"""The side of what the network sees, in the longer side of the face's box; MediaPipe's."""

_EYE_CORNERS: Final = ((33, 133), (362, 263))
"""Of the eye on the left and of the eye on the right."""
_ALIGNMENT_POINTS: Final = (249, 382, 7, 155, 2)
"""The landmarks nearest to the five of dlib, in its order, over 42 faces (medians 1.6 to 2.1 pixels of a chip): its
corners of the eyes are not quite the mesh's."""
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

    @property
    def alignment_points(self) -> Points:
        """The points by which a chip is cut, shape (5, 2), in the order of `FaceCard.points`."""
        return self.landmarks[list(_ALIGNMENT_POINTS)]


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
        landmarks = view.inverse().apply(flat.astype(np.float64).reshape(LANDMARKS, 3)[:, :2])
        return Mesh(landmarks, float(1 / (1 + np.exp(-np.clip(float(presence.ravel()[0]), -_LOGIT, _LOGIT)))))
