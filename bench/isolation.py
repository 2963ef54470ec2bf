"""The cost of decoding each image in a process of its own: `python -m bench.isolation`.

Does the same work with and without the sandbox, alternately, in one run. Prints the tables and writes
bench/results/isolation.md.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Final
from unittest.mock import patch

import httpx
import numpy as np

from bench.hostile import ROOT, Gauntlet, table
from infra.local.cloud import local_cloud
from infra.local.serving import serving
from shared.vision.decode import decoders, decoding
from shared.vision.opencv import cv2

RESULTS: Final = ROOT / "bench" / "results" / "isolation.md"
DECODED: Final = ((1, 1), (512, 512), (1920, 1080), (4000, 3000))
INGESTED: Final = ((512, 512), (1920, 1080))
ROUNDS: Final = 10
COLUMNS: Final = ("in a process of its own", "in this process", "difference", "ratio")
WITHOUT_SANDBOX: Final = SimpleNamespace(decode=lambda data, **_: decoders.decode_stacked(data), peak_memory=0)


def photograph(width: int, height: int, seed: int = 0) -> bytes:
    """Return a JPEG of smooth random colours."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (max(1, height // 40), max(1, width // 40), 3), dtype=np.uint8)
    return cv2.imencode(".jpg", cv2.resize(coarse, (width, height)))[1].tobytes()


def compared(name: str, work: Callable[[bytes], Sequence[float]], images: Sequence[bytes]) -> list[tuple[str, ...]]:
    """Return rows of the medians of the seconds that `work` returns, with and without the sandbox alternately."""
    times = []
    for number, data in enumerate(images):
        with patch.object(decoding, "SANDBOX", WITHOUT_SANDBOX) if number % 2 else nullcontext():
            times.append(work(data))
    sandboxed, direct = (np.median(times[first::2], axis=0) for first in (2, 3))
    return [
        (name, *(f"{seconds * 1000:.1f} ms" for seconds in (a, b, a - b)), f"{a / b:.2f}")
        for a, b in zip(sandboxed, direct, strict=True)
    ]


def timed_decode(data: bytes) -> tuple[float]:
    started = time.perf_counter()
    decoding.decode(data)
    return (time.perf_counter() - started,)


def decoding_table() -> list[str]:
    """Measure decoding alone; return the table."""
    rows = [
        row
        for width, height in DECODED
        for row in compared(f"{width} x {height}", timed_decode, [photograph(width, height)] * (2 * ROUNDS + 2))
    ]
    return table(("decoding a JPEG", *COLUMNS), rows)


def system_table(gauntlet: Gauntlet) -> list[str]:
    """Measure the ingest handler and a search request, each time with a new image; return the table."""

    def ingest_and_search(data: bytes) -> tuple[float, float]:
        result = gauntlet.run("made", data)
        return result.ingest_s, result.search_s

    rows = []
    for width, height in INGESTED:
        images = [photograph(width, height, seed) for seed in range(2 * ROUNDS + 2)]
        ingest, search = compared(f"{width} x {height}", ingest_and_search, images)
        rows += [(f"ingest, {ingest[0]}", *ingest[1:]), (f"search, {search[0]}", *search[1:])]
    return table(("one JPEG through the running system", *COLUMNS), rows)


def start_time() -> str:
    """Measure the start of the helper process; return a sentence."""
    image = photograph(1, 1)
    decoding.SANDBOX.close()
    first, second = timed_decode(image)[0], timed_decode(image)[0]
    return f"Starting the helper process, once for each environment: {(first - second) * 1000:.0f} ms."


def main() -> int:
    argparse.ArgumentParser(prog="python -m bench.isolation", description=__doc__).parse_args()
    with (
        local_cloud(ROOT / ".build" / "model") as cloud,
        serving(cloud.app, 0) as url,
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        lines = [*decoding_table(), *system_table(Gauntlet(cloud, client)), start_time()]
    page = "\n".join(["# What a process for each image costs", "", f"Medians of {ROUNDS}.", "", *lines, ""])
    print(page)
    RESULTS.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
