"""Images per second, and GB-seconds per image, of an ingest function: by batch size, concurrency and cores.

`python -m bench.speed.throughput CORES FOLDER` measures one number of cores in a process of its own.
"""

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, Final

from bench.cost.use import S3_SECONDS, TABLE_SECONDS, VECTOR_SECONDS
from bench.speed.report import Part
from bench.speed.runtime_api import ROOT
from shared.domain.limits import BATCH_MESSAGES, CONCURRENT_MESSAGES
from shared.vision.cpu import available_cpus

CORE_MB: Final = 1769
"""https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html: a function of this size has one core."""
TRIED: Final = ((1, 1), (5, 1), (5, 5), (10, 1), (10, 2), (10, 5), (10, 10), (20, 10), (20, 20))
"""Messages in a batch, and how many of them are processed concurrently."""

Tried = tuple[int, int]


SETTINGS: Final = {
    "PICTRACE_BUCKET": "images",
    "PICTRACE_TABLE": "t",
    "PICTRACE_BUS": "b",
    "PICTRACE_QUEUE": "https://sqs/q",
    "PICTRACE_PEOPLE_QUEUE": "https://sqs/p.fifo",
    "PICTRACE_DEAD_LETTERS": "https://sqs/d",
    "PICTRACE_FETCH_FUNCTION": "f",
    "PICTRACE_TRASH_DAYS": "30",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "bench",
    "AWS_SECRET_ACCESS_KEY": "bench",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "OPENBLAS_NUM_THREADS": "1",
    "POWERTOOLS_METRICS_DISABLED": "true",
    "POWERTOOLS_LOG_LEVEL": "ERROR",
}
"""Of the function; its model comes to these."""


def measure(model_dir: Path, images: list[bytes], rounds: int) -> Part:
    """Measure batches of each kind in turn, with AWS calls that take the time that the bill assumes."""
    cores = sorted({1, min(2, available_cpus())})
    with TemporaryDirectory() as name:
        folder = Path(name)
        for number, data in enumerate(images):
            (folder / f"{number}.jpg").write_bytes(data)
        found = {count: _in_a_process(model_dir, folder, count, rounds) for count in cores}
    rows = []
    for tried in TRIED:
        row = [str(tried[0]), str(tried[1])]
        for count in cores:
            seconds, processor = found[count][tried]
            row += [f"{1 / seconds:.1f}", f"{seconds * count * CORE_MB / 1024:.3f}", f"{processor * 1000:.0f}"]
        rows.append(row)
    columns = ["messages of a batch", "at once"]
    for count in cores:
        named = f"{count} core{'s' if count > 1 else ''}, {count * CORE_MB:,} MB"
        columns += [f"{named}: images a second", "GB-seconds an image", "processor ms an image"]
    _, processor = found[1][BATCH_MESSAGES, CONCURRENT_MESSAGES]
    return Part(
        "Throughput within one function",
        columns,
        rows,
        (),
        (
            f"The real handler, boto3 included, with calls that take {S3_SECONDS * 1000:.0f} ms (S3), "
            f"{TABLE_SECONDS * 1000:.0f} ms (DynamoDB, the bus) and {VECTOR_SECONDS * 1000:.0f} ms (SearchVectors); "
            f"cores: those the process may use. Chosen: {BATCH_MESSAGES} messages, {CONCURRENT_MESSAGES} at once.",
        ),
        {"image_processor_ms": processor * 1000},
    )


def _in_a_process(model_dir: Path, folder: Path, cores: int, rounds: int) -> dict[Tried, tuple[float, float]]:
    done = subprocess.run(
        [sys.executable, "-m", "bench.speed.throughput", str(cores), str(folder), str(rounds)],
        cwd=ROOT,
        env=os.environ | SETTINGS | {"PICTRACE_MODEL_DIR": str(model_dir.resolve())},
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return {(batch, at_once): (wall, processor) for batch, at_once, wall, processor in json.loads(done.stdout)}


def _measured(images: list[bytes], rounds: int) -> list[tuple[int, int, float, float]]:
    import boto3

    from bench.speed.answers import Answers
    from infra.local.lambda_functions import ingest_with
    from infra.local.queue_worker import FunctionContext, lambda_event

    objects: dict[str, bytes] = {}
    boto3.setup_default_session()
    session: Any = boto3.DEFAULT_SESSION
    session.events.register_first("before-send", Answers(objects).before_send)
    keys = _keys(objects, images)
    context: Any = FunctionContext("ingest")

    def batch(size: int) -> Any:
        messages: list[Any] = [
            {"MessageId": key, "ReceiptHandle": "r", "MD5OfBody": "m", "Body": _event(key)}
            for key, _ in zip(keys, range(size), strict=False)
        ]
        return lambda_event(messages, "arn:aws:sqs:us-east-1:123456789012:queue")

    taken: dict[Tried, list[tuple[float, float]]] = {tried: [] for tried in TRIED}
    order = random.Random(0)  # noqa: S311 - no secret
    for turn in range(rounds + 1):
        for size, at_once in order.sample(TRIED, len(TRIED)):
            event = batch(size)
            with ThreadPoolExecutor(at_once) as threads:
                before, started = _processor_seconds(), time.perf_counter()
                answer = ingest_with(threads, event, context)
                took = time.perf_counter() - started
            if answer["batchItemFailures"]:
                raise SystemExit(f"the function answered {answer}")
            objects.clear()
            if turn:
                taken[size, at_once].append((took / size, (_processor_seconds() - before) / size))
    return [
        (*tried, median(wall for wall, _ in found), median(processor for _, processor in found))
        for tried, found in taken.items()
    ]


def _keys(objects: dict[str, bytes], images: list[bytes]) -> Iterator[str]:
    """Yield keys of images with new bytes: decoders ignore what follows a JPEG's end."""
    number = 0
    while True:
        number += 1
        key = f"uploads/bench/{number:032x}"
        objects[key] = images[number % len(images)] + number.to_bytes(4, "big")
        yield key


def _event(key: str) -> str:
    record = {
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Put",
        "s3": {"bucket": {"name": "images"}, "object": {"key": key, "sequencer": "0055AED6DCD90281E5"}},
    }
    return json.dumps({"Records": [record]})


def _processor_seconds() -> float:
    """Return the processor seconds of this process, of the one that decodes, and of its children."""
    used = os.times()
    return used.user + used.system + sum(map(_of_a_child, Path("/proc/self/task").glob("*/children")))


def _of_a_child(listed: Path) -> float:
    """https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: utime, stime, cutime, cstime."""
    ticks = 0
    for pid in listed.read_text(encoding="ascii").split():
        fields = Path("/proc", pid, "stat").read_text(encoding="ascii").rpartition(")")[2].split()
        ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def main() -> None:
    cores, folder, rounds = int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    images = [path.read_bytes() for path in sorted(folder.glob("*.jpg"))]
    print(json.dumps(_measured(images, rounds)))


if __name__ == "__main__":
    main()
