"""Signatures: everything that reranking needs of an image, stored as one small object."""

import hashlib
import math
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np

from shared.domain.features import FEATURE_DIMENSIONS, FeatureVector
from shared.vision.evidence.fine import encode_fine
from shared.vision.histogram import BINS, Histogram, histogram
from shared.vision.keypoints import (
    LEAST_SIDE,
    LONGEST_SIDE,
    MAX_KEYPOINTS,
    MAX_LONG_KEYPOINTS,
    MIN_INLIERS,
    PART_SHARE,
    PROBES,
    Keypoints,
    detect,
)
from shared.vision.long_images import SIDE as LONG_SIDE
from shared.vision.long_images import detect_in_parts
from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels
from shared.vision.resizing import LONGEST, is_long, longest_side, resize_square, shrink_to_fit
from shared.vision.ssim import Moments, moments

SIDE: Final = 256
FLAT_DEVIATION: Final = 2.0
"""Standard deviation of gray levels, 0 to 255, below which an image is flat; 500 photographs had at least 13."""

_MAGIC: Final = b"PTS4"
_EARLIER: Final = b"PTS3"
"""The earlier version, without `pixels_hash` and `fine`; such an image is at most `similar` until it is reindexed."""
_HEAD: Final = struct.Struct("<4sHHHH")
_PER_KEYPOINT: Final = 8 + 1 + 1 + 32
_LOW_INFORMATION, _FEATURES, _PAGES = 1, 2, 4
_HASH: Final = 32
NO_HASH: Final = bytes(_HASH)
"""`pixels_hash` of a page, which is identical with no image."""
_LENGTH: Final = struct.Struct("<I")
_PAGE: Final = struct.Struct("<IfI")
_FIXED: Final = _HEAD.size + SIDE * SIDE + 4 * BINS**3


@dataclass(frozen=True)
class Signature:
    """What comparing needs of an image.

    Attributes:
        gray: uint8 256 x 256, the whole image resized to a square, as the legacy API compares it.
        keypoints: up to 500 ORB keypoints; of a long image up to 250 in each part (`resizing.parts_of`).
        histogram: float32 (512,).
        features: the network's, so that a candidate's cosine is known whichever index found it; stored as float16.
        low_information: whether the image is flat, or has a side shorter than `LEAST_SIDE`, so that agreement with
            another image means nothing.
        pixels_hash: SHA-256 of the size and the upright pixels; empty in signatures of an earlier version.
        fine: the JPEG of `evidence.fine` in which details are compared; empty in signatures of an earlier version.
        pages: those of a file with several, if the image is a sheet of them; the only one that shows something new has
            no signature of its own.
    """

    gray: Pixels
    keypoints: Keypoints
    histogram: Histogram
    features: FeatureVector | None = None
    low_information: bool = False
    pixels_hash: bytes = b""
    fine: bytes = b""
    pages: tuple["SignedPage", ...] = ()

    @property
    def several(self) -> Sequence["SignedPage"]:
        """The pages that are compared one by one; none if the file shows one image only."""
        return self.pages if len(self.pages) > 1 else ()

    def same_pixels(self, other: "Signature") -> bool:
        """Return whether both are of the same upright pixels; False if that was not stored of one of them."""
        return self.pixels_hash == other.pixels_hash and self.pixels_hash not in (b"", NO_HASH)

    @cached_property
    def moments(self) -> Moments:
        """Moments of `gray`, 0.6 MB; cached, because a query is compared with many images."""
        return moments(self.gray)

    @cached_property
    def probes(self) -> Keypoints:
        """The keypoints that are looked up first in another image; cached for the same reason."""
        return self.keypoints.sample(PROBES)


@dataclass(frozen=True)
class SignedPage:
    """A page or a frame of a file with several.

    Attributes:
        number: in its file, from 1 on.
        seconds: when the frame is shown, from the animation's start; None for a page.
        signature: None if the file's own signature is that of this page.
    """

    number: int
    seconds: float | None = None
    signature: Signature | None = None


def extract(rgb: Pixels, features: FeatureVector | None = None, keypoints: int = MAX_KEYPOINTS) -> Signature:
    """Compute the signature of upright RGB pixels, uint8, height x width x 3, of any size.

    Args:
        keypoints: maximum number of keypoints, of a long image half of that in each part; signatures with more than
            `MAX_KEYPOINTS` cannot be packed.
    """
    # Everything below works on averages, so the large image is read only once.
    small = _reduced(rgb)
    gray: Pixels = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)  # type: ignore[assignment]
    square = resize_square(gray, SIDE)
    found = _keypoints(gray, rgb, keypoints)
    flat = len(found) < MIN_INLIERS and float(square.std()) < FLAT_DEVIATION
    return Signature(
        square,
        found,
        histogram(small),
        features,
        flat or min(rgb.shape[:2]) < LEAST_SIDE,
        _hash_of(rgb),
        encode_fine(rgb),
    )


