"""Cold starts of the functions: a new process for each measurement, under Lambda's own runtime client."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, Final

from bench.speed import shipped
from bench.speed.events import Events
from bench.speed.report import Floor, Part
from bench.speed.runtime_api import Function, running
from infra.local.cloud import API, INGEST, LocalCloud
from shared.domain.limits import MIB
from shared.domain.model_card import MODEL_FILE

BARE: Final = "bench.speed.bare.handler"
OF_BARE: Final = 1.2
MOST_MEMORY_MB: Final = 500
SAMPLED_EVERY: Final = 0.004

Steps = Callable[[Function], list[float]]


def measure(cloud: LocalCloud, images: list[bytes], rounds: int) -> Part:
    """Measure init, first and second answer and peak memory of api and ingest, and compare api's init with imports."""
    events = Events(cloud, images, "starts")
    ways: dict[str, tuple[str, Steps]] = {
        "bare imports": (BARE, lambda function: [function.call({})[0]]),
        "api, `GET /health`": (API, lambda function: _twice(function, events.health)),
        "api, search": (API, lambda function: _twice(function, events.search)),
        "ingest, one image": (INGEST, lambda function: _twice(function, events.arrival)),
    }
    taken: dict[str, list[list[float]]] = {name: [] for name in ways}
    with TemporaryDirectory() as folder:
        python = shipped.interpreter(Path(folder))
        for _ in range(rounds):
            for name, (handler, steps) in ways.items():
                with running(handler, python) as function:
                    taken[name].append([function.init_ms, *steps(function)])
        light = _is_light(events, python)
        peaks = {name: _peak(handler, python, steps) for name, (handler, steps) in ways.items()}
    middle = {name: [median(column) for column in zip(*rows, strict=True)] for name, rows in taken.items()}
    rows = [
        (
            name,
            *(f"{ms:.0f}" for ms in times),
            *([""] * (3 - len(times))),
            f"{peaks[name]:.0f}",
        )
        for name, times in middle.items()
    ]
    init = middle["api, `GET /health`"][0] / middle["bare imports"][0]
    peak = max(peaks.values())
    return Part(
        "Cold start",
        ("a new process", "init, ms", "first answer, ms", "second answer, ms", "peak memory, MB"),
        rows,
        [
            Floor("api init against bare imports", f"at most {OF_BARE}", f"{init:.2f}", init <= OF_BARE),
            Floor("`GET /health` never loads the model", "never", "never" if light else "it does", light),
            Floor("peak memory of both functions", f"under {MOST_MEMORY_MB} MB", f"{peak:.0f}", peak < MOST_MEMORY_MB),
        ],
        (
            "`python -m awslambdaric HANDLER`, with what the image ships and nothing else, against a stand-in for the "
            "Lambda Runtime API; S3, DynamoDB and SQS are the emulator's, in another process. Init ends when the "
            "runtime asks for its first event. Bare imports: boto3, OpenCV, NumPy, FastAPI, Mangum and Powertools, in "
            "a handler that does nothing. Memory is of the process and its children, the decoder's included, what "
            "they share counted once, sampled every 4 ms in a run of its own.",
        ),
        {
            "api_init_ms": middle["api, `GET /health`"][0],
            "api_first_search_ms": middle["api, search"][1],
            "api_search_ms": middle["api, search"][2],
            "ingest_init_ms": middle["ingest, one image"][0],
            "ingest_first_ms": middle["ingest, one image"][1],
        },
    )


def _twice(function: Function, event: Callable[[], Any]) -> list[float]:
    times = []
    for shown in (event(), event()):
        ms, answer = function.call(shown)
        if answer.get("statusCode", 200) != 200 or answer.get("batchItemFailures"):
            raise SystemExit(f"the function answered {json.dumps(answer)[:500]}")
        times.append(ms)
    return times


def _is_light(events: Events, python: str) -> bool:
    """Return whether the model is not loaded before the first search."""
    with running(API, python) as function:
        function.call(events.health())
        before = function.maps(MODEL_FILE) or function.maps("ai_edge_litert")
        function.call(events.search())
        if not function.maps("ai_edge_litert"):
            raise SystemExit("the model is not found in memory after a search either, so the check proves nothing")
    return not before


def _peak(handler: str, python: str, steps: Steps) -> float:
    """Return the peak memory of the process and its children, in MB."""
    with running(handler, python) as function, _sampled(function) as most:
        steps(function)
    return max(most) / MIB


@contextmanager
def _sampled(function: Function) -> Iterator[list[int]]:
    most = [function.memory()]
    stop = threading.Event()

    def sample() -> None:
        while not stop.wait(SAMPLED_EVERY):
            most[0] = max(most[0], function.memory())

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield most
    finally:
        stop.set()
        thread.join()
