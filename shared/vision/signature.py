"""Everything that reranking needs of an image, as one small object."""

import struct
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from shared.domain.features import FEATURE_DIMENSIONS, FeatureVector
from shared.vision.histogram import BINS, Histogram, histogram
from shared.vision.keypoints import LONGEST_SIDE, MAX_KEYPOINTS, MIN_INLIERS, Keypoints, detect
from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels
from shared.vision.resizing import resize_square, shrink_to_fit
from shared.vision.ssim import Moments, moments

SIDE: Final = 256
FLAT_DEVIATION: Final = 2.0
"""Standard deviation of gray levels, 0 to 255, under which an image is flat. The least of 500 photographs had 13."""

LEAST_SIDE: Final = 8
"""Pixels: a side shorter than one window of SSIM and its neighbour shows nothing."""

_MAGIC: Final = b"PTS3"
_HEAD: Final = struct.Struct("<4sHHHH")
_PER_KEYPOINT: Final = 8 + 1 + 1 + 32
_LOW_INFORMATION, _FEATURES = 1, 2
_FIXED: Final = _HEAD.size + SIDE * SIDE + 4 * BINS**3


@dataclass(frozen=True)
class Signature:
    """What is compared of an image.

    Attributes:
        gray: uint8 256 x 256, the whole image resize_square into the square, as the ancestor compares it.
        keypoints: up to 500 of ORB's.
        histogram: float32 (512,).
        features: of the network, so that a candidate's cosine is known whichever index found it; packed as f16.
        low_information: whether the image is flat, or has a side under `LEAST_SIDE`, so that agreement with
            another one says nothing.
    """

    gray: Pixels
    keypoints: Keypoints
    histogram: Histogram
    features: FeatureVector | None = None
    low_information: bool = False

    @cached_property
    def moments(self) -> Moments:
        """Of `gray`: 0.6 MB that one that is compared with many keeps."""
        return moments(self.gray)


def extract(rgb: Pixels, features: FeatureVector | None = None, keypoints: int = MAX_KEYPOINTS) -> Signature:
    """The signature of upright RGB pixels, uint8, height x width x 3, of any size.

    Args:
        keypoints: at most so many; only one with no more than `MAX_KEYPOINTS` can be packed.
    """
    # Everything below averages anyway: the large image is read once.
    small = shrink_to_fit(rgb, LONGEST_SIDE)
    gray: Pixels = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)  # type: ignore[assignment]
    square, found = resize_square(gray, SIDE), detect(gray, keypoints)
    flat = len(found) < MIN_INLIERS and float(square.std()) < FLAT_DEVIATION
    return Signature(square, found, histogram(small), features, flat or min(rgb.shape[:2]) < LEAST_SIDE)


def pack(signature: Signature) -> bytes:
    """About 93 KB: stored as it is used, since unpacking 50 of them is part of every search."""
    points, features = signature.keypoints, signature.features
    flags = signature.low_information * _LOW_INFORMATION | (features is not None) * _FEATURES
    return b"".join(
        (
            _HEAD.pack(_MAGIC, len(points), *points.size, flags),
            signature.gray.tobytes(),
            signature.histogram.astype("<f4").tobytes(),
            points.points.astype("<f4").tobytes(),
            points.scales.tobytes(),
            points.angles.tobytes(),
            points.descriptors.tobytes(),
            b"" if features is None else features.astype("<f2").tobytes(),
        )
    )


def unpack(data: bytes) -> Signature:
    """The signature that `pack` packed; its arrays are read-only views of `data`.

    Raises:
        ValueError: the bytes are no signature of this version.
    """
    if len(data) < _FIXED or not data.startswith(_MAGIC):
        raise ValueError("not a signature of this version")
    _, count, width, height, flags = _HEAD.unpack_from(data)
    more = 2 * FEATURE_DIMENSIONS if flags & _FEATURES else 0
    if count > MAX_KEYPOINTS or len(data) != _FIXED + count * _PER_KEYPOINT + more:
        raise ValueError("a signature of the wrong length")
    if not (0 < width <= LONGEST_SIDE and 0 < height <= LONGEST_SIDE):
        raise ValueError("a signature of an image without a size")
    at = _HEAD.size
    gray = np.frombuffer(data, np.uint8, SIDE * SIDE, at).reshape(SIDE, SIDE)
    at += SIDE * SIDE
    colours = np.frombuffer(data, "<f4", BINS**3, at)
    at += 4 * BINS**3
    points = np.frombuffer(data, "<f4", count * 2, at).reshape(count, 2)
    features = np.frombuffer(data, "<f2", more // 2, len(data) - more).astype(np.float32) if more else None
    numbers = [points, colours, *([] if features is None else [features])]
    if not all(np.isfinite(array).all() for array in numbers):
        raise ValueError("a signature with values that are not numbers")
    at += 8 * count
    scales, angles = np.frombuffer(data, np.uint8, count, at), np.frombuffer(data, np.uint8, count, at + count)
    descriptors = np.frombuffer(data, np.uint8, count * 32, at + 2 * count).reshape(count, 32)
    return Signature(
        gray,
        Keypoints(points, scales, angles, descriptors, (width, height)),
        colours,
        features,
        bool(flags & _LOW_INFORMATION),
    )
