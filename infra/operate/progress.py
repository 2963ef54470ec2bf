"""How a long command shows what it does, stops, and gives account."""

import csv
import sys
from collections import Counter
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, Self, TypeVar

from botocore.exceptions import ClientError
from tqdm import tqdm

from infra.operate.flow import Ended, Ending, Flow, Queue, Stalled, Work
from infra.operate.prompts import printable

SHOWN: Final = 5
"""Objects of each code that the summary names."""
INTERRUPTED: Final = 130

Entry = TypeVar("Entry")


class ProgressReport:
    """Counts how objects ended, shows the progress and writes the report.

    Args:
        report: CSV of key, code and reason of every object whose image is not in the index; None for none.
    """

    def __init__(self, count: int, report: Path | None = None) -> None:
        self.endings: Counter[Ending] = Counter()
        self._codes: Counter[str] = Counter()
        self._first: list[str] = []
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
                raise LookupError(f"the report cannot be written: {error}") from error
            self._rows = csv.writer(file)
            self._rows.writerow(["key", "code", "reason"])
        self._bar = self._open.enter_context(tqdm(total=self._count, desc="indexing", unit="object"))
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def add(self, ended: Ended) -> None:
        self.endings[ended.ending] += 1
        self._bar.update()
        if not ended.code:
            return
        self._codes[ended.code] += 1
        if self._rows:
            self._rows.writerow([ended.name, ended.code, ended.reason])
        if self._codes[ended.code] <= SHOWN:
            self._first.append(printable(f"{ended.name}: {ended.code}: {ended.reason}"))

    def summary(self) -> str:
        """Counts by ending and code, and the first objects whose images are not in the index."""
        counts = ", ".join(f"{self.endings[ending]:,} {ending}" for ending in Ending if self.endings[ending])
        lines = [counts or "nothing was done"]
        lines += [f"  {count:,} {code}" for code, count in self._codes.most_common()]
        others = self._codes.total()
        if others:
            lines.append("the first of each:" if others > len(self._first) else "these are:")
            lines += [f"  {line}" for line in self._first]
        return "\n".join(lines)


def run_with_progress(work: Work[Entry], queue: Queue, entries: Iterable[Entry], account: ProgressReport) -> int:
    """Do the work until it is done or somebody stops it, and say how it ended; gives the exit status."""
    stopped = ""
    with account:
        flow = Flow(work=work, queue=queue, publish=account.add)
        try:
            flow.run(entries)
        except KeyboardInterrupt:
            stopped = f"stopped: {flow.in_flight} that were sent will be done all the same."
        except Stalled:
            stopped = "stopped: nothing ends any more. The log of the ingest function and `redrive --list` say why."
        except (RuntimeError, ClientError) as error:
            stopped = f"stopped: {printable(str(error))}"
    print(account.summary())
    if stopped:
        print(f"pictrace: {stopped} The same command goes on where this one ended.", file=sys.stderr)
        return INTERRUPTED
    return 1 if account.endings[Ending.UNSETTLED] else 0
