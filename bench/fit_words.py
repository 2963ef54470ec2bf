"""Make the visual words of the local features: `python -m bench.fit_words`.

From the photographs in scikit-image's wheel, as they are, mirrored and turned; no bench ever searches for them.
"""

from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from skimage.data import data_dir

from shared.domain.errors import PictureRefused
from shared.vision.channels import Pixels
from shared.vision.decoding import decode
from shared.vision.keypoints import QUERY_KEYPOINTS, detect
from shared.vision.local_features import HUNDREDTHS, WORDS, as_signs
from shared.vision.opencv import cv2

SEED: Final = 0
COUNT: Final = 128
DESCRIPTORS: Final = 20_000
ROUNDS: Final = 8
LEAST_SIDE: Final = 120

Values = npt.NDArray[np.float32]


def photographs() -> list[Pixels]:
    found: list[Pixels] = []
    for path in sorted(path for path in Path(data_dir).iterdir() if path.is_file()):
        try:
            rgb = decode(path.read_bytes()).rgb
        except PictureRefused:
            continue
        if min(rgb.shape[:2]) >= LEAST_SIDE:
            found.append(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.uint8))
    return found


def k_means(values: Values, count: int, rng: np.random.Generator) -> Values:
    """Lloyd's algorithm; a mean that has lost all its members starts again at one of the values."""
    means = values[rng.choice(len(values), count, replace=False)].copy()
    for _ in range(ROUNDS):
        nearest = (values @ means.T - (means**2).sum(axis=1) / 2).argmax(axis=1)
        for place in range(count):
            members = values[nearest == place]
            means[place] = members.mean(axis=0) if len(members) else values[rng.integers(len(values))]
    return means


def main() -> None:
    rng = np.random.default_rng(SEED)
    views = [view for gray in photographs() for view in (gray, gray[:, ::-1], np.rot90(gray))]
    found = [detect(np.ascontiguousarray(view), QUERY_KEYPOINTS).descriptors for view in views]
    bits = as_signs(np.vstack(found))
    means = k_means(bits[rng.choice(len(bits), DESCRIPTORS, replace=False)], COUNT, rng)
    np.save(WORDS, np.rint(means * HUNDREDTHS).astype(np.int8))
    print(f"{COUNT} words of {len(bits)} descriptors in {len(views)} views -> {WORDS}")


if __name__ == "__main__":
    main()
