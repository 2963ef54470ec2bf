"""Images for measurements: those of a folder, or synthetic ones."""

from pathlib import Path
from typing import Final

import numpy as np

from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels

QUALITY: Final = 90
BOXES: Final = 200
LARGE: Final = (4000, 3000)


def chosen(folder: Path | None, count: int) -> tuple[str, list[bytes]]:
    """Return a description of the images, and `count` of them as JPEGs.

    Where there are too few photographs, as many of them as needed are cut into quarters, which show different things.
    """
    paths = sorted(folder.glob("*.jpg")) if folder is not None and folder.is_dir() else []
    if count <= len(paths):
        step = len(paths) // count
        return "photographs of at most 512 pixels a side", [path.read_bytes() for path in paths[::step][:count]]
    if paths:
        cut = min(len(paths), -(-(count - len(paths)) // 3))
        parts = [part for path in paths[:cut] for part in quarters(path.read_bytes())]
        images = [*(path.read_bytes() for path in paths[cut:]), *parts][:count]
        return f"photographs of at most 512 pixels a side, of which {cut} are cut into quarters of that size", images
    return "made images of 512 x 384 pixels", [synthetic_image(seed) for seed in range(count)]


def quarters(data: bytes) -> list[bytes]:
    """Return the four quarters of an image, each enlarged to its size."""
    whole = _decoded(data)
    height, width = whole.shape[0] // 2, whole.shape[1] // 2
    cut = [whole[y : y + height, x : x + width] for y in (0, height) for x in (0, width)]
    size = (2 * width, 2 * height)
    return [jpeg(cv2.resize(part, size, interpolation=cv2.INTER_CUBIC)) for part in cut]  # type: ignore[arg-type]


def synthetic_image(seed: int, width: int = 512, height: int = 384) -> bytes:
    """Return a JPEG of smooth noise and sharp boxes of many sizes, with as many keypoints as a photograph."""
    rng = np.random.default_rng(seed)
    total = np.zeros((height, width, 3), np.float32)
    for scale in (4, 8, 16, 32, 64):
        coarse = rng.normal(0, scale, (-(-height // scale), -(-width // scale), 3)).astype(np.float32)
        total += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    rgb = np.clip(128 + total, 0, 255).astype(np.uint8)
    for _ in range(BOXES):
        x, y, side = (int(rng.integers(0, most)) for most in (width, height, min(width, height) // 8))
        colour = tuple(int(value) for value in rng.integers(0, 256, 3))
        cv2.rectangle(rgb, (x, y), (x + side, y + side // 2), colour, -1)
    return jpeg(rgb)


def jpeg(rgb: Pixels) -> bytes:
    done, encoded = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    if not done:
        raise RuntimeError("OpenCV could not encode a JPEG")
    return encoded.tobytes()


def recompressed(data: bytes) -> bytes:
    """Return a copy as another site might show it: half the size, compressed again as a JPEG."""
    return jpeg(cv2.resize(_decoded(data), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))  # type: ignore[arg-type]


def enlarged(data: bytes) -> bytes:
    """Return the image enlarged to 12 megapixels, the size of a camera's photographs."""
    return jpeg(cv2.resize(_decoded(data), LARGE, interpolation=cv2.INTER_CUBIC))  # type: ignore[arg-type]


def _decoded(data: bytes) -> Pixels:
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)  # type: ignore[return-value]
