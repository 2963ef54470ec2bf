"""Put work into the queue, a bounded number at a time, and watch the table for how each ends."""

import itertools
import json
import time
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar

from shared.domain.queue_times import COUNTS_SETTLE_SECONDS, INGEST_QUEUE

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient

IN_FLIGHT: Final = 500
"""Most entries that were sent and have not ended."""
AT_ONCE: Final = 100
"""Keys that one BatchGetItem reads."""
SENT_AT_ONCE: Final = 10
SEND_ATTEMPTS: Final = 5
QUIET_SECONDS: Final = COUNTS_SETTLE_SECONDS
"""When nothing has ended for this long and the queue is empty, what is in flight has failed for good."""
HOPELESS_SECONDS: Final = INGEST_QUEUE.longest_life_seconds
"""An entry has failed for good when one that was sent this much later has ended, or when nothing has ended for as long,
whatever else keeps the queue from being empty."""
PAUSES: Final = (0.25, 4.0)
"""Shortest and longest wait between two looks at the table."""

UNSETTLED: Final = "Nothing became of it: look with `redrive --list`."


class Ending(StrEnum):
    """How an entry ended. `SKIPPED` had nothing to be done, `UNSETTLED` was sent and nothing became of it."""

    INDEXED = "indexed"
    DUPLICATE = "duplicate"
    SKIPPED = "skipped"
    REJECTED = "rejected"
    UNSETTLED = "unsettled"


@dataclass(frozen=True, slots=True)
class Ended:
    """How an entry ended; `code` and `reason` unless its image can be found."""

    name: str
    ending: Ending
    code: str = ""
    reason: str = ""


class Queue:
    """Where the ingest function takes its messages from."""

    def __init__(self, client: "SQSClient", url: str) -> None:
        self._client = client
        self._url = url

    def send(self, bodies: Sequence[Mapping[str, Any]]) -> None:
        """Send up to `SENT_AT_ONCE` messages.

        Raises:
            RuntimeError: the queue keeps refusing some.
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
        """Whether no message waits, is being handled, or is hidden until it is tried again."""
        found = self._client.get_queue_attributes(
            QueueUrl=self._url,
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )
        return not any(int(count) for count in found["Attributes"].values())


def read_items(client: "DynamoDBClient", table: str, keys: list[Any], projection: str | None = None) -> list[Any]:
    """The items of up to `AT_ONCE` keys that are there."""
    extra = {"ProjectionExpression": projection} if projection else {}
    items: list[Any] = []
    while keys:
        wanted: Any = {"Keys": keys, **extra}
        answer: Any = client.batch_get_item(RequestItems={table: wanted})
        items += answer["Responses"].get(table, [])
        keys = answer.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])
    return items


Entry = TypeVar("Entry", bound=Hashable)


class Work(Protocol[Entry]):
    """What is to be done for each entry. No call is given more than `AT_ONCE` of them."""

    def admit(self, entries: Sequence[Entry]) -> Mapping[Entry, Ended | int]:
        """For each, how it ended already, or the revision at which it is sent."""
        ...

    def message(self, entry: Entry) -> Mapping[str, Any]: ...

    def ended(self, sent: Mapping[Entry, int]) -> Mapping[Entry, Ended]:
        """Those that have ended since they were sent at a revision."""
        ...

    def name(self, entry: Entry) -> str: ...


@dataclass(frozen=True, slots=True)
class _Sent:
    at: float
    revision: int


class Stalled(Exception):  # noqa: N818
    """Nothing that was sent ends; every entry in flight was reported as unsettled."""


class Flow(Generic[Entry]):
    """One run over a list. What it remembers is bounded, however long the list.

    Args:
        publish: called once for each entry, in the order in which they end.
    """

    def __init__(self, *, work: Work[Entry], queue: Queue, publish: Callable[[Ended], None]) -> None:
        self._work = work
        self._queue = queue
        self._publish = publish
        self._flying: dict[Entry, _Sent] = {}
        self._changed = self._succeeded = float("-inf")
        self._pause = PAUSES[0]

    @property
    def in_flight(self) -> int:
        return len(self._flying)

    def run(self, entries: Iterable[Entry]) -> None:
        """Work through the list, past whatever fails for good.

        Raises:
            Stalled: all that was in flight at a time has failed for good.
            RuntimeError: the queue takes no more messages.
        """
        remaining = iter(entries)
        while chunk := list(itertools.islice(remaining, AT_ONCE)):
            self._admit(chunk)
            while len(self._flying) > IN_FLIGHT - AT_ONCE:
                self._watch()
        while self._flying:
            self._watch()

    def _admit(self, chunk: Sequence[Entry]) -> None:
        """Send those of which there is something to be done."""
        todo: list[tuple[Entry, int]] = []
        for entry, known in self._work.admit(chunk).items():
            if isinstance(known, Ended):
                self._publish(known)
            else:
                todo.append((entry, known))
        for start in range(0, len(todo), SENT_AT_ONCE):
            batch = todo[start : start + SENT_AT_ONCE]
            self._queue.send([self._work.message(entry) for entry, _ in batch])
            self._changed = time.monotonic()
            self._flying |= {entry: _Sent(self._changed, revision) for entry, revision in batch}

    def _watch(self) -> None:
        """Look at those that were looked at longest ago."""
        oldest = {entry: self._flying.pop(entry) for entry in list(itertools.islice(self._flying, AT_ONCE))}
        self._flying |= oldest
        ended = self._work.ended({entry: sent.revision for entry, sent in oldest.items()})
        for entry, how in ended.items():
            del self._flying[entry]
            self._publish(how)
        now = time.monotonic()
        quiet = now - self._changed
        if ended:
            self._changed = self._succeeded = now
            self._pause = PAUSES[0]
            newest = max(oldest[entry].at for entry in ended)
            self._give_up([one for one, sent in self._flying.items() if sent.at < newest - HOPELESS_SECONDS])
        elif quiet > HOPELESS_SECONDS or (quiet > QUIET_SECONDS and self._queue.empty()):
            self._give_up(list(self._flying))
        else:
            time.sleep(self._pause)
            self._pause = min(PAUSES[1], self._pause * 1.5)

    def _give_up(self, entries: Sequence[Entry]) -> None:
        """Report entries as unsettled; raises Stalled where nothing has ended since the first in flight was sent."""
        stalled = bool(entries) and self._succeeded <= min(sent.at for sent in self._flying.values())
        for entry in entries:
            del self._flying[entry]
            self._publish(Ended(self._work.name(entry), Ending.UNSETTLED, "unsettled", UNSETTLED))
        if stalled:
            raise Stalled
