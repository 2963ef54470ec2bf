"""Serve the build of November 2026 over a collection that is filled past HTTP; that build's Python path runs this file.

`python november.py --photographs FOLDER --images N --port P --model-dir DIR`: the folder's photographs come in as any
do, made records follow, and the page answers once all are stored.
"""

import argparse
import runpy
import signal
import threading
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

MIXING = Path(__file__).parents[1] / "embedded_scale" / "mixing.py"
COLLECTION = "default"
# These modules are those of November's build.
Growing: Any = import_module("bench.speed.collection").Growing
serving: Any = import_module("infra.local.__main__").serving
local_cloud: Any = import_module("infra.local.cloud").local_cloud


def mix(growing: Any, size: int) -> None:
    """Add made records with mixed vectors, each with the record and signature of one photograph, up to a size."""
    stored: list[Any] = growing._stored
    usable = [image for image in stored if image.local_features is not None]
    features = np.stack([image.features for image in usable])
    locals_ = np.stack([image.local_features for image in usable])
    mixture = runpy.run_path(str(MIXING))["mixture"]
    mixtures = [mixture(number, len(usable)) for number in range(size - len(stored))]
    vectors = (mixed.of(rows) for mixed in mixtures for rows in (features, locals_))
    # `grow` copies the record that stands at each place from the number of photographs on, and asks for its vectors.
    growing._stored = [*stored, *(usable[mixed.parts[0]] for mixed in mixtures)]
    growing._near = lambda _: next(vectors)
    growing.grow(size)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photographs", type=Path, required=True)
    parser.add_argument("--images", type=int, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--model-dir", type=Path, required=True)
    wanted = parser.parse_args()
    photographs = [path.read_bytes() for path in sorted(wanted.photographs.iterdir())]
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    with local_cloud(wanted.model_dir.resolve()) as cloud:
        with serving(cloud.app, 0) as url:
            mix(Growing(cloud, url, photographs, wanted.model_dir, COLLECTION), wanted.images)
        with serving(cloud.app, wanted.port):
            ended.wait()


if __name__ == "__main__":
    main()
