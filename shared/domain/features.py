"""The two vectors of an image, both of unit length and compared by cosine: of the whole, and of its keypoints."""

from typing import Final

import numpy as np
import numpy.typing as npt

from shared.domain.errors import PictureRefused

FEATURE_DIMENSIONS: Final = 2048
FEATURE_SCALE: Final = 1000
"""The integer that a component of 1 is stored as; scaling does not change a cosine. In DynamoDB two digits take 3
bytes, three would take 4. Rounding changes the cosine of no two of 63 photographs by more than 0.0004."""

LOCAL_DIMENSIONS: Final = 1024
LOCAL_SCALE: Final = 99
"""The same for local features, which thus have at most two digits. docs/explanation/ranking.md shows what fewer
dimensions and coarser numbers lose."""

QUERY_SCALE: Final = 10_000
"""The same for the vector of a query, which is not stored."""

FeatureVector = npt.NDArray[np.float32]
"""Shape (2048,), float32, L2 norm 1 (or all zero for an image without any activation)."""

LocalVector = npt.NDArray[np.float32]
"""Shape (LOCAL_DIMENSIONS,), float32, L2 norm 1: the appearance of an image's keypoints, regardless of position (all
zero for an image without keypoints). See `shared.vision.local_features`."""


def require_finite(vector: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    """Return `vector` unchanged, so that no vector with NaN or infinity is stored, searched for or compared.

    NaN rounded to an integer becomes -9223372036854775808, which DynamoDB accepts.

    Raises:
        PictureRefused: `undescribable`, because a retry would compute the same values.
    """
    if not np.isfinite(vector).all():
        raise PictureRefused(
            "undescribable", "The model computes features of this image that are not all finite numbers."
        )
    return vector


def normalise(vector: npt.NDArray[np.floating]) -> FeatureVector:
    """Return `vector` scaled to unit length; a zero vector stays zero (its cosine would be NaN).

    Raises:
        PictureRefused: see `require_finite`.
    """
    values = np.asarray(require_finite(vector), dtype=np.float64)
    norm = float(np.linalg.norm(values))
    return (values / norm if norm > 0 else values).astype(np.float32)


def cosine(a: FeatureVector, b: FeatureVector) -> float:
    """Return the cosine similarity, -1 to 1, of two vectors of unit length; 0 if one of them is zero."""
    return float(np.clip(np.dot(a.astype(np.float64), b.astype(np.float64)), -1.0, 1.0))
