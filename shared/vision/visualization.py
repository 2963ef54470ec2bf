"""Images that show people how two images compare."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from shared.vision import views
from shared.vision.keypoints import LONGEST_SIDE, QUERY_KEYPOINTS, Points, Transform, match_keypoints
from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels
from shared.vision.resizing import resize_longest, resize_square
from shared.vision.signature import extract
from shared.vision.ssim import WINDOW, ssim_map
from shared.vision.views import View

GAP: Final = 16
_LINES: Final = ((46, 204, 113), (52, 152, 219), (241, 196, 15), (231, 76, 60), (155, 89, 182), (26, 188, 156))


@dataclass(frozen=True, slots=True)
class _Alignment:
    """The keypoints of two images, at the size at which they are drawn, that one transform maps onto each other.

    Attributes:
        a, b: keypoints in pixels, float32 (N, 2).
        pairs: int (M, 2), indices into `a` and `b`; empty without a transform.
        transform: from the first image to the second, or None if too few keypoints agree on one.
        mirrored: whether `a` and `transform` refer to the mirror image of the first image.
    """

    a: Points
    b: Points
    pairs: npt.NDArray[np.intp]
    transform: Transform | None
    mirrored: bool = False

    @classmethod
    def estimate(cls, a: Pixels, b: Pixels) -> "_Alignment":
        """Align the first view of `a` that matches `b`, trying views in the order of a thorough search.

        Args:
            a: the first image in any size: views need more pixels than are drawn.
            b: the second image in the size at which it is drawn.
        """
        found = extract(b).keypoints
        shown = np.divide(b.shape[1::-1], found.size)
        stored = replace(found, points=(found.points * shown).astype(np.float32))
        size = resize_longest(a, LONGEST_SIDE).shape[1::-1]
        for view in _views(a):
            matches = match_keypoints(view.signature.keypoints, found)
            if matches.transform is not None:
                drawn = np.divide(size, view.signature.keypoints.size)
                points = (view.signature.keypoints.points * drawn).astype(np.float32)
                transform = np.diag([*shown, 1.0]) @ matches.transform @ np.diag([*(1 / drawn), 1.0])
                return cls(points, stored.points, matches.pairs, transform, view.mirrored)
        return cls(stored.points, stored.points, np.zeros((0, 2), np.intp), None)


def _views(rgb: Pixels) -> Iterator[View]:
    plain = extract(rgb, None, QUERY_KEYPOINTS)
    sides = [views.whole(plain), views.mirror(rgb, plain)]
    yield from sides
    for side in sides:
        yield from views.for_second_pass(rgb, side)


def matches_image(a: Pixels, b: Pixels) -> bytes:
    """Return a PNG with the images side by side and a line for each pair of keypoints that the transform explains.

    If the mirror image of `a` matches, lines still start at the keypoints' places in `a` itself.
    """
    left, right = (resize_longest(rgb, LONGEST_SIDE) for rgb in (a, b))
    found = _Alignment.estimate(a, right)
    points = found.a * (-1, 1) + (left.shape[1] - 1, 0) if found.mirrored else found.a
    offset = left.shape[1] + GAP
    canvas = np.full((max(len(left), len(right)), offset + right.shape[1], 3), 255, np.uint8)
    canvas[: len(left), : left.shape[1]] = left
    canvas[: len(right), offset:] = right
    for index, (first, second) in enumerate(found.pairs):
        x, y = found.b[second]
        start, end = (tuple(int(value) for value in point) for point in (points[first], (x + offset, y)))
        colour = _LINES[index % len(_LINES)]
        cv2.line(canvas, start, end, colour, 1, cv2.LINE_AA)
        cv2.circle(canvas, start, 3, colour, 1, cv2.LINE_AA)
        cv2.circle(canvas, end, 3, colour, 1, cv2.LINE_AA)
    return _encode_png(canvas)


def difference_image(a: Pixels, b: Pixels) -> bytes:
    """Return a PNG heat map over the second image: dark where the images are alike, bright where they differ.

    If keypoints determine a transform, the first image is warped onto the second; what it does not cover stays gray.
    """
    left, right = (resize_longest(rgb, LONGEST_SIDE) for rgb in (a, b))
    found = _Alignment.estimate(a, right)
    if found.transform is None:
        first, second = (_gray(resize_square(rgb, LONGEST_SIDE)) for rgb in (a, b))
        covered = np.ones(second.shape, bool)
    else:
        second = _gray(right)
        size = (second.shape[1], second.shape[0])
        source = _gray(_mirror(left) if found.mirrored else left)
        first = cv2.warpPerspective(source, found.transform, size).astype(np.uint8)
        covered = cv2.warpPerspective(np.full(source.shape, 255, np.uint8), found.transform, size) == 255  # noqa: PLR2004
    heat = np.clip((1 - ssim_map(first, second)) * 127.5, 0, 255).astype(np.uint8)
    pad = WINDOW // 2
    heat = cv2.copyMakeBorder(heat, pad, pad, pad, pad, cv2.BORDER_REPLICATE).astype(np.uint8)
    coloured = cv2.cvtColor(cv2.applyColorMap(heat, cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB)
    below = cv2.cvtColor(second, cv2.COLOR_GRAY2RGB)
    blended = cv2.addWeighted(coloured, 0.75, below, 0.25, 0)
    return _encode_png(np.where(covered[:, :, None], blended, below).astype(np.uint8))


def _gray(rgb: Pixels) -> Pixels:
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.uint8)


def _mirror(rgb: Pixels) -> Pixels:
    return np.ascontiguousarray(rgb[:, ::-1])


def _encode_png(rgb: Pixels) -> bytes:
    succeeded, encoded = cv2.imencode(".png", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
    if not succeeded:
        raise RuntimeError("OpenCV could not encode a PNG")
    return encoded.tobytes()
