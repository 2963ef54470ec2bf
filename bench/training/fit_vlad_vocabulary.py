"""Fit the visual words of the local features, and their axes: `python -m bench.training.fit_vlad_vocabulary`.

The data are the photographs in scikit-image's wheel: words are fitted on the photographs as they are, mirrored and
rotated, axes on crops of them. No benchmark uses them as queries.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from skimage.data import data_dir

from shared.domain.errors import PictureRefused
from shared.domain.features import LOCAL_DIMENSIONS
from shared.vision.decode.decoding import decode
from shared.vision.keypoints import MAX_KEYPOINTS, QUERY_KEYPOINTS, detect
from shared.vision.local_features import AXES_SCALE, VOCABULARY, WORDS_SCALE, normalise_rows, to_signs
from shared.vision.opencv import cv2
from shared.vision.pixels import Pixels

SEED: Final = 0
COUNT: Final = 32
DESCRIPTORS: Final = 20_000
ROUNDS: Final = 8
LEAST_SIDE: Final = 120
CROPS: Final = 40
FEWEST: Final = 30
"""Minimum number of keypoints in a crop that is used."""

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
    """Cluster by Lloyd's algorithm; a mean without members is reset to a random value."""
    means = values[rng.choice(len(values), count, replace=False)].copy()
    for _ in range(ROUNDS):
        nearest = (values @ means.T - (means**2).sum(axis=1) / 2).argmax(axis=1)
        for place in range(count):
            members = values[nearest == place]
            means[place] = members.mean(axis=0) if len(members) else values[rng.integers(len(values))]
    return means


def crops(gray: Pixels, rng: np.random.Generator) -> list[Pixels]:
    """Return random crops with 0.3 to 1 times the image's sides, rotated by quarter turns, every other one mirrored."""
    found = []
    for place in range(CROPS):
        height, width = (int(side * share) for share in [rng.uniform(0.3, 1)] for side in gray.shape)
        top, left = rng.integers(0, gray.shape[0] - height + 1), rng.integers(0, gray.shape[1] - width + 1)
        part = gray[top : top + height, left : left + width]
        part = np.rot90(part[:, ::-1] if place % 2 else part, int(rng.integers(4)))
        found.append(np.ascontiguousarray(part))
    return found


def parts(descriptors: Sequence[npt.NDArray[np.uint8]], words: Values) -> Values:
    """Return the sums of each image's residuals (bits minus nearest word) by word: (images, words, 256)."""
    nearest_bits = np.where(words > 0, 1, -1).astype(np.float32)
    found = np.zeros((len(descriptors), *words.shape), np.float32)
    for place, of_one in enumerate(descriptors):
        bits = to_signs(of_one)
        nearest = (bits @ nearest_bits.T).argmax(axis=1)
        np.add.at(found[place], nearest, bits - words[nearest])
    return found


def first_axes(parts: Values, count: int) -> Values:
    """Return the `count` directions in which the parts of one word vary most, as columns: an uncentred PCA."""
    return np.linalg.eigh(parts.T @ parts)[1][:, ::-1][:, :count].astype(np.float32)


def main() -> None:
    rng = np.random.default_rng(SEED)
    images = photographs()
    views = [view for gray in images for view in (gray, gray[:, ::-1], np.rot90(gray))]
    found = [detect(np.ascontiguousarray(view), QUERY_KEYPOINTS).descriptors for view in views]
    bits = to_signs(np.vstack(found))
    means = k_means(bits[rng.choice(len(bits), DESCRIPTORS, replace=False)], COUNT, rng)
    words = np.rint(means * WORDS_SCALE).astype(np.int8)
    seen = [detect(crop, MAX_KEYPOINTS).descriptors for gray in images for crop in crops(gray, rng)]
    means = words.astype(np.float32) / np.float32(WORDS_SCALE)
    rooted = normalise_rows(parts([of_one for of_one in seen if len(of_one) >= FEWEST], means))
    axes = np.stack([first_axes(rooted[:, word], LOCAL_DIMENSIONS // COUNT) for word in range(COUNT)])
    np.savez_compressed(VOCABULARY, words=words, axes=np.clip(np.rint(axes * AXES_SCALE), -127, 127).astype(np.int8))
    print(
        f"{COUNT} words of {len(bits)} descriptors in {len(views)} views, axes from {len(rooted)} crops -> {VOCABULARY}"
    )


if __name__ == "__main__":
    main()
