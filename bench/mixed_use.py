"""The memory of the local run while it is used: uploads, searches, listings and deletes, with few images held.

    python -m bench.mixed_use [--minutes 30]

Each round adds an image, which every fourth time is a recompressed copy of another one and every twelfth time has 12
megapixels, searches by a stored image and by an unknown one, opens the page's lists, and deletes and purges the oldest
image once `--held` are stored. The images are made ones, each different.
"""

import argparse
import hashlib
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.embedded_scale.servers import Server, server
from bench.processes import descendants, proportional_megabytes
from bench.speed.images import enlarged, recompressed, synthetic_image
from bench.speed.runtime_api import ROOT
from infra.local.data_folder import DataFolder

COLLECTION: Final = "mixed"
HELD: Final = 30
COPY_EVERY: Final = 4
LARGE_EVERY: Final = 12
STEADY_MINUTE: Final = 10
"""From this minute on, memory should not grow: every part has been used and every cache is full."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What was measured at the end of a minute; memory in MB, `children` summed over the decoding processes."""

    minute: int
    rounds: int
    resident: float
    anonymous: float
    children: float


class Use:
    """One user, who does everything in turn."""

    def __init__(self, running: Server, held: int) -> None:
        self._client = running.client
        self._held = held
        self._stored: deque[tuple[str, bytes]] = deque()
        self.rounds = 0

    def round(self) -> None:
        data = self._image(self.rounds)
        self._add(data)
        self._search(self._stored[self.rounds * 7 % len(self._stored)][1])
        self._search(synthetic_image(1_000_000 + self.rounds))
        newest = self._stored[-1][0]
        for path in ("/v1/images", "/v1/duplicates", "/v1/stats", f"/v1/images/{newest}/similar", "/v1/trash"):
            self._client.get(path, params={"collection": COLLECTION}).raise_for_status()
        for part in ("thumbnail", "content"):
            address = f"/v1/images/{newest}/{part}"
            self._client.get(address, params={"collection": COLLECTION}, follow_redirects=True).raise_for_status()
        if len(self._stored) > self._held:
            self._delete(self._stored.popleft()[0])
        self.rounds += 1

    def _image(self, number: int) -> bytes:
        if number % COPY_EVERY == COPY_EVERY - 1 and self._stored:
            return recompressed(self._stored[len(self._stored) // 2][1])
        made = synthetic_image(number)
        return enlarged(made) if number % LARGE_EVERY == 0 else made

    def _add(self, data: bytes) -> None:
        form = self._client.post(
            "/v1/uploads", json={"collection": COLLECTION, "filename": "made.jpg", "content_type": "image/jpeg"}
        ).raise_for_status()
        sent = form.json()
        self._client.post(
            sent["url"], data=sent["fields"], files={"file": ("made.jpg", data, "image/jpeg")}
        ).raise_for_status()
        while True:
            state = self._client.get(f"/v1/uploads/{sent['upload_id']}").json()
            if state["status"] != "pending":
                break
            time.sleep(0.05)
        if state["status"] == "indexed":
            self._stored.append((hashlib.sha256(data).hexdigest(), data))

    def _search(self, data: bytes) -> None:
        answer = self._client.post(
            "/v1/search", params={"collection": COLLECTION}, files={"file": ("query.jpg", data, "image/jpeg")}
        )
        answer.raise_for_status()

    def _delete(self, image_id: str) -> None:
        for path in (f"/v1/images/{image_id}", f"/v1/trash/{image_id}"):
            self._client.delete(path, params={"collection": COLLECTION}).raise_for_status()


def measure(running: Server, minutes: int, held: int) -> Iterator[Sample]:
    """Use the server for some minutes; yield a sample after each."""
    use, started = Use(running, held), time.monotonic()
    for minute in range(1, minutes + 1):
        while time.monotonic() < started + 60 * minute:
            use.round()
        memory = running.memory()
        children = sum(map(proportional_megabytes, descendants(running.pid)))
        yield Sample(minute, use.rounds, memory["VmRSS"], memory["RssAnon"], children)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.mixed_use", description=__doc__)
    parser.add_argument("--minutes", type=int, default=30)
    parser.add_argument("--held", type=int, default=HELD, help="images that are stored at a time")
    parser.add_argument("--model-dir", type=Path, default=ROOT / ".build" / "model", help="the exported model")
    wanted = parser.parse_args(argv)
    print("| minute | rounds | resident, MB | of it anonymous | decoding processes |")
    print("|---:|---:|---:|---:|---:|")
    samples = []
    with (
        tempfile.TemporaryDirectory() as folder,
        server(DataFolder(Path(folder) / "data", is_new=True), wanted.model_dir) as running,
    ):
        for one in measure(running, wanted.minutes, wanted.held):
            samples.append(one)
            print(
                f"| {one.minute} | {one.rounds} | {one.resident:.0f} | {one.anonymous:.0f} | {one.children:.0f} |",
                flush=True,
            )
    if wanted.minutes > STEADY_MINUTE:
        steady, last = samples[STEADY_MINUTE - 1].resident, samples[-1].resident
        print(f"\nFrom minute {STEADY_MINUTE} to minute {wanted.minutes}: {last / steady - 1:+.1%}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
