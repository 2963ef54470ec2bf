"""Find what may be faces by BlazeFace, a single-shot detector.

Its output is decoded as MediaPipe does (modules/face_detection of https://github.com/google-ai-edge/mediapipe).
Reference: Bazarevsky et al., BlazeFace: Sub-millisecond Neural Face Detection on Mobile GPUs, CVPR Workshop 2019.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from shared.vision.faces.boxes import Box, overlap
from shared.vision.faces.network import Network
from shared.vision.faces.similarity import Points
from shared.vision.pixels import Pixels
from shared.vision.resizing import resize_longest, shrink_to_fit

CANDIDATE: Final = 0.5
"""Minimum score of what is considered at all."""
SAME: Final = 0.3
"""Intersection over union from which two boxes are of one face."""
FINE: Final = (3, 0.4)
"""How many rows and columns of parts every image is looked at in by the full range, and their side in sides of the
image. Of 109 faces with eyes 30 to 60 pixels apart, in made photographs of 2,048 to 4,000 pixels, 41 are found instead
of 14. The parts overlap, so that one of them has a face whole."""
COARSE: Final = (2, 0.6)
"""Those in which an image that has a candidate is looked at by both."""
_WORKING: Final = 768
"""Longest side from which the views are reduced: a part of it still has more pixels than the larger detector."""
_LOGIT: Final = 80.0
"""Limit of a score before the sigmoid, whose exponential overflows beyond."""


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """What may be a face.

    Attributes:
        score: 0 to 1.
        points: shape (8, 2), in pixels of the image: the upper left and lower right corners of the box, the eye on the
            left, the eye on the right, the tip of the nose, the mouth, and the ears.
    """

    score: float
    points: Points

    @property
    def box(self) -> Box:
        (left, top), (right, bottom) = self.points[:2]
        return float(left), float(top), float(right), float(bottom)

    @property
    def eyes(self) -> Points:
        """The centres of the eye on the left and of the eye on the right, shape (2, 2)."""
        return self.points[2:4]


class Detector:
    """BlazeFace, whose file is for the short range (faces of up to 2 m) or the full range (of up to 5 m).

    Args:
        side: of its input, in pixels.
        anchors: the strides of its feature maps, in pixels of the input, and the number of anchors in each cell.
    """

    def __init__(self, file: Path, *, side: int, anchors: Sequence[tuple[int, int]]) -> None:
        self._network = Network(file)
        self._side = side
        self._anchors = np.concatenate([_grid(side // stride, number) for stride, number in anchors])

    def detect(self, rgb: Pixels) -> list[Detection]:
        """Return what scores at least `CANDIDATE`, in pixels of `rgb`."""
        small = resize_longest(rgb, self._side)
        height, width = small.shape[:2]
        left, top = (self._side - width) // 2, (self._side - height) // 2
        boxed = np.full((self._side, self._side, 3), -1, dtype=np.float32)
        boxed[top : top + height, left : left + width] = small * np.float32(2 / 255) - 1
        # Short and full range name their outputs differently.
        logits, raw = sorted(self._network.run(boxed), key=lambda output: output.shape[-1])
        scores = 1 / (1 + np.exp(-np.clip(logits[:, 0].astype(np.float64), -_LOGIT, _LOGIT)))
        chosen = scores >= CANDIDATE
        scale = max(rgb.shape[:2]) / max(small.shape[:2])
        points = (_decode(raw[chosen], self._anchors[chosen], self._side) - (left, top)) * scale
        found = [Detection(float(score), one) for score, one in zip(scores[chosen], points, strict=True)]
        return _blend([one for one in found if (one.points[1] > one.points[0]).all()])


def detect(rgb: Pixels, short_range: Detector, full_range: Detector) -> list[Detection]:
    """Return what scores at least `CANDIDATE` in an image or in one of its parts.

    Returns:
        In pixels of the image, the best first. What is found several times is there once.
    """
    working = shrink_to_fit(rgb, _WORKING)
    found = [one for detector in (short_range, full_range) for one in detector.detect(working)]
    found += _detect_in_parts(working, FINE, full_range)
    if found:
        found += _detect_in_parts(working, COARSE, short_range, full_range)
    kept: list[Detection] = []
    for one in sorted(found, key=lambda one: (-one.score, one.box)):
        if all(overlap(one.box, other.box) < SAME for other in kept):
            kept.append(one)
    scale = max(rgb.shape[:2]) / max(working.shape[:2])
    return [Detection(one.score, one.points * scale) for one in kept]


def _detect_in_parts(rgb: Pixels, parts: tuple[int, float], *detectors: Detector) -> list[Detection]:
    """Return what is found in the parts of an image: so many rows and columns, of this share of its sides."""
    number, share = parts
    height, width = rgb.shape[:2]
    rows, columns = round(height * share), round(width * share)
    if not rows or not columns:
        return []
    found: list[Detection] = []
    for top in _spread(height - rows, number):
        for left in _spread(width - columns, number):
            corner, part = np.array((left, top)), rgb[top : top + rows, left : left + columns]
            for detector in detectors:
                found += [Detection(one.score, one.points + corner) for one in detector.detect(part)]
    return found


def _spread(last: int, number: int) -> list[int]:
    """Return so many whole numbers from 0 to `last`, at even distances."""
    return [round(at * last / (number - 1)) for at in range(number)]


def _grid(cells: int, number: int) -> npt.NDArray[np.float64]:
    """Return the centres of the cells of a square, row by row and each `number` times, in shares of its side."""
    centres = (np.arange(cells) + 0.5) / cells
    y, x = np.meshgrid(centres, centres, indexing="ij")
    return np.stack([x.ravel(), y.ravel()], axis=1).repeat(number, axis=0)


def _decode(raw: npt.NDArray[np.float32], anchors: npt.NDArray[np.float64], side: int) -> npt.NDArray[np.float64]:
    """Return the points of `Detection`, shape (n, 8, 2), in pixels of the input.

    Args:
        raw: shape (n, 16): the centre of the box from the anchor, its size, and six points from the anchor.
        anchors: shape (n, 2), in shares of the side.
    """
    points = raw.astype(np.float64).reshape(-1, 8, 2)
    half = points[:, 1] / 2
    points += (anchors * side)[:, np.newaxis]
    points[:, 1] = points[:, 0] + half
    points[:, 0] -= half
    return points


def _blend(found: Sequence[Detection]) -> list[Detection]:
    """Replace those of one face by their mean, weighted by score, with the best score."""
    blended: list[Detection] = []
    remaining = sorted(found, key=lambda one: -one.score)
    while remaining:
        best = remaining[0]
        same = [overlap(one.box, best.box) > SAME for one in remaining]
        alike = [one for one, is_same in zip(remaining, same, strict=True) if is_same]
        points = np.average([one.points for one in alike], axis=0, weights=[one.score for one in alike])
        blended.append(Detection(best.score, points))
        remaining = [one for one, is_same in zip(remaining, same, strict=True) if not is_same]
    return blended
