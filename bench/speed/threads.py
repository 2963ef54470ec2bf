"""The number of threads that LiteRT should have, by the number of processors that the process may use."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bench.speed.report import Part
from bench.speed.timing import side_by_side
from shared.vision.cpu import available_cpus
from shared.vision.decode.decoders import decode_in_process
from shared.vision.embedding import SIDE, Embedder
from shared.vision.resizing import resize_square

IN_A_ROW: Final = 4
MOST: Final = 6
"""The number of processors that Lambda provides at its largest memory size."""


def measure(model_dir: Path, images: list[bytes], rounds: int) -> Part | None:
    """Measure numbers of threads on numbers of processors; return None if a process cannot be pinned to processors."""
    if not hasattr(os, "sched_setaffinity"):
        return None
    squares = [resize_square(decode_in_process(data).rgb, SIDE) for data in images]
    most = min(MOST, available_cpus())
    rows = []
    figures = {}
    for processors in range(1, most + 1):
        with _kept_to(processors):
            ways = {threads: Embedder(model_dir, threads=threads).embed for threads in sorted({1, processors, most})}
            taken = side_by_side(
                {str(threads): way for threads, way in ways.items()}, squares, rounds=rounds, in_a_row=IN_A_ROW
            )
        for threads in ways:
            ms = taken[str(threads)]
            rows.append(
                (str(processors), str(threads), f"{ms:.1f}", f"{taken['1'] / ms:.2f}", f"{processors * ms:.1f}")
            )
            figures[f"inference_{processors}_processors_{threads}_threads_ms"] = ms
    return Part(
        "Threads of LiteRT",
        ("processors", "threads", "ms an image", "times as fast as one", "processor-ms, which Lambda bills"),
        rows,
        (),
        ("One network, run for one image after another, in a process kept to so many of the machine's processors.",),
        figures,
    )


@contextmanager
def _kept_to(processors: int) -> Iterator[None]:
    """Pin this thread, and threads that it starts inside the block, to the first `processors` processors."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[:processors])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
