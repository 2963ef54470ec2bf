"""Count the images for which libraries compute the same pHash: `python -m bench.perceptual_hashes FOLDER`.

imagehash is called. perception, imagededup and OpenCV's `img_hash` bring PyTorch or another OpenCV, so their
definitions are repeated here, as in perception 0.9.3, imagededup 0.3.3 and OpenCV 4.12 (equal to
`cv2.img_hash.pHash` for 120 of 120 images).
"""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import imagehash
import numpy as np
from PIL import Image

from shared.vision.opencv import cv2
from shared.vision.phash import perceptual_hash

SIDE, LOW = 32, 8
Bits = Any


def _cosines(gray: Any) -> Any:
    """The lowest frequencies of a gray image of 32 x 32, scaled as SciPy's transform is: OpenCV's is orthonormal."""
    low = cv2.dct(gray.astype(np.float64))[:LOW, :LOW]
    low[0] *= np.sqrt(2)
    low[:, 0] *= np.sqrt(2)
    return low.reshape(-1)


def _read(path: Path) -> Any:
    return cv2.imread(str(path))


def _gray(path: Path) -> Any:
    return cv2.cvtColor(cv2.cvtColor(_read(path), cv2.COLOR_BGR2RGB), cv2.COLOR_RGB2GRAY)


def _ours(path: Path) -> Bits:
    return np.unpackbits(np.frombuffer(bytes.fromhex(perceptual_hash(_gray(path))), np.uint8)).astype(bool)


def _imagehash(path: Path) -> Bits:
    return imagehash.phash(Image.open(path)).hash.reshape(-1)


def _perception(path: Path) -> Bits:
    low = _cosines(cv2.resize(_gray(path), (SIDE, SIDE), interpolation=cv2.INTER_AREA))
    return low >= np.median(low)


def _imagededup(path: Path) -> Bits:
    low = _cosines(np.asarray(Image.open(path).resize((SIDE, SIDE), Image.Resampling.LANCZOS).convert("L")))
    return low >= np.median(low[1:])


def _opencv(path: Path) -> Bits:
    small = cv2.resize(_read(path), (SIDE, SIDE), interpolation=cv2.INTER_LINEAR_EXACT)
    low = cv2.dct(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY).astype(np.float32))[:LOW, :LOW].reshape(-1)
    low[0] = 0
    return np.unpackbits(np.packbits(low > low.mean(), bitorder="little"))  # the first bit is the last of its byte


LIBRARIES: Final[Mapping[str, Callable[[Path], Bits]]] = {
    "PicTrace": _ours,
    "imagehash": _imagehash,
    "perception": _perception,
    "imagededup": _imagededup,
    "OpenCV img_hash": _opencv,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.perceptual_hashes", description=__doc__)
    parser.add_argument("folder", type=Path, help="JPEGs")
    parser.add_argument("--limit", type=int, default=120, help="number of images (default: 120)")
    wanted = parser.parse_args()
    paths = sorted(wanted.folder.rglob("*.jpg"))[: wanted.limit]
    found = {name: np.stack([compute(path) for path in paths]) for name, compute in LIBRARIES.items()}
    print(f"{len(paths)} images: equal hashes; mean and most bits of 64 that differ\n")
    print(f"| | {' | '.join(found)} |\n|{'---|' * (len(found) + 1)}")
    for name, one in found.items():
        cells = []
        for other in found.values():
            bits = np.count_nonzero(one != other, axis=1)
            cells.append(f"{np.count_nonzero(bits == 0)}; {bits.mean():.1f}, {bits.max()}")
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
