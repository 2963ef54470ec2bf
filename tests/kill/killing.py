"""Kill the local run at random moments, start it again, and look for everything that it had acknowledged."""

import hashlib
import random
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx

from infra.local.data_folder import DATABASE_FILE
from tests.conftest import ROOT
from tests.images import noise
from tests.processes import read_until_ready

WORK: Final = {"uploads": 1.5, "indexing": 0.8, "deletes": 0.5}
"""What the system is doing when it is killed, and the latest moment in seconds from its beginning."""
THREADS: Final = 3
SIDE: Final = 500
"""Width and height of the images, in pixels, so that indexing takes some time."""
BURST: Final = 9
SETTLE_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class Moment:
    """One kill and the start after it.

    Attributes:
        during: a key of `WORK`.
        after: seconds from the beginning of the work to the kill.
        uploads, deletes: what had been acknowledged since the kill before.
        pending: messages in the queue at the kill, including those that were being processed.
        start_seconds: from the new process to its readiness.
        lost: what of all that was ever acknowledged is missing, or there again.
    """

    during: str
    after: float
    uploads: int
    deletes: int
    pending: int
    start_seconds: float
    lost: Sequence[str]


@dataclass
class Acknowledged:
    """What the system has promised to keep.

    Attributes:
        uploads: image ids by upload id: the file was stored.
        deleted: image ids: the image was deleted and purged.
        undecided: image ids of deletions without an answer.
    """

    uploads: dict[str, str] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    undecided: set[str] = field(default_factory=set)


