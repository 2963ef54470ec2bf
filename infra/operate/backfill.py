"""Hand the objects of a bucket to the queue, a bounded number at a time, and watch the ledger for how each ends."""

import itertools
import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from shared.aws import records
from shared.domain.errors import REFUSAL_CODES
from shared.domain.images import ObjectRef
from shared.domain.ledger import Holding, ObjectState, ObjectStatus
from shared.domain.limits import MAX_RECEIVES, MAX_UPLOAD_BYTES

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

IN_FLIGHT: Final = 500
"""Most objects that were sent and have not ended."""
AT_ONCE: Final = 100
"""Keys that one BatchGetItem reads."""
SENT_AT_ONCE: Final = 10
SEND_ATTEMPTS: Final = 5
RETRY_SECONDS: Final = 6 * 60
"""The queue's visibility timeout: a message that failed comes again after it."""
QUIET_SECONDS: Final = RETRY_SECONDS + 60
"""When nothing ended for so long and nothing waits in the queue, what is in flight has failed at least once more."""
HOPELESS_SECONDS: Final = (MAX_RECEIVES + 1) * RETRY_SECONDS
"""An object has failed for good when one that was sent so much later has ended."""
PAUSES: Final = (0.25, 4.0)
"""Shortest and longest wait between two looks at the ledger."""


class Ending(StrEnum):
    """How an object ended. `SKIPPED` had nothing to be done, `UNSETTLED` was sent and nothing became of it."""

    INDEXED = "indexed"
    DUPLICATE = "duplicate"
    SKIPPED = "skipped"
    REJECTED = "rejected"
    UNSETTLED = "unsettled"


@dataclass(frozen=True, slots=True)
class Listed:
    """An object as S3 lists it."""

    key: str
    etag: str
    size: int


@dataclass(frozen=True, slots=True)
class Ended:
    """How an object ended; `code` and `reason` unless its picture can be found."""

    object: Listed
    ending: Ending
    code: str = ""
    reason: str = ""


def listing(s3: "S3Client", bucket: str, prefix: str) -> Iterator[Listed]:
    """Every object below a prefix, page by page."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for entry in page.get("Contents", []):
            yield Listed(entry["Key"], entry["ETag"].strip('"'), entry["Size"])


class Standing:
    """What the table says of objects, two reads for a hundred of them.

    Args:
        collection: where their pictures are to go; None leaves it to the objects' keys.
    """

    def __init__(self, client: "DynamoDBClient", table: str, bucket: str, collection: str | None) -> None:
        self._client = client
        self._table = table
        self._bucket = bucket
        self._collection = collection

    def of(self, objects: Sequence[Listed]) -> tuple[dict[str, ObjectState], dict[str, bool]]:
        """The ledger's entries by key, and for those whose picture is in the index, whether they brought it."""
        keys = [records.object_key(ObjectRef(self._bucket, listed.key)) for listed in objects]
        states = [records.to_object_state(item) for item in self._read(keys)]
        holders = {state.object.key: state.held for state in states if state.held}
        wanted = {holding: records.record_key(holding.image_id, holding.collection) for holding in holders.values()}
        brought: dict[Holding, str] = {
            Holding(records.collection_of(item), item["image_id"]["S"]): item["brought_by"]["S"]
            for item in self._read(list(wanted.values()), "pk, sk, image_id, brought_by")
        }
        return {state.object.key: state for state in states}, {
            key: brought[holding] == records.source_id(ObjectRef(self._bucket, key))
            for key, holding in holders.items()
            if holding in brought
        }

    def fits(self, state: ObjectState) -> bool:
        return self._collection is None or (state.holding is not None and state.holding.collection == self._collection)

    def _read(self, keys: list[Any], projection: str | None = None) -> Iterator[Any]:
        extra = {"ProjectionExpression": projection} if projection else {}
        while keys:
            wanted: Any = {"Keys": keys, **extra}
            answer: Any = self._client.batch_get_item(RequestItems={self._table: wanted})
            yield from answer["Responses"].get(self._table, [])
            keys = answer.get("UnprocessedKeys", {}).get(self._table, {}).get("Keys", [])


class Sender:
    """Puts submissions into the queue."""

    def __init__(self, client: "SQSClient", queue_url: str, bucket: str, collection: str | None) -> None:
        self._client = client
        self._queue_url = queue_url
        self._fields = {"bucket": bucket} | ({"collection": collection} if collection else {})

    def send(self, objects: Sequence[Listed]) -> None:
        """Send up to `SENT_AT_ONCE` of them.

        Raises:
            RuntimeError: the queue keeps refusing some.
        """
        left: dict[str, Any] = {
            str(number): {"Id": str(number), "MessageBody": json.dumps(self._fields | {"key": listed.key})}
            for number, listed in enumerate(objects)
        }
        failed: Sequence[Any] = ()
        for attempt in range(SEND_ATTEMPTS):
            failed = self._client.send_message_batch(QueueUrl=self._queue_url, Entries=list(left.values())).get(
                "Failed", []
            )
            left = {entry["Id"]: left[entry["Id"]] for entry in failed}
            if not left:
                return
            time.sleep(0.1 * 2**attempt)
        raise RuntimeError(f"the queue refused a message: {failed[0].get('Message', failed[0]['Code'])}")

    def waiting(self) -> bool:
        """Whether messages are there that no function has taken yet."""
        found = self._client.get_queue_attributes(
            QueueUrl=self._queue_url, AttributeNames=["ApproximateNumberOfMessages"]
        )
        return int(found["Attributes"]["ApproximateNumberOfMessages"]) > 0


