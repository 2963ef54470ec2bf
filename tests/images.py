"""Images for tests: the samples in scikit-image's wheel, and synthetic ones."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
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
    """A PNG that is different for every seed."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (12, 12, 3), dtype=np.uint8)
    return encoded(cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC).astype(np.uint8), ".png")
