"""Send hostile files through the ingest handler and through search: `python -m bench.hostile FOLDER`.

FOLDER defaults to `corpus/hostile` in the folder that PICTRACE_EVAL_DATA names. Prints the outcomes and the costs of
the worst files, writes bench/results/hostile.md, and fails if `complaints` or `delays` reports anything.
"""

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import boto3
import httpx
from tqdm import tqdm

from infra.local.cloud import LocalCloud, local_cloud
from infra.local.queue_worker import FunctionContext
from infra.local.serving import serving
from shared.domain.errors import PictureRefused
from shared.domain.images import upload_key
from shared.domain.limits import MIB
from shared.vision.decode.decoding import SANDBOX, decode

ROOT: Final = Path(__file__).resolve().parents[1]
RESULTS: Final = ROOT / "bench" / "results" / "hostile.md"
COLLECTION: Final = "hostile"
SHOWN: Final = 5
KEPT: Final = 5

SECONDS: Final = 5.0
BOMB_SECONDS: Final = 0.1
MEMORY: Final = 512 * MIB
BOMBS: Final = ("too_many_pixels", "too_complex")


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of one file.

    Attributes:
        status: status of its upload according to the API.
        code, reason: why it was refused.
        ingest_s, search_s: wall time of the handler and of the search request, in seconds.
        refusal_s: for a decompression bomb, wall time of its refusal without AWS calls; the shortest of three.
        memory: peak bytes of the decoder's process, plus the growth of this one, which also runs the emulator.
        search: HTTP status of the search with the file.
        search_code: why the search was refused.
    """

    file: str
    status: str
    code: str | None
    reason: str | None
    ingest_s: float
    memory: int
    search: int
    search_code: str | None
    search_s: float
    refusal_s: float = 0.0

    @property
    def outcome(self) -> str:
        return self.code or "stored"


def complaints(result: Result) -> Iterator[str]:
    """Yield what the file did although it must not."""
    stored = result.status in ("indexed", "duplicate")
    if not stored and not (result.status == "rejected" and result.code and result.reason):
        yield f"it ended as {result.status} ({result.code}: {result.reason})"
    if (result.search == httpx.codes.OK) is not stored or result.search >= httpx.codes.INTERNAL_SERVER_ERROR:
        yield f"it is {result.status}, and a search answers {result.search}"
    if result.search_code != result.code:
        yield f"it is refused as {result.code}, and by the search as {result.search_code}"
    if result.memory > MEMORY:
        yield f"it took {result.memory / MIB:.0f} MB"


def delays(result: Result) -> Iterator[str]:
    """Yield what took too long on this machine; tests leave this out, because they may share the machine."""
    if max(result.ingest_s, result.search_s) > SECONDS:
        yield f"it took {result.ingest_s:.1f} s and {result.search_s:.1f} s"
    if result.refusal_s > BOMB_SECONDS:
        yield f"its refusal took {result.refusal_s * 1000:.0f} ms"


class Gauntlet:
    """A running system without a queue worker: files are passed to the ingest handler one by one."""

    def __init__(self, cloud: LocalCloud, client: httpx.Client) -> None:
        self._bucket = cloud.outputs["BucketName"]
        self._s3 = boto3.client("s3")
        self._s3.put_bucket_notification_configuration(Bucket=self._bucket, NotificationConfiguration={})
        self._client = client
        self._kept = 0

    def run(self, file: str, data: bytes) -> Result:
        form = {"filename": "image", "content_type": "image/jpeg", "collection": COLLECTION}
        upload_id = self._client.post("/v1/uploads", json=form).raise_for_status().json()["upload_id"]
        key = upload_key(COLLECTION, upload_id)
        self._s3.put_object(Bucket=self._bucket, Key=key, Body=data)
        with _measured() as ingest:
            failed = _handle(self._bucket, key)
        state = self._client.get(f"/v1/uploads/{upload_id}").json()
        with _measured() as search:
            answer = self._client.post("/v1/search", params={"collection": COLLECTION}, files={"file": ("query", data)})
        said = answer.json()
        if state["status"] == "indexed":
            self._keep(state["image_id"])
        return Result(
            file,
            "failed" if failed else state["status"],
            state["code"],
            state["reason"],
            ingest.seconds,
            max(ingest.memory, search.memory),
            answer.status_code,
            said.get("code"),
            search.seconds,
            refusal(data) if state["code"] in BOMBS else 0.0,
        )

    def _keep(self, image_id: str) -> None:
        """Keep the first images, for others to be compared with, and delete later ones, which would slow searches."""
        self._kept += 1
        if self._kept > KEPT:
            self._client.delete(f"/v1/images/{image_id}", params={"collection": COLLECTION}).raise_for_status()


def refusal(data: bytes) -> float:
    """Return the seconds that decoding takes to refuse the bytes."""
    times = []
    for _ in range(3):
        started = time.perf_counter()
        with suppress(PictureRefused):
            decode(data)
        times.append(time.perf_counter() - started)
    return min(times)


def _handle(bucket: str, key: str) -> list[Any]:
    from infra.local.lambda_functions import ingest

    body = f'{{"bucket": "{bucket}", "key": "{key}"}}'
    context: Any = FunctionContext("ingest")
    record = {"messageId": key, "eventSource": "aws:sqs", "attributes": {}, "body": body}
    failures: list[Any] = ingest({"Records": [record]}, context)["batchItemFailures"]
    return failures


@dataclass
class Cost:
    seconds: float = 0.0
    memory: int = 0


@contextmanager
def _measured() -> Iterator[Cost]:
    cost = Cost()
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    SANDBOX.peak_memory = 0
    before, started = _memory("VmRSS"), time.perf_counter()
    yield cost
    cost.seconds = time.perf_counter() - started
    cost.memory = SANDBOX.peak_memory + max(0, _memory("VmHWM") - before)


def _memory(name: str) -> int:
    """Return a field of /proc/self/status, in bytes."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


