"""Compute on one processor what is compared with another: `python -m infra.container.probe`.

It only needs what the functions ship, since the emulated Python has nothing else.
"""

import argparse
import importlib
import pkgutil
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

SIZES: Final = ((150, 190), (360, 480))
"""Height and width of the drawn images in pixels: one is enlarged for the network, and one is shrunk."""


def import_all(packages: list[str], excluded: list[str]) -> int:
    """Import every module of these packages.

    Args:
        excluded: packages to skip, with everything below them.

    Returns:
        The number of modules.

    Raises:
        ImportError: a module cannot be imported.
    """
    names = [name for package in packages for name in _modules(package, excluded)]
    for name in names:
        importlib.import_module(name)
    return len(names)


def draw() -> "list[npt.NDArray[np.uint8]]":
    """Draw RGB images of `SIZES`, uint8, with integer arithmetic only, so that all processors draw the same bytes."""
    import numpy as np

    drawn = []
    for height, width in SIZES:
        y, x = np.mgrid[0:height, 0:width]
        tiles = (x // 24 * 7919 + y // 24 * 104729) * 2654435761 >> 7
        rings = ((x - 90) ** 2 + (y - 60) ** 2) // 90
        drawn.append((np.dstack([tiles + rings, (tiles >> 8) + x // 3, (tiles >> 16) + y]) % 256).astype(np.uint8))
    return drawn


def describe(rgb: "npt.NDArray[np.uint8]", model_dir: Path) -> "dict[str, npt.NDArray[Any]]":
    """Compute what ingest computes from an image's pixels, by name."""
    import numpy as np

    from shared.vision import signature
    from shared.vision.embedding import Embedder
    from shared.vision.local_features import vlad_encode
    from shared.vision.phash import perceptual_hash
    from shared.vision.sharpness import sharpness

    extracted = signature.extract(rgb)
    return {
        "features": np.asarray(Embedder(model_dir, threads=1).embed(rgb).features),
        "gray pixels": extracted.gray,
        "histogram": extracted.histogram,
        "positions of keypoints": extracted.keypoints.points,
        "descriptors": extracted.keypoints.descriptors,
        "local features": np.asarray(vlad_encode(extracted.keypoints.descriptors)),
        "perceptual hash": np.asarray(perceptual_hash(extracted.gray)),
        "sharpness": np.asarray(sharpness(rgb)),
    }


def _modules(package: str, excluded: list[str]) -> Iterator[str]:
    yield package
    for found in pkgutil.iter_modules(importlib.import_module(package).__path__, f"{package}."):
        if found.name in excluded or found.name.endswith(".__main__"):
            continue
        if found.ispkg:
            yield from _modules(found.name, excluded)
        else:
            yield found.name


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m infra.container.probe")
    parser.add_argument("--import", dest="packages", nargs="+", default=[])
    parser.add_argument("--without", nargs="+", default=[])
    parser.add_argument("--model-dir", type=Path)
    parser.add_argument("--out", type=Path, help="file for the results, .npz")
    wanted = parser.parse_args()
    if platform.machine() == "aarch64" and "CPU implementer" not in Path("/proc/cpuinfo").read_text(encoding="utf-8"):
        raise SystemExit("/proc/cpuinfo describes another processor; see infra/container/emulation.py")
    if wanted.packages:
        print(import_all(wanted.packages, wanted.without))
    if wanted.out:
        import numpy as np

        computed = [describe(image, wanted.model_dir) for image in draw()]
        named = {f"{name} of image {n}": value for n, one in enumerate(computed, 1) for name, value in one.items()}
        np.savez(wanted.out, **named)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
