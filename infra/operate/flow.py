"""Send work to the queue, a bounded number of entries at a time, and poll the table for their results."""

import itertools
import json
import time
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar

from shared.aws.dynamodb.batches import BATCH
from shared.domain.queue_times import COUNTS_SETTLE_SECONDS, INGEST_QUEUE

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

MAX_IN_FLIGHT: Final = 500
"""Maximum number of entries that were sent and have no result yet."""
BATCH_GET_SIZE: Final = BATCH
"""Entries that are planned, sent and polled together."""
SEND_BATCH_SIZE: Final = 10
SEND_ATTEMPTS: Final = 5
QUIET_SECONDS: Final = COUNTS_SETTLE_SECONDS
"""When no result has appeared for this long and the queue is empty, the entries in flight have failed for good."""
GIVE_UP_SECONDS: Final = INGEST_QUEUE.longest_life_seconds
"""An entry has failed for good when one that was sent this much later has a result, or when no result has appeared for
this long, even if other messages keep the queue busy."""
POLL_INTERVALS: Final = (0.25, 4.0)
"""Shortest and longest wait between two polls of the table, in seconds."""

UNSETTLED_REASON: Final = "It was sent, but there is no result. For the reason, see `redrive --list`."


class Outcome(StrEnum):
    """What became of an entry. `SKIPPED`: there was nothing to do. `UNSETTLED`: it was sent, but has no result."""

    INDEXED = "indexed"
    DUPLICATE = "duplicate"
    SKIPPED = "skipped"
    REJECTED = "rejected"
    UNSETTLED = "unsettled"


@dataclass(frozen=True, slots=True)
class EntryResult:
    """The result of an entry; `code` and `reason` say why its image cannot be found, and are empty if it can."""

    name: str
    outcome: Outcome
    code: str = ""
    reason: str = ""


class Queue:
    """The queue that the ingest function reads."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client = client
        self._url = url

    def send(self, bodies: Sequence[Mapping[str, Any]]) -> None:
        """Send up to `SEND_BATCH_SIZE` messages.

        Raises:
            RuntimeError: the queue refuses some of them repeatedly.
        """
        left: dict[str, Any] = {
            str(number): {"Id": str(number), "MessageBody": json.dumps(body)} for number, body in enumerate(bodies)
        }
        failed: Sequence[Any] = ()
        for attempt in range(SEND_ATTEMPTS):
            answer = self._client.send_message_batch(QueueUrl=self._url, Entries=list(left.values()))
            failed = answer.get("Failed", [])
            left = {entry["Id"]: left[entry["Id"]] for entry in failed}
            if not left:
                return
            time.sleep(0.1 * 2**attempt)
        raise RuntimeError(f"the queue refused a message: {failed[0].get('Message', failed[0]['Code'])}")

    def empty(self) -> bool:
        """Return whether the queue holds no message: waiting, being handled, or hidden until its next attempt."""
        found = self._client.get_queue_attributes(
            QueueUrl=self._url,
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )
        return not any(int(count) for count in found["Attributes"].values())


Entry = TypeVar("Entry", bound=Hashable)


class Work(Protocol[Entry]):
    """What to do for each entry. Each call receives at most `BATCH_GET_SIZE` entries."""

    def plan(self, entries: Sequence[Entry]) -> Mapping[Entry, EntryResult | int]:
        """Return each entry's result if it has one already, else its revision before it is sent."""
        ...

    def message(self, entry: Entry) -> Mapping[str, Any]: ...

    def results(self, sent: Mapping[Entry, int]) -> Mapping[Entry, EntryResult]:
        """Return the results of those that have one, given each entry's revision before it was sent."""
        ...

    def name(self, entry: Entry) -> str: ...


@dataclass(frozen=True, slots=True)
class _Sent:
    at: float
    revision: int


class Stalled(Exception):  # noqa: N818
    """No entry that was sent gets a result; every entry in flight was reported as unsettled."""


class Flow(Generic[Entry]):
    """One run over a list, in bounded memory whatever the length of the list.

    Args:
        publish: called with the result of each entry, once, in the order in which the results appear.
    """

    def __init__(self, *, work: Work[Entry], queue: Queue, publish: Callable[[EntryResult], None]) -> None:
        self._work = work
        self._queue = queue
        self._publish = publish
        self._in_flight: dict[Entry, _Sent] = {}
        self._changed = self._succeeded = float("-inf")
        self._pause = POLL_INTERVALS[0]

    @property
    def in_flight(self) -> int:
        return len(self._in_flight)

    def run(self, entries: Iterable[Entry]) -> None:
        """Process the list, and continue past entries that fail for good.

        Raises:
            Stalled: all entries in flight have failed for good.
            RuntimeError: the queue accepts no more messages.
        """
        remaining = iter(entries)
        while chunk := list(itertools.islice(remaining, BATCH_GET_SIZE)):
            self._dispatch(chunk)
            while len(self._in_flight) > MAX_IN_FLIGHT - BATCH_GET_SIZE:
                self._poll()
        while self._in_flight:
            self._poll()

    def _dispatch(self, chunk: Sequence[Entry]) -> None:
        """Send the entries that have no result yet."""
        todo: list[tuple[Entry, int]] = []
        for entry, planned in self._work.plan(chunk).items():
            if isinstance(planned, EntryResult):
                self._publish(planned)
            else:
                todo.append((entry, planned))
        for start in range(0, len(todo), SEND_BATCH_SIZE):
            batch = todo[start : start + SEND_BATCH_SIZE]
            self._queue.send([self._work.message(entry) for entry, _ in batch])
            self._changed = time.monotonic()
            self._in_flight |= {entry: _Sent(self._changed, revision) for entry, revision in batch}

    def _poll(self) -> None:
        """Look up the results of the entries whose last look-up was longest ago."""
        oldest = {
            entry: self._in_flight.pop(entry) for entry in list(itertools.islice(self._in_flight, BATCH_GET_SIZE))
        }
        self._in_flight |= oldest
        results = self._work.results({entry: sent.revision for entry, sent in oldest.items()})
        for entry, result in results.items():
            del self._in_flight[entry]
            self._publish(result)
        now = time.monotonic()
        quiet = now - self._changed
        if results:
            self._changed = self._succeeded = now
            self._pause = POLL_INTERVALS[0]
            newest = max(oldest[entry].at for entry in results)
            self._give_up([one for one, sent in self._in_flight.items() if sent.at < newest - GIVE_UP_SECONDS])
        elif quiet > GIVE_UP_SECONDS or (quiet > QUIET_SECONDS and self._queue.empty()):
            self._give_up(list(self._in_flight))
        else:
            time.sleep(self._pause)
            self._pause = min(POLL_INTERVALS[1], self._pause * 1.5)

    def _give_up(self, entries: Sequence[Entry]) -> None:
        """Report entries as unsettled; raise Stalled if no result has appeared since the oldest of them was sent."""
        stalled = bool(entries) and self._succeeded <= min(sent.at for sent in self._in_flight.values())
        for entry in entries:
            del self._in_flight[entry]
            self._publish(EntryResult(self._work.name(entry), Outcome.UNSETTLED, "unsettled", UNSETTLED_REASON))
        if stalled:
            raise Stalled