class Run:
    """A running process, and the client of its API."""

    def __init__(self, data: Path, model_dir: Path, key: str | None) -> None:
        started = time.monotonic()
        command = [sys.executable, "-m", "infra.local", "--port", "0", "--data", str(data), "--closed"]
        self.process = subprocess.Popen(
            [*command, "--model-dir", str(model_dir)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        said = read_until_ready(self.process)
        self.start_seconds = time.monotonic() - started
        url = re.search(r"http://localhost:\d+", said)
        found = re.search(r"pt_[0-9a-f]{16}_[\w-]{43}", said)
        if not url or not (key or found):
            raise AssertionError(f"the run did not start:\n{said}")
        self.key = key or (found[0] if found else "")
        self.client = httpx.Client(base_url=url[0], timeout=30, headers={"X-Api-Key": self.key})

    def upload(self, data: bytes, acknowledged: Acknowledged) -> None:
        wanted = {"filename": "a.png", "content_type": "image/png"}
        form = self.client.post("/v1/uploads", json=wanted).raise_for_status().json()
        httpx.post(form["url"], data=form["fields"], files={"file": data}, timeout=30).raise_for_status()
        acknowledged.uploads[form["upload_id"]] = hashlib.sha256(data).hexdigest()

    def delete(self, image_id: str, acknowledged: Acknowledged) -> None:
        """Delete an image, and purge it from the trash."""
        acknowledged.undecided.add(image_id)
        for path in (f"/v1/images/{image_id}", f"/v1/trash/{image_id}"):
            answer = self.client.delete(path)
            if answer.status_code not in (204, 404):
                answer.raise_for_status()
        acknowledged.deleted.add(image_id)
        acknowledged.undecided.remove(image_id)

    def lost(self, acknowledged: Acknowledged, upload_ids: Collection[str]) -> list[str]:
        """Wait until these uploads are final; say what is not as it was acknowledged."""
        waiting, deadline = set(upload_ids), time.monotonic() + SETTLE_SECONDS
        while waiting and time.monotonic() < deadline:
            waiting = {one for one in waiting if self._state(one).get("status") == "pending"}
            time.sleep(0.02)
        lost = [f"upload {one} is still pending" for one in waiting]
        for upload_id in upload_ids:
            image_id = acknowledged.uploads[upload_id]
            state = self._state(upload_id)
            gone = image_id in acknowledged.deleted
            found = self.client.get(f"/v1/images/{image_id}/content", follow_redirects=True)
            if not gone and (state.get("status"), state.get("image_id")) != ("indexed", image_id):
                lost.append(f"upload {upload_id} is {state}")
            if gone and found.status_code != 404:
                lost.append(f"image {image_id} was deleted and is there: {found.status_code}")
            if not gone and hashlib.sha256(found.content).hexdigest() != image_id:
                lost.append(f"image {image_id} answers {found.status_code} with other bytes")
        return lost

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.client.close()

    def _state(self, upload_id: str) -> dict[str, str]:
        answer: dict[str, str] = self.client.get(f"/v1/uploads/{upload_id}").json()
        return answer


def kill(moments: int, seed: int, data: Path, model_dir: Path) -> Iterator[Moment]:
    """Kill the system `moments` times, at times that the seed decides, and yield what each kill did.

    After each, what was acknowledged since the one before is checked; after the last, everything.
    """
    rng = random.Random(seed)
    images = (noise(number, SIDE) for number in range(seed * 100_000, (seed + 1) * 100_000))
    lock = threading.Lock()

    def next_image() -> bytes:
        with lock:
            return next(images)

    acknowledged = Acknowledged()
    run = Run(data, model_dir, None)
    for number in range(moments):
        during = list(WORK)[number % len(WORK)]
        uploads, deleted = set(acknowledged.uploads), set(acknowledged.deleted)
        after = rng.uniform(0, WORK[during])
        work = _work(during, run, acknowledged, next_image, rng)
        with _working(work):
            time.sleep(after)
            run.kill()
        pending = _pending(data)
        run = Run(data, model_dir, run.key)
        for image_id in list(acknowledged.undecided):
            run.delete(image_id, acknowledged)
        new, gone = acknowledged.uploads.keys() - uploads, acknowledged.deleted - deleted
        concerned = [one for one, image in acknowledged.uploads.items() if one in new or image in gone]
        is_last = number == moments - 1
        lost = run.lost(acknowledged, acknowledged.uploads if is_last else concerned)
        yield Moment(during, after, len(new), len(gone), pending, run.start_seconds, lost)
    run.kill()


def _pending(data: Path) -> int:
    """Return the number of messages that the dead process left in the queue."""
    with closing(sqlite3.connect(data / DATABASE_FILE)) as connection:
        (count,) = connection.execute("SELECT count(*) FROM messages").fetchone()
    return int(count)


def _work(
    during: str, run: Run, acknowledged: Acknowledged, next_image: Callable[[], bytes], rng: random.Random
) -> Callable[[], object]:
    """What each thread does again and again until the system is killed."""
    match during:
        case "uploads":
            return lambda: run.upload(next_image(), acknowledged)
        case "indexing":
            with ThreadPoolExecutor(THREADS) as pool:
                list(pool.map(lambda _: run.upload(next_image(), acknowledged), range(BURST)))
            return lambda: time.sleep(0.01)
        case _:
            held = sorted({*acknowledged.uploads.values()} - acknowledged.deleted)
            chosen = iter(rng.sample(held, len(held) // 2))
            lock = threading.Lock()

            def delete() -> None:
                with lock:
                    image_id = next(chosen, None)
                if image_id:
                    run.delete(image_id, acknowledged)
                else:
                    time.sleep(0.01)

            return delete


@contextmanager
def _working(work: Callable[[], object]) -> Iterator[None]:
    stopped = threading.Event()

    def repeat() -> None:
        with suppress(httpx.HTTPError):
            while not stopped.is_set():
                work()

    threads = [threading.Thread(target=repeat, daemon=True) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopped.set()
        for thread in threads:
            thread.join()


def table(moments: Sequence[Moment]) -> str:
    """The moments as a table, with the sum in the last line."""
    lines = ["during    kills  killed after   uploads  deletes  pending  start        lost"]
    groups = [(during, [one for one in moments if one.during == during]) for during in WORK]
    for name, group in [*groups, ("all", list(moments))]:
        if not group:
            continue
        after, start = ([getattr(one, name) for one in group] for name in ("after", "start_seconds"))
        uploads, deletes = sum(one.uploads for one in group), sum(one.deletes for one in group)
        pending = sum(one.pending for one in group)
        lost = sum(len(one.lost) for one in group)
        lines.append(
            f"{name:8}  {len(group):5}  {min(after):.2f}-{max(after):.2f} s    {uploads:7}  {deletes:7}  {pending:7}  "
            f"{min(start):.1f}-{max(start):.1f} s  {lost:5}"
        )
    return "\n".join(lines)
