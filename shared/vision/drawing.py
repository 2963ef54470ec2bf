"""Comparisons as pictures, for people."""

from typing import Final

import numpy as np

from shared.vision import keypoints
from shared.vision.channels import Pixels
from shared.vision.opencv import cv2
from shared.vision.structure import WINDOW, ssim_map

SIDE: Final = 512
_LINES: Final = ((46, 204, 113), (52, 152, 219), (241, 196, 15), (231, 76, 60), (155, 89, 182), (26, 188, 156))


def matches_picture(a: Pixels, b: Pixels) -> bytes:
    """A PNG with the pictures side by side and a line for each pair of keypoints that one geometry explains."""
    pair = []
    for rgb in (a, b):
        height, width = rgb.shape[:2]
        scale = SIDE / max(height, width)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        pair.append(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR))
    found = [keypoints.detect(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)) for rgb in pair]  # type: ignore[arg-type]
    matched = keypoints.match(*found)
    left, right = (rgb.shape[:2] for rgb in pair)
    canvas = np.full((max(left[0], right[0]), left[1] + right[1] + 16, 3), 255, np.uint8)
    canvas[: left[0], : left[1]] = pair[0]
    canvas[: right[0], left[1] + 16 :] = pair[1]
    for index, (first, second) in enumerate(matched.pairs if matched.transform is not None else ()):
        start = tuple(int(value) for value in found[0].points[first])
        end = tuple(int(value) for value in found[1].points[second] + (left[1] + 16, 0))
        colour = _LINES[index % len(_LINES)]
        cv2.line(canvas, start, end, colour, 1, cv2.LINE_AA)
        cv2.circle(canvas, start, 3, colour, 1, cv2.LINE_AA)
        cv2.circle(canvas, end, 3, colour, 1, cv2.LINE_AA)
    return _png(canvas)


def difference_picture(a: Pixels, b: Pixels) -> bytes:
    """A PNG heat map over the second picture: dark where they are alike, bright where their structure differs."""
    gray = [
        cv2.resize(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), (SIDE, SIDE), interpolation=cv2.INTER_AREA) for rgb in (a, b)
    ]
    similarity = ssim_map(gray[0].astype(np.uint8), gray[1].astype(np.uint8))
    heat = np.clip((1 - similarity) * 127.5, 0, 255).astype(np.uint8)
    pad = WINDOW // 2
    heat = cv2.copyMakeBorder(heat, pad, pad, pad, pad, cv2.BORDER_REPLICATE).astype(np.uint8)
    coloured = cv2.applyColorMap(heat, cv2.COLORMAP_INFERNO)[:, :, ::-1]
    below = np.repeat(gray[1][:, :, np.newaxis], 3, axis=2)
    return _png(cv2.addWeighted(np.ascontiguousarray(coloured), 0.75, below, 0.25, 0).astype(np.uint8))


def _png(rgb: Pixels) -> bytes:
    done, encoded = cv2.imencode(".png", rgb[:, :, ::-1])
    if not done:
        raise RuntimeError("OpenCV could not encode a PNG")
    return encoded.tobytes()
