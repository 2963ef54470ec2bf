"""The two vectors of an image, both of unit length and compared by cosine: of the whole, and of its keypoints."""

from typing import Final

import numpy as np
import numpy.typing as npt

from shared.domain.errors import PictureRefused

FEATURE_DIMENSIONS: Final = 2048
FEATURE_SCALE: Final = 1000
"""Features are stored as whole numbers, so many for a component of 1, which no cosine sees: two digits take 3 bytes in
DynamoDB, three would take 4. Of 63 photographs no two have a cosine that differs by more than 0.0004."""

LOCAL_DIMENSIONS: Final = 1024
LOCAL_SCALE: Final = 99
"""The same of local features: all have at most two digits. docs/explanation/ranking.md has what fewer dimensions
and coarser numbers lose."""

QUERY_SCALE: Final = 10_000
"""The same of a vector that is searched for, which takes no room."""

FeatureVector = npt.NDArray[np.float32]
"""Shape (2048,), float32, L2 norm 1 (or all zero for an image without any activation)."""

LocalVector = npt.NDArray[np.float32]
"""Shape (LOCAL_DIMENSIONS,), float32, L2 norm 1: what the keypoints of an image look like, wherever they are (all zero
for an image without keypoints). See `shared.vision.local_features`."""


def finite(vector: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Return `vector` as it is: no vector with NaN or an infinity is stored, searched for or compared.

    A NaN that is rounded to an integer becomes -9223372036854775808, which DynamoDB takes.

    Raises:
        PictureRefused: `undescribable`; the model would say the same of the image at every attempt.
    """
    if not np.isfinite(vector).all():
        raise PictureRefused("undescribable", "The features that the model computes of this image are not all numbers.")
    return vector


def normalise(vector: npt.NDArray[np.floating]) -> FeatureVector:
    """`vector` scaled to unit length; a zero vector stays zero (its cosine would be NaN).

    Raises:
        PictureRefused: see `finite`.
    """
    values = np.asarray(finite(vector), dtype=np.float64)
    norm = float(np.linalg.norm(values))
    return (values / norm if norm > 0 else values).astype(np.float32)


def cosine(a: FeatureVector, b: FeatureVector) -> float:
    """Cosine similarity, -1 to 1, of two vectors of unit length; 0 where one is zero."""
    return float(np.clip(np.dot(a.astype(np.float64), b.astype(np.float64)), -1.0, 1.0))
