"""Images for tests: the samples in scikit-image's wheel, and synthetic ones."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image
from skimage.data import data_dir

from shared.vision.opencv import cv2

Pixels = npt.NDArray[np.uint8]


def shipped(name: str) -> Path:
    return Path(data_dir) / name


def pixels(name: str) -> Pixels:
    """RGB pixels of a shipped image."""
    bgr = cv2.imread(str(shipped(name)), cv2.IMREAD_COLOR)
    assert bgr is not None
    return np.ascontiguousarray(bgr[:, :, ::-1]).astype(np.uint8)


def encoded(rgb: Pixels, kind: str = ".jpg", *parameters: int) -> bytes:
    done, data = cv2.imencode(kind, rgb[:, :, ::-1], list(parameters))
    assert done
    return data.tobytes()


def noise(seed: int, side: int = 96) -> bytes:
    """A PNG that is different for every seed: shapes over colours, since colours alone look alike to networks."""
    rng = np.random.default_rng(seed)
    shapes = np.full((side, side, 3), rng.integers(0, 256, 3), np.uint8)
    for kind in rng.integers(0, 4, rng.integers(6, 30)):
        color = [int(level) for level in rng.integers(0, 256, 3)]
        first, second, *_ = corners = [[int(place) for place in corner] for corner in rng.integers(0, side, (4, 2))]
        width = int(rng.choice([-1, 1, 2, 4]))
        if kind == 0:
            cv2.circle(shapes, first, int(rng.integers(3, max(side // 3, 4))), color, width, cv2.LINE_AA)
        elif kind == 1:
            cv2.rectangle(shapes, first, second, color, width)
        elif kind == 2:
            cv2.line(shapes, first, second, color, 2 * abs(width), cv2.LINE_AA)
        else:
            cv2.fillPoly(shapes, [np.array(corners, np.int32)], color, cv2.LINE_AA)
    coarse = rng.integers(0, 256, (12, 12, 3), dtype=np.uint8)
    colors = cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC)
    return encoded(cv2.addWeighted(shapes, 0.6, colors, 0.5, 0).astype(np.uint8), ".png")


def taken(
    jpeg: bytes, date: str, *, offset: str = "", camera: str = "", place: tuple[float, float] | None = None
) -> bytes:
    """The same JPEG with Exif: the date as Exif writes it, the camera's model, latitude and longitude."""
    block = Image.Exif()
    if camera:
        block[0x0110] = camera
    block.get_ifd(0x8769).update({0x9003: date} | ({0x9011: offset} if offset else {}))
    if place:
        latitude, longitude = ((abs(angle), 0.0, 0.0) for angle in place)
        references = ("S" if place[0] < 0 else "N", "W" if place[1] < 0 else "E")
        block.get_ifd(0x8825).update({1: references[0], 2: latitude, 3: references[1], 4: longitude})
    body = block.tobytes()
    return jpeg[:2] + b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body + jpeg[2:]