def run(gauntlet: Gauntlet, folder: Path, every: int = 1) -> list[Result]:
    """Send the files below `folder`, or every `every`-th of them, through ingest and through search."""
    gauntlet.run("warm", b"")
    files = sorted(path for path in folder.rglob("*") if path.is_file())[::every]
    return [
        gauntlet.run(path.relative_to(folder).as_posix(), path.read_bytes())
        for path in tqdm(files, desc="files", unit="file", disable=None)
    ]


def report(results: Sequence[Result]) -> str:
    """Return the tables in Markdown."""
    stored = [result for result in results if result.outcome == "stored"]
    bombs = [result for result in results if result.code in BOMBS]
    outcomes = Counter(result.outcome for result in results)
    answers = Counter((result.search, result.search_code or "matches") for result in results)
    lines = [
        f"{len(results)} files, {sum(result.ingest_s for result in results):.0f} s in the ingest handler, "
        f"{sum(result.search_s for result in results):.0f} s in searches.",
        "",
        *table(("outcome", "files"), [(name, str(count)) for name, count in outcomes.most_common()]),
        *table(
            ("a search with it answers", "files"),
            [(f"{status} {what}", str(count)) for (status, what), count in answers.most_common()],
        ),
    ]
    lines += _top("slowest to ingest", "ms", results, lambda result: result.ingest_s * 1000)
    lines += _top("slowest to search", "ms", stored, lambda result: result.search_s * 1000)
    lines += _top("largest memory", "MB", results, lambda result: result.memory / MIB)
    lines += _top("slowest refusal of a bomb", "ms", bombs, lambda result: result.refusal_s * 1000)
    return "\n".join(lines)


def _top(title: str, unit: str, results: Sequence[Result], figure: Callable[[Result], float]) -> list[str]:
    ranked = sorted(results, key=figure, reverse=True)[:SHOWN]
    return table(
        (title, unit, "outcome"), [(result.file, f"{figure(result):.0f}", result.outcome) for result in ranked]
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a Markdown table, and the empty line after it."""
    return [*(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)), ""]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.hostile", description=__doc__)
    given = os.environ.get("PICTRACE_EVAL_DATA")
    parser.add_argument("folder", type=Path, nargs="?", default=given and Path(given) / "corpus" / "hostile")
    parser.add_argument("--model-dir", type=Path, default=ROOT / ".build" / "model")
    wanted = parser.parse_args()
    if wanted.folder is None:
        parser.error("name a folder, or set PICTRACE_EVAL_DATA")
    with (
        local_cloud(wanted.model_dir) as cloud,
        serving(cloud.app, 0) as url,
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        results = run(Gauntlet(cloud, client), wanted.folder)
    page = f"# Hostile files\n\n{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores.\n\n{report(results)}"
    print(page)
    RESULTS.write_text(page, encoding="utf-8")
    found = [
        f"{result.file}: {complaint}" for result in results for complaint in (*complaints(result), *delays(result))
    ]
    print("\n".join(found) or "Every file is stored, or refused with a code and a reason, within the limits.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
