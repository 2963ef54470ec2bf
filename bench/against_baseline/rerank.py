"""Processor time of reranking 50 candidates in each build, whose own modules a process of it imports."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Final

from bench.against_baseline.builds import Build

CANDIDATES: Final = 50
TURNS: Final = 7
_PROGRAM: Final = """
import sys, time
from statistics import median
import cv2
from shared.vision.ranking import measure
from shared.vision.signature import extract, pack, unpack

cv2.setNumThreads(1)
images = [cv2.imread(path, cv2.IMREAD_COLOR_RGB) for path in sys.argv[1:]]
query, *stored = [extract(image) for image in images]
packed = [pack(one) for one in stored]
times = []
for _ in range(4):
    started = time.process_time()
    for data in packed:
        measure(query, unpack(data), 0.2)
    times.append(time.process_time() - started)
print(median(times[1:]))
"""
"""Prints the seconds of comparing the first of the named images with the others. Its first turn warms up."""


def rerank_in_turns(builds: Sequence[Build], images: Sequence[bytes]) -> dict[str, float]:
    """Return the processor milliseconds that comparing an image with 50 others takes in one thread of each build."""
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for place, data in enumerate(images[: CANDIDATES + 1]):
            paths.append(Path(folder) / f"{place}.jpg")
            paths[-1].write_bytes(data)
        turns = [{build.name: _seconds(build, paths) for build in builds} for _ in range(TURNS)]
    return {build.name: 1000 * median(turn[build.name] for turn in turns) for build in builds}


def _seconds(build: Build, paths: Sequence[Path]) -> float:
    command = [sys.executable, "-c", _PROGRAM, *map(str, paths)]
    env = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    printed = subprocess.run(command, cwd=build.root, env=env, check=True, capture_output=True, text=True).stdout
    return float(printed)
