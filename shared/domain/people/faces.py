"""A face that was found in an image, and where a use case hands it to."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

FACE_DIMENSIONS: Final = 128

FaceVector = npt.NDArray[np.float32]
"""Shape (128,), float32: the embedding of a face; faces are compared by Euclidean distance."""


@dataclass(frozen=True, slots=True, eq=False)
class DetectedFace:
    """A face in an upright image.

    Attributes:
        box: left, top, width and height in shares of the image's sides, 0 to 1.
        score: the detector's, 0 to 1.
        presence: how sure the landmark network is that this is a face, 0 to 1.
        eye_distance: between the centres of the eyes, in pixels of the image at full size.
        vector: see `FaceVector`.
    """

    box: tuple[float, float, float, float]
    score: float
    presence: float
    eye_distance: float
    vector: FaceVector


class Faces(Protocol):
    """Stores the faces of images; nothing of it crosses a collection."""

    def add(self, collection: str, image_id: str, face_model: str, faces: Sequence[DetectedFace]) -> None:
        """Store an image's faces, in the order given, and ask for persons to be found for them.

        A repetition changes nothing: a face's key follows from the image, the model and the face's position in
        `faces`, and is written only if it is absent.
        """
        ...

    def remove(self, collection: str, image_id: str) -> None:
        """Remove the faces of an image that is gone; what people decided about them is kept for its return."""
        ...

    def erase(self, collection: str) -> int:
        """Remove every face and person of a collection with all decisions, for ever, and return how many faces."""
        ...
