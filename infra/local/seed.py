"""Indexing of a folder through the API's uploads, as any client would do it."""

import hashlib
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
from tqdm import tqdm

from shared.domain.errors import PictureRefused
from shared.domain.formats import MEDIA_TYPES, sniff
from shared.domain.images import UploadStatus
from shared.domain.limits import DEFAULT_COLLECTION, MAX_UPLOAD_BYTES

SAMPLES: Final = (
    "astronaut.png",
    "brick.png",
    "camera.png",
    "chelsea.png",
    "coffee.png",
    "coins.png",
    "grass.png",
    "gravel.png",
    "hubble_deep_field.jpg",
    "ihc.png",
    "moon.png",
    "motorcycle_left.png",
    "motorcycle_right.png",
    "page.png",
    "retina.jpg",
    "rocket.jpg",
)
"""Images in the scikit-image wheel."""

CONCURRENT_UPLOADS: Final = 4
STALLED_SECONDS: Final = 120
MAX_LISTED: Final = 20


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file: the upload's final status, or `skipped` if it is not an image, with the reason."""

    path: Path
    status: str
    reason: str | None = None


def sample_images() -> list[Path]:
    from skimage.data import data_dir

    return [Path(data_dir) / name for name in SAMPLES]


def list_files(folder: Path) -> list[Path]:
    """Return all files below `folder`, sorted, except hidden ones."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )


def upload(client: httpx.Client, path: Path, collection: str) -> str | Outcome:
    """Upload one file with a presigned POST; return the upload ID, or the outcome if the file cannot be sent."""
    try:
        if path.stat().st_size > MAX_UPLOAD_BYTES:
            return Outcome(path, "skipped", f"more than {MAX_UPLOAD_BYTES:,} bytes")
        data = path.read_bytes()
        media_type = MEDIA_TYPES[sniff(data)]
    except OSError as error:
        return Outcome(path, "skipped", error.strerror)
    except PictureRefused as refused:
        return Outcome(path, "skipped", refused.reason)
    held = client.get(f"/v1/images/{hashlib.sha256(data).hexdigest()}", params={"collection": collection})
    if held.is_success:
        return Outcome(path, UploadStatus.DUPLICATE)
    request = {"filename": path.name, "content_type": media_type, "collection": collection}
    form = client.post("/v1/uploads", json=request).raise_for_status().json()
    httpx.post(form["url"], data=form["fields"], files={"file": (path.name, data)}, timeout=60).raise_for_status()
    return str(form["upload_id"])


def index(
    api_url: str, paths: Sequence[Path], collection: str = DEFAULT_COLLECTION, key: str | None = None
) -> list[Outcome]:
    """Upload files and wait until each is indexed, a duplicate or rejected, with a progress bar.

    Args:
        key: an API key, if the API requires one.

    Raises:
        TimeoutError: an image was not indexed within `STALLED_SECONDS`.
    """
    pool = ThreadPoolExecutor(CONCURRENT_UPLOADS)
    with (
        httpx.Client(base_url=api_url, timeout=60, headers={"X-Api-Key": key} if key else None) as client,
        tqdm(total=len(paths), desc="indexing", unit="image") as bar,
    ):
        try:
            sent = zip(paths, pool.map(lambda path: upload(client, path, collection), paths), strict=True)
            outcomes = []
            for outcome in _wait_for_outcomes(client, sent):
                outcomes.append(outcome)
                bar.update()
        finally:
            pool.shutdown(cancel_futures=True)
    return outcomes


def _wait_for_outcomes(client: httpx.Client, sent: Iterator[tuple[Path, str | Outcome]]) -> Iterator[Outcome]:
    for path, result in sent:
        if isinstance(result, Outcome):
            yield result
            continue
        deadline = time.monotonic() + STALLED_SECONDS
        while True:
            state = client.get(f"/v1/uploads/{result}").raise_for_status().json()
            if state["status"] != UploadStatus.PENDING:
                yield Outcome(path, state["status"], state["reason"])
                break
            if time.monotonic() > deadline:
                raise TimeoutError(f"{path.name} was not indexed within {STALLED_SECONDS} s; see the log")
            time.sleep(0.05)


def summary(outcomes: Sequence[Outcome], seconds: float) -> str:
    """Return a line of counts, and a line for each file that was not indexed, up to `MAX_LISTED`."""
    counts = Counter(outcome.status for outcome in outcomes)
    by_status = ", ".join(f"{count:,} {status}" for status, count in counts.most_common())
    lines = [f"{by_status} in {seconds:.1f} s"]
    failed = [outcome for outcome in outcomes if outcome.status not in (UploadStatus.INDEXED, UploadStatus.DUPLICATE)]
    lines += [f"  {outcome.path}: {outcome.status}: {outcome.reason}" for outcome in failed[:MAX_LISTED]]
    if len(failed) > MAX_LISTED:
        lines.append(f"  ... and {len(failed) - MAX_LISTED:,} more")
    return "\n".join(lines)
