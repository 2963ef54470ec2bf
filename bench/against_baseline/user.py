"""What a user of either build does: send images, and search with copies and with strangers."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from statistics import median

from bench.against_baseline.builds import Running

SENDERS = 8
"""Files in progress at a time."""
ROUNDS = 5
"""Turns of each build with several callers."""


@dataclass(frozen=True, slots=True)
class Ingest:
    """Images that came in: how many a second, and the processor seconds of each."""

    images_a_second: float
    processor_seconds: float


def send(target: Running, images: Sequence[bytes]) -> Ingest:
    """Upload images by presigned POST and wait until each is indexed.

    Raises:
        RuntimeError: an image was refused.
    """
    used, started = target.processor_seconds(), time.perf_counter()
    with ThreadPoolExecutor(SENDERS) as pool:
        list(pool.map(partial(_send, target), images))
    seconds = time.perf_counter() - started
    return Ingest(len(images) / seconds, (target.processor_seconds() - used) / len(images))


def _send(target: Running, data: bytes) -> None:
    wanted = {"filename": "image.jpg", "content_type": "image/jpeg"}
    form = target.client.post("/v1/uploads", json=wanted).raise_for_status().json()
    files = {"file": ("image.jpg", data, "image/jpeg")}
    target.client.post(form["url"], data=form["fields"], files=files).raise_for_status()
    while True:
        state = target.client.get(f"/v1/uploads/{form['upload_id']}").raise_for_status().json()
        if state["status"] != "pending":
            break
        time.sleep(0.1)
    if state["status"] not in ("indexed", "duplicate"):
        raise RuntimeError(f"An image was refused: {state}")


@dataclass(frozen=True, slots=True)
class Searches:
    """Searches in a row: median milliseconds, processor milliseconds of each, and the share with a copy first."""

    milliseconds: float
    processor: float
    found: float


def search_in_turns(targets: Sequence[Running], queries: Sequence[bytes]) -> dict[str, Searches]:
    """Search with each query at each build in turn."""
    taken: dict[str, list[float]] = {target.build.name: [] for target in targets}
    used, found = dict.fromkeys(taken, 0.0), dict.fromkeys(taken, 0)
    for turn, query in enumerate(queries):
        for target in _in_turn(targets, turn):
            name, before, started = target.build.name, target.processor_seconds(), time.perf_counter()
            found[name] += _search(target, query)
            taken[name].append((time.perf_counter() - started) * 1000)
            used[name] += target.processor_seconds() - before
    return {
        name: Searches(median(times), used[name] * 1000 / len(queries), found[name] / len(queries))
        for name, times in taken.items()
    }


def searches_a_second(targets: Sequence[Running], queries: Sequence[bytes], callers: int = 8) -> dict[str, float]:
    """Search with all queries, several callers at once, in turns; return the median of `ROUNDS` for each build."""
    rates: dict[str, list[float]] = {target.build.name: [] for target in targets}
    for turn in range(ROUNDS):
        for target in _in_turn(targets, turn):
            started = time.perf_counter()
            with ThreadPoolExecutor(callers) as pool:
                list(pool.map(partial(_search, target), queries))
            rates[target.build.name].append(len(queries) / (time.perf_counter() - started))
    return {name: median(found) for name, found in rates.items()}


def _in_turn(targets: Sequence[Running], turn: int) -> Sequence[Running]:
    """Return the builds in the order of a turn, which is the other one in every second."""
    return targets if turn % 2 else targets[::-1]


def _search(target: Running, data: bytes) -> bool:
    answer = target.client.post("/v1/search", files={"file": ("query.jpg", data, "image/jpeg")})
    matches = answer.raise_for_status().json()["matches"]
    return bool(matches) and matches[0]["verdict"] in ("identical", "near-duplicate")
