"""Similarity transforms between an image and squares cut from it."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels

Points = npt.NDArray[np.float64]
"""Shape (n, 2): x and y."""

_COARSE: Final = 2.0
"""From this reduction on, the pixels are averaged first: an interpolation reads four of them and aliases the rest."""


@dataclass(frozen=True, slots=True)
class Similarity:
    """A turn, a scale and a shift, as complex numbers: z becomes `turn` * z + `shift`."""

    turn: complex
    shift: complex

    def apply(self, points: Points) -> Points:
        moved = self.turn * (points[:, 0] + 1j * points[:, 1]) + self.shift
        return np.stack([moved.real, moved.imag], axis=1)

    def inverse(self) -> Self:
        return type(self)(1 / self.turn, -self.shift / self.turn)

    def cut(self, rgb: Pixels, side: int) -> Pixels:
        """Return the square of `side` pixels that this transform maps the image to; black outside the image."""
        corners = self.inverse().apply(np.array([(0, 0), (side, 0), (0, side), (side, side)], dtype=np.float64))
        height, width = rgb.shape[:2]
        # `floor - 2` and `ceil + 3`: the pixels that an interpolation at the border reads.
        left, top = np.clip(np.floor(corners.min(axis=0)).astype(int) - 2, 0, (width, height))
        right, bottom = np.clip(np.ceil(corners.max(axis=0)).astype(int) + 3, 0, (width, height))
        if right <= left or bottom <= top:
            return np.zeros((side, side, 3), dtype=np.uint8)
        part = rgb[top:bottom, left:right]
        scale = np.array([1.0, 1.0])
        reduction = 1 / abs(self.turn)
        if reduction >= _COARSE:
            size = np.maximum(1, np.round(np.array([right - left, bottom - top]) / reduction)).astype(int)
            scale = np.array([right - left, bottom - top]) / size
            part = cv2.resize(part, (int(size[0]), int(size[1])), interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
        # Centres of pixels are at halves here, and at whole numbers in OpenCV.
        a, b = self.turn.real, self.turn.imag
        linear = np.array([[a, -b], [b, a]])
        matrix = np.empty((2, 3))
        matrix[:, :2] = linear * scale
        matrix[:, 2] = linear @ (0.5 * scale + (left, top)) + (self.shift.real, self.shift.imag) - 0.5
        return cv2.warpAffine(part, matrix, (side, side), flags=cv2.INTER_LINEAR)  # type: ignore[return-value]


def fit(source: Points, target: Points) -> Similarity:
    """Return the similarity that maps `source` to `target` with the least squared error."""
    z, w = (one[:, 0] + 1j * one[:, 1] for one in (source, target))
    centred = z - z.mean()
    turn = complex(np.vdot(centred, w - w.mean()) / np.vdot(centred, centred))
    return Similarity(turn, complex(w.mean() - turn * z.mean()))
