"""The progress bar, interruption, summary and report of a long command."""

import csv
import sys
from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, Self, TypeVar

from botocore.exceptions import ClientError
from tqdm import tqdm

from infra.operate.flow import EntryResult, Flow, Outcome, Queue, Stalled, Work
from infra.operate.prompts import printable

MAX_EXAMPLES: Final = 5
"""Entries of each code that the summary names."""
EXIT_INTERRUPTED: Final = 130

Entry = TypeVar("Entry")


class ProgressReport:
    """Count the outcomes, show the progress and write the report.

    Args:
        report: path of a CSV with key, code and reason of every object whose image is not in the index, or None.
    """

    def __init__(self, count: int, report: Path | None = None) -> None:
        self.outcomes: Counter[Outcome] = Counter()
        self._codes: Counter[str] = Counter()
        self._examples: list[str] = []
        self._count = count
        self._report = report
        self._open = ExitStack()
        self._bar: Any = None
        self._rows: Any = None

    def __enter__(self) -> Self:
        if self._report:
            try:
                file = self._open.enter_context(self._report.open("w", encoding="utf-8", newline=""))
            except OSError as error:
                raise LookupError(f"the report cannot be written: {error}. Name another file.") from error
            self._rows = csv.writer(file)
            self._rows.writerow(["key", "code", "reason"])
        self._bar = self._open.enter_context(tqdm(total=self._count, desc="indexing", unit="object"))
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def add(self, result: EntryResult) -> None:
        self.outcomes[result.outcome] += 1
        self._bar.update()
        if not result.code:
            return
        self._codes[result.code] += 1
        if self._rows:
            self._rows.writerow([result.name, result.code, result.reason])
        if self._codes[result.code] <= MAX_EXAMPLES:
            self._examples.append(printable(f"{result.name}: {result.code}: {result.reason}"))

    def summary(self) -> str:
        """Return the counts by outcome and code, and the first objects of each code."""
        counts = ", ".join(f"{self.outcomes[outcome]:,} {outcome}" for outcome in Outcome if self.outcomes[outcome])
        lines = [counts or "nothing was done"]
        lines += [f"  {count:,} {code}" for code, count in self._codes.most_common()]
        total = self._codes.total()
        if total:
            lines.append(f"the first {MAX_EXAMPLES} of each code:" if total > len(self._examples) else "details:")
            lines += [f"  {line}" for line in self._examples]
        return "\n".join(lines)


def run_with_progress(work: Work[Entry], queue: Queue, entries: Iterable[Entry], report: ProgressReport) -> int:
    """Run until all entries have a result or the user stops it, print the summary and return the exit status."""
    stopped = ""
    with report:
        flow = Flow(work=work, queue=queue, publish=report.add)
        try:
            flow.run(entries)
        except KeyboardInterrupt:
            stopped = f"stopped: {flow.in_flight} entries are in the queue already and will still be processed."
        except Stalled:
            stopped = "stopped: nothing is being processed. See `redrive --list` and the log of the ingest function."
        except (RuntimeError, ClientError) as error:
            stopped = f"stopped: {printable(str(error))}"
    print(report.summary())
    if stopped:
        print(f"pictrace: {stopped} To continue, run the same command again.", file=sys.stderr)
        return EXIT_INTERRUPTED
    return 1 if report.outcomes[Outcome.UNSETTLED] else 0