@dataclass(frozen=True, slots=True)
class _Sent:
    at: float
    revision: int


class Stalled(Exception):  # noqa: N818
    """Nothing ends any more; every object in flight was told as unsettled."""


class Backfill:
    """One run over a listing. What it remembers is bounded, however long the listing.

    Args:
        tell: called once for each object, in the order in which they end.
    """

    def __init__(self, *, standing: Standing, sender: Sender, tell: Callable[[Ended], None]) -> None:
        self._standing = standing
        self._sender = sender
        self._tell = tell
        self._flying: dict[Listed, _Sent] = {}
        self._changed = time.monotonic()
        self._pause = PAUSES[0]

    @property
    def in_flight(self) -> int:
        return len(self._flying)

    def run(self, objects: Iterable[Listed]) -> None:
        """Raises Stalled, or RuntimeError where the queue takes no more."""
        remaining = iter(objects)
        while chunk := list(itertools.islice(remaining, AT_ONCE)):
            self._admit(chunk)
            while len(self._flying) > IN_FLIGHT - AT_ONCE:
                self._watch()
        while self._flying:
            self._watch()

    def _admit(self, chunk: Sequence[Listed]) -> None:
        """Send those of which there is something to be done."""
        states, brought = self._standing.of(chunk)
        wanted: dict[Listed, int] = {}
        for listed in chunk:
            state = states.get(listed.key)
            known = _hopeless(listed) or (state and self._known(listed, state, listed.key in brought))
            if known:
                self._tell(known)
            else:
                wanted[listed] = state.revision if state else 0
        todo = list(wanted)
        for start in range(0, len(todo), SENT_AT_ONCE):
            batch = todo[start : start + SENT_AT_ONCE]
            self._sender.send(batch)
            at = time.monotonic()
            self._flying |= {listed: _Sent(at, wanted[listed]) for listed in batch}
            self._changed = at

    def _known(self, listed: Listed, state: ObjectState, indexed: bool) -> Ended | None:
        """How an object ended before, if it has not changed since."""
        if state.etag != listed.etag:
            return None
        match state.status:
            case ObjectStatus.HELD if indexed and self._standing.fits(state):
                return Ended(listed, Ending.SKIPPED)
            case ObjectStatus.REJECTED:
                return _rejected(listed, state)
            case ObjectStatus.DISMISSED:
                return Ended(listed, Ending.SKIPPED, "dismissed", "Its picture was removed through the API.")
        return None

    def _watch(self) -> None:
        """Look at those that were looked at longest ago."""
        oldest = list(itertools.islice(self._flying, AT_ONCE))
        states, brought = self._standing.of(oldest)
        now = time.monotonic()
        ended: list[_Sent] = []
        for listed in oldest:
            sent = self._flying.pop(listed)
            outcome = self._outcome(listed, sent, states.get(listed.key), brought.get(listed.key))
            if outcome:
                self._tell(outcome)
                ended.append(sent)
            else:
                self._flying[listed] = sent
        if ended:
            self._changed, self._pause = now, PAUSES[0]
            newest = max(sent.at for sent in ended)
            self._give_up([one for one, sent in self._flying.items() if sent.at < newest - HOPELESS_SECONDS])
        elif now - self._changed > QUIET_SECONDS and not self._sender.waiting():
            self._give_up(list(self._flying))
            raise Stalled
        else:
            time.sleep(self._pause)
            self._pause = min(PAUSES[1], self._pause * 1.5)

    def _outcome(self, listed: Listed, sent: _Sent, state: ObjectState | None, brought: bool | None) -> Ended | None:
        if state is None:
            return None
        touched = state.revision > sent.revision
        match state.status:
            case ObjectStatus.HELD if brought is not None and (
                touched or (state.etag == listed.etag and self._standing.fits(state))
            ):
                return Ended(listed, Ending.INDEXED if brought else Ending.DUPLICATE)
            case ObjectStatus.REJECTED if touched or state.etag == listed.etag:
                return _rejected(listed, state)
            case ObjectStatus.REMOVED if touched:
                return Ended(listed, Ending.REJECTED, "gone", REFUSAL_CODES["gone"])
        return None

    def _give_up(self, objects: Iterable[Listed]) -> None:
        for listed in objects:
            del self._flying[listed]
            self._tell(
                Ended(listed, Ending.UNSETTLED, "unsettled", "Nothing became of it: look with `redrive --list`.")
            )


def _rejected(listed: Listed, state: ObjectState) -> Ended:
    return Ended(listed, Ending.REJECTED, state.code or "", state.reason or "")


def _hopeless(listed: Listed) -> Ended | None:
    """How an object ends that need not be sent."""
    if listed.key.endswith("/") and listed.size == 0:
        return Ended(listed, Ending.SKIPPED)  # what consoles make to show a folder
    if listed.size > MAX_UPLOAD_BYTES:
        return Ended(
            listed, Ending.REJECTED, "too_large", f"{listed.size:,} bytes; at most {MAX_UPLOAD_BYTES:,} are taken."
        )
    return None