def mirrored(rgb: Pixels, signature: Signature, keypoints: int) -> Signature:
    """Return the signature of the mirror image of an image with this one, to be compared without details.

    It has no hash of its pixels: an image that has these pixels is a copy of the image, and not identical.
    """
    turned = np.ascontiguousarray(rgb[:, ::-1])
    gray: Pixels = cv2.cvtColor(_reduced(turned), cv2.COLOR_RGB2GRAY)  # type: ignore[assignment]
    return replace(
        signature,
        gray=np.ascontiguousarray(signature.gray[:, ::-1]),
        keypoints=_keypoints(gray, turned, keypoints),
        pixels_hash=b"",
        fine=b"",
        pages=(),
    )


def _is_long(rgb: Pixels) -> bool:
    height, width = rgb.shape[:2]
    return is_long(width, height) and min(width, height) >= LEAST_SIDE


def _reduced(rgb: Pixels) -> Pixels:
    return shrink_to_fit(rgb, longest_side(rgb.shape[1], rgb.shape[0], LONG_SIDE if _is_long(rgb) else LONGEST_SIDE))


def _keypoints(gray: Pixels, rgb: Pixels, count: int) -> Keypoints:
    return detect_in_parts(gray, count // PART_SHARE) if _is_long(rgb) else detect(gray, count)


def _hash_of(rgb: Pixels) -> bytes:
    hashed = hashlib.sha256(struct.pack("<II", *rgb.shape[:2]))
    hashed.update(np.ascontiguousarray(rgb).data)
    return hashed.digest()


def pack(signature: Signature) -> bytes:
    """About 93 KB and the fine image: stored as it is used, since unpacking 50 of them is part of every search."""
    points, features = signature.keypoints, signature.features
    flags = signature.low_information * _LOW_INFORMATION | (features is not None) * _FEATURES
    flags |= bool(signature.pages) * _PAGES
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
            signature.pixels_hash,
            _LENGTH.pack(len(signature.fine)),
            signature.fine,
            *(_packed_page(page) for page in signature.pages),
        )
    )


def unpack(data: bytes) -> Signature:
    """Return the signature that `pack` packed; its arrays are read-only views of `data`.

    Raises:
        ValueError: the bytes are not a signature of a supported version.
    """
    if len(data) < _FIXED or not data.startswith((_MAGIC, _EARLIER)):
        raise ValueError("not a signature of this version")
    _, count, width, height, flags = _HEAD.unpack_from(data)
    more = 2 * FEATURE_DIMENSIONS if flags & _FEATURES else 0
    end = _FIXED + count * _PER_KEYPOINT + more
    start = end if data.startswith(_EARLIER) else end + _HASH + _LENGTH.size
    if count > MAX_LONG_KEYPOINTS or len(data) < start:
        raise ValueError("a signature of the wrong length")
    last = start + _fine_length(data, end, start)
    if len(data) < last or (len(data) > last) != bool(flags & _PAGES):
        raise ValueError("a signature of the wrong length")
    if not (0 < width <= LONGEST * LONG_SIDE and 0 < height <= LONGEST * LONG_SIDE):
        raise ValueError("a signature of an image without a size")
    at = _HEAD.size
    gray = np.frombuffer(data, np.uint8, SIDE * SIDE, at).reshape(SIDE, SIDE)
    at += SIDE * SIDE
    colours = np.frombuffer(data, "<f4", BINS**3, at)
    at += 4 * BINS**3
    points = np.frombuffer(data, "<f4", count * 2, at).reshape(count, 2)
    features = np.frombuffer(data, "<f2", more // 2, end - more).astype(np.float32) if more else None
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
        data[end : end + _HASH],
        data[start:last],
        tuple(_unpacked_pages(data[last:])),
    )


def _fine_length(data: bytes, end: int, start: int) -> int:
    return 0 if start == end else int(_LENGTH.unpack_from(data, end + _HASH)[0])


def _packed_page(page: SignedPage) -> bytes:
    own = pack(page.signature) if page.signature else b""
    return _PAGE.pack(page.number, math.nan if page.seconds is None else page.seconds, len(own)) + own


def _unpacked_pages(data: bytes) -> Iterator[SignedPage]:
    """Yield the pages after a signature. Raises as `unpack` does."""
    at = 0
    while at < len(data):
        if at + _PAGE.size > len(data):
            raise ValueError("a signature of the wrong length")
        number, seconds, length = _PAGE.unpack_from(data, at)
        at += _PAGE.size
        own = unpack(data[at : at + length]) if length else None
        yield SignedPage(number, None if math.isnan(seconds) else seconds, own)
        at += length
