"""Progress, summary and report of files that are added."""

import json
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from tqdm import tqdm

from infra.operate.prompts import printable
from infra.operate.uploader import AddResult, AddStatus

MAX_LISTED: Final = 20
"""Maximum number of files that the summary names; the report names all of them."""
QUIET_SECONDS: Final = 30
"""Time between two lines of progress where there is no terminal."""


class AddReport:
    """Counts results, and keeps those of files whose images are not in the collection."""

    def __init__(self, url: str, collection: str) -> None:
        self._about = {"url": url, "collection": collection}
        self._started = time.monotonic()
        self.counts: Counter[AddStatus] = Counter()
        self.refused = False
        self._not_added: list[AddResult] = []

    def add(self, result: AddResult) -> None:
        self.counts[result.status] += 1
        self.refused |= result.refused
        if result.code:
            self._not_added.append(result)

    def follow(self, results: Iterable[AddResult], total: int) -> Iterator[AddResult]:
        """Add results as they come, and show their number, rate and the time left."""
        interval = 0.1 if sys.stderr.isatty() else QUIET_SECONDS
        with tqdm(total=total, desc="indexing", unit="image", mininterval=interval, maxinterval=interval) as bar:
            for result in results:
                self.add(result)
                bar.update()
                yield result

    def summary(self) -> str:
        return _summary(self.counts, self._not_added, time.monotonic() - self._started)

    def write(self, path: Path) -> None:
        """Write the counts, and every file that is not in with its code and reason, as JSON."""
        entries = [
            {"path": _text(result.path), "status": result.status, "code": result.code, "reason": result.reason}
            for result in self._not_added
        ]
        content: dict[str, Any] = {
            **self._about,
            "seconds": round(time.monotonic() - self._started, 1),
            "counts": {status: self.counts[status] for status in AddStatus},
            "not_added": entries,
        }
        path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def summary(results: Sequence[AddResult], seconds: float) -> str:
    """Return a line of counts, and a line for each of the first `MAX_LISTED` files that are not in."""
    return _summary(
        Counter(result.status for result in results), [result for result in results if result.code], seconds
    )


def _summary(counts: Counter[AddStatus], not_added: Sequence[AddResult], seconds: float) -> str:
    by_status = ", ".join(f"{counts[status]:,} {status}" for status in AddStatus if counts[status]) or "nothing to add"
    lines = [f"{by_status} in {seconds:.1f} s"]
    lines += [printable(f"  {result.path}: {result.status}: {result.reason}") for result in not_added[:MAX_LISTED]]
    if len(not_added) > MAX_LISTED:
        lines.append(f"  ... and {len(not_added) - MAX_LISTED:,} more")
    return "\n".join(lines)


def _text(path: Path) -> str:
    """Return a path as valid Unicode, with escapes for bytes that are not UTF-8."""
    return str(path).encode("utf-8", "backslashreplace").decode()
