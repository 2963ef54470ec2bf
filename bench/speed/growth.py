"""Searches as the collection grows, compared with the legacy method, in the local cloud over HTTP."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import httpx
import numpy as np

from bench.speed.collection import NEAREST, GrowingCollection
from bench.speed.images import recompressed, synthetic_image
from bench.speed.report import Floor, Part
from bench.speed.rerank import OpenCV

SIZES: Final = (100, 1_000, 5_000, 10_000)
LEGACY_UP_TO: Final = 5_000
CALLERS: Final = 8
CALLERS_FROM: Final = 1_000
NEVER_STORED: Final = 9_000
"""Synthetic images from this number on are never stored."""
INDEX_MS: Final = 50.0
GROWTH: Final = 1.2


def measure(growing: GrowingCollection, url: str, rounds: int, sizes: Sequence[int] = SIZES) -> list[Part]:
    """Report the ingest of the first images, then measure searches at every size."""
    rows, steady, index, times = [], [], [], []
    with httpx.Client(base_url=url, timeout=300) as client:
        search = _search(client, growing)
        for size in sizes:
            growing.grow(size)
            search(0)
            copy, rest = zip(*[search(number) for number in range(rounds)], strict=True)
            none = [search(number, unseen=True)[0] for number in range(rounds)]
            at_once = _at_once(search, rounds) if size >= CALLERS_FROM else []
            nearest = [growing.nearest(number) for number in range(rounds)]
            legacy = _legacy_method(growing, size) if size <= LEGACY_UP_TO else None
            steady.append(float(np.median(rest)))
            index.append(float(np.median(nearest)))
            times += [legacy / float(np.median(copy))] if legacy else []
            rows.append(
                (
                    f"{size:,}",
                    *_middle_and_slow(copy),
                    f"{steady[-1]:.0f}",
                    *_middle_and_slow(none),
                    *(_middle_and_slow(at_once) if at_once else ("", "")),
                    f"{index[-1]:.1f}",
                    *((f"{legacy:,.0f}", f"{times[-1]:.1f}") if legacy else ("", "")),
                )
            )
    growth = steady[-1] / steady[0]
    return [_arrivals(growing), _searches(growing, sizes, rows, growth, index[-1], times)]


def _arrivals(growing: GrowingCollection) -> Part:
    rate = len(growing.images) / growing.seconds
    return Part(
        "Ingest on the local cloud",
        ("images", "seconds", "images a second"),
        [(str(len(growing.images)), f"{growing.seconds:.1f}", f"{rate:.1f}")],
        (),
        (
            "From the presigned POST of the first to the record of the last, four uploads at once, one ingest "
            "function; the emulator, the API and the ingest function share one process.",
        ),
        {"local_ingest_per_second": rate},
    )


def _searches(
    growing: GrowingCollection,
    sizes: Sequence[int],
    rows: Sequence[Sequence[str]],
    growth: float,
    index: float,
    times: Sequence[float],
) -> Part:
    last, compared = f"{sizes[-1]:,}", f"{max(size for size in sizes if size <= LEGACY_UP_TO):,}"
    return Part(
        "A search as the collection grows",
        (
            "images",
            "a copy: p50, ms",
            "p95",
            "of it without the index",
            "no copy: p50, ms",
            "p95",
            f"{CALLERS} callers at once: p50, ms",
            "p95",
            f"SearchVectors alone, {NEAREST} nearest, ms",
            "the ancestor, ms",
            "times ours",
        ),
        rows,
        [
            Floor(
                f"search at {last} images against at {sizes[0]:,}, without the index",
                f"at most {GROWTH}",
                f"{growth:.2f}",
                growth <= GROWTH,
            ),
            Floor(f"SearchVectors at {last} images", f"under {INDEX_MS:g} ms", f"{index:.1f} ms", index < INDEX_MS),
            Floor(f"search at {compared} images against the ancestor", "faster", f"{times[-1]:.1f}", times[-1] > 1),
        ],
        (
            "Over HTTP, everything on this machine: `POST /v1/search` with the bytes of a recompressed copy, or of a "
            "image that is not there, which is looked for longer. Without the index: `took_ms` less `candidates`. "
            f"The first {len(growing.images)} images came in as any do; the others are their records and "
            "signatures under new ids, with vectors a little beside theirs, put past HTTP.",
            "The ancestor reads every image from S3, decodes it, makes it 256 x 256 and gray, and takes the mean of "
            "scikit-image's SSIM and the ratio of matched ORB keypoints (OpenCV's). It was measured on the first "
            f"{len(growing.images)} images at each size, and multiplied.",
        ),
        {"search_growth": growth, "index_ms": index, "ancestor_times": times[-1]},
    )


def _search(client: httpx.Client, growing: GrowingCollection) -> Callable[..., tuple[float, float]]:
    def search(number: int, *, unseen: bool = False) -> tuple[float, float]:
        """Return the milliseconds of a search, and its total in `took_ms` without the candidates stage."""
        stored = growing.images[number % len(growing.images)]
        data = synthetic_image(NEVER_STORED + number) if unseen else recompressed(stored)
        started = time.perf_counter()
        answer = client.post("/v1/search", params={"collection": growing.name}, files={"file": ("query.jpg", data)})
        taken = (time.perf_counter() - started) * 1000
        took: dict[str, float] = answer.raise_for_status().json()["took_ms"]
        return taken, took["total"] - took["candidates"]

    return search


def _at_once(search: Callable[[int], tuple[float, float]], rounds: int) -> list[float]:
    with ThreadPoolExecutor(CALLERS) as callers:
        return [taken for taken, _ in callers.map(search, range(rounds * 2))]


def _legacy_method(growing: GrowingCollection, size: int) -> float:
    """Return the milliseconds that the legacy method takes for `size` images, extrapolated from the first images."""
    keys = growing.keys()
    query = OpenCV(recompressed(growing.images[0]))
    started = time.perf_counter()
    scores = sorted((query.compare(growing.read(key)), key) for key in keys)
    taken = (time.perf_counter() - started) * 1000
    if scores[-1][0] <= scores[-2][0]:
        raise SystemExit("the legacy method did not find the image")
    return taken * size / len(keys)


def _middle_and_slow(taken: Sequence[Any]) -> tuple[str, str]:
    return f"{np.median(taken):.0f}", f"{np.percentile(taken, 95):.0f}"
