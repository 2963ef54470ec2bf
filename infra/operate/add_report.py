"""Progress, summary and report of files that are added."""

import json
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from tqdm import tqdm

from infra.operate.prompts import printable, shortened
from infra.operate.uploader import AddResult, AddStatus

QUIET_SECONDS: Final = 30
"""Time between two lines of progress where there is no terminal."""


class FileResult(Protocol):
    """The result for one file; `code` and `reason` say why its image is not where it should be."""

    @property
    def path(self) -> Path: ...
    @property
    def status(self) -> StrEnum: ...
    @property
    def code(self) -> str | None: ...
    @property
    def reason(self) -> str | None: ...
    @property
    def refused(self) -> bool: ...


Result = TypeVar("Result", bound=FileResult)


class AddReport:
    """Counts results, and keeps those with a code.

    Args:
        statuses: of the results, in the order in which they are listed.
        doing: what is done, in the progress.
        listed_as: name of the list of results with a code in the written report.
    """

    def __init__(
        self,
        url: str,
        collection: str,
        *,
        statuses: type[StrEnum] = AddStatus,
        doing: str = "indexing",
        listed_as: str = "not_added",
    ) -> None:
        self._about = {"url": url, "collection": collection}
        self._statuses = statuses
        self._doing = doing
        self._listed_as = listed_as
        self._started = time.monotonic()
        self.counts: Counter[StrEnum] = Counter()
        self.refused = False
        self._not_added: list[FileResult] = []

    def add(self, result: FileResult) -> None:
        self.counts[result.status] += 1
        self.refused |= result.refused
        if result.code:
            self._not_added.append(result)

    def follow(self, results: Iterable[Result], total: int) -> Iterator[Result]:
        """Add results as they come, and show their number: in a bar on a terminal, elsewhere in a line now and then."""
        terminal, shown = sys.stderr.isatty(), time.monotonic()
        with tqdm(total=total, desc=self._doing, unit="image", maxinterval=0.1, disable=not terminal) as bar:
            for number, result in enumerate(results, 1):
                self.add(result)
                bar.update()
                if not terminal and time.monotonic() - shown >= QUIET_SECONDS:
                    shown = time.monotonic()
                    print(f"{self._doing}: {number:,} of {total:,}", file=sys.stderr, flush=True)
                yield result

    def left(self, total: int, unsettled: int = 0) -> str:
        """Return sentences that say what remains if the command ends now.

        Args:
            unsettled: number of files that were sent and have no result yet.
        """
        done = self.counts.total()
        left = "" if done >= total else f" {total - done:,} of {total:,} files are left."
        return left + (f" {unsettled} were sent and will still be indexed." if unsettled else "")

    def summary(self) -> str:
        return _summary(self._statuses, self.counts, self._not_added, time.monotonic() - self._started)

    def write(self, path: Path) -> None:
        """Write the counts, and every file that is not in with its code and reason, as JSON."""
        entries = [
            {"path": _text(result.path), "status": result.status, "code": result.code, "reason": result.reason}
            for result in self._not_added
        ]
        content: dict[str, Any] = {
            **self._about,
            "seconds": round(time.monotonic() - self._started, 1),
            "counts": {status: self.counts[status] for status in self._statuses},
            self._listed_as: entries,
        }
        path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def summary(results: Sequence[AddResult], seconds: float) -> str:
    """Return a line of counts, and a line for each of the first files that are not in; the report names all of them."""
    return _summary(
        AddStatus, Counter(result.status for result in results), [result for result in results if result.code], seconds
    )


def _summary(statuses: type[StrEnum], counts: Counter[StrEnum], not_added: Sequence[FileResult], seconds: float) -> str:
    by_status = (
        ", ".join(f"{counts[status]:,} {status}" for status in statuses if counts[status]) or "nothing was added"
    )
    lines = [f"{by_status} in {seconds:.1f} s"]
    reasons = [f"{result.path}: {result.status}: {result.reason}" for result in not_added]
    lines += [printable(f"  {line}") for line in shortened(reasons)]
    return "\n".join(lines)


def require_writable(path: Path) -> None:
    """Create an empty report, so that a wrong name does not show after hours."""
    try:
        path.write_text("", encoding="utf-8")
    except OSError as error:
        raise LookupError(f"the report cannot be written: {error}. Name another file.") from error


def _text(path: Path) -> str:
    """Return a path as valid Unicode, with escapes for bytes that are not UTF-8."""
    return str(path).encode("utf-8", "backslashreplace").decode()
