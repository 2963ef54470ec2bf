"""Show the messages of the dead-letter queues and their reasons, and send them back once the cause is fixed."""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from tqdm import tqdm

from infra.operate.deployed_stack import DeployedStack
from infra.operate.prompts import MAX_SHOWN, confirm, printable
from shared.aws import messages
from shared.aws.clients import sqs_client
from shared.aws.dead_letters import REASON
from shared.domain.events import (
    Created,
    DelayedTask,
    DuplicateCheck,
    DuplicateScanStep,
    FaceScan,
    FindFaces,
    Ignored,
    IngestEvent,
    PeopleTask,
    PurgeTrash,
    Reindex,
    Removed,
    TrashChanged,
    UrlSubmitted,
)
from shared.domain.images import ObjectRef

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

VISIBILITY_SECONDS: Final = 60
"""How long a message that is shown or moved is hidden from other receivers."""
MAX_FRUITLESS: Final = 10
"""After how many receives in a row that bring no message to send back the command ends: messages that keep coming in,
or that cannot be sent, must not keep it running."""
NO_REASON: Final = "unknown: the function was stopped or failed to start on every attempt; see its log"
NO_REASON_OF_TASK: Final = "in the log of the ingest function: no reason is kept with a task on people"
FIFO: Final = ".fifo"
"""How the names of FIFO queues end."""


def add_parser(subparsers: "Subparsers") -> None:
    parser = subparsers.add_parser(
        "redrive",
        help="show the dead-letter queues and send their messages back",
        description="Show the first messages of the dead-letter queues, that of images and that of tasks on people, "
        "with their reasons and, once confirmed, send all messages back to their queue. Each is removed only after it "
        "was sent, so none is lost. A message that fails again returns to the dead-letter queue with its new reason.",
    )
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--yes", action="store_true", help="send them back without asking for confirmation")
    choice.add_argument("--list", action="store_true", help="only show the messages")
    parser.set_defaults(run=run)


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue with its dead-letter queue.

    Attributes:
        name: that of the dead-letter queue, in words.
        dead, url: their addresses.
    """

    name: str
    dead: str
    url: str


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message of the dead-letter queue.

    Attributes:
        receipt: the receipt handle with which to remove it.
        sent: when it was sent, in seconds since 1970: to this queue or, if SQS moved it here, to the first one.
        group: of a FIFO queue, the group in which messages are kept in order: the collection.
    """

    message_id: str
    receipt: str
    body: str
    reason: str
    sent: float
    group: str | None

    @classmethod
    def of(cls, message: "MessageTypeDef", *, in_groups: bool) -> "DeadLetter":
        attributes = message.get("MessageAttributes", {})
        unknown = NO_REASON_OF_TASK if in_groups else NO_REASON
        reason = attributes[REASON]["StringValue"] if REASON in attributes else unknown
        sent = int(message["Attributes"]["SentTimestamp"]) / 1000
        group = message["Attributes"]["MessageGroupId"] if in_groups else None
        return cls(message["MessageId"], message["ReceiptHandle"], message["Body"], reason, sent, group)

    def format(self) -> str:
        when = datetime.fromtimestamp(self.sent, UTC).isoformat(sep=" ", timespec="seconds").removesuffix("+00:00")
        return f"{when}  {summarise(self.body)}\n    {printable(self.reason)}"


@dataclass(frozen=True, slots=True)
class Moved:
    """What became of the messages of a dead-letter queue.

    Attributes:
        moved: number of messages that were sent back.
        refused: the reasons why others could not be.
        newer: number of messages that were seen, and came after the start.
        left: about how many others are still there.
    """

    moved: int
    refused: Sequence[str]
    newer: int
    left: int


def summarise(body: str) -> str:
    """Summarise a message's body in one printable line."""
    try:
        text = ", ".join(map(_summarise_event, messages.parse(body)))
    except messages.UnknownMessage:
        text = body[:200]
    return printable(text)


def _summarise_event(event: IngestEvent) -> str:
    kind = type(event).__name__.lower()
    match event:
        case UrlSubmitted():
            text = event.url
        case Ignored():
            text = event.reason
        case PeopleTask() | DelayedTask():
            text = f"people: {event.task}"
        case Reindex():
            text = f"{event.image_key.collection}/{event.image_key.image_id} by {event.model}"
        case DuplicateScanStep() | FaceScan() | PurgeTrash():
            text = f"{kind} of {event.collection or 'every collection'}"
        case DuplicateCheck(object=None) | FindFaces() | TrashChanged():
            text = f"{kind} of {event.image_key.collection}/{event.image_key.image_id}"
        case Created() | Removed() | DuplicateCheck():
            source = event.object or ObjectRef("", "")
            text = f"{kind} s3://{source.bucket}/{source.key}"
    return text


def run(args: argparse.Namespace, stack: DeployedStack) -> int:
    sqs = sqs_client()
    first = {queue: letters for queue in _queues(stack) if (letters := list(_peek(sqs, queue.dead)))}
    if not first:
        print("The dead-letter queues are empty.")
    return max((_redrive(sqs, queue, letters, args) for queue, letters in first.items()), default=0)


def _queues(stack: DeployedStack) -> Iterator[Queue]:
    yield Queue("the dead-letter queue", stack.outputs["DeadLetterQueueUrl"], stack.outputs["QueueUrl"])
    if dead := stack.outputs.get("PeopleDeadLetterQueueUrl"):  # a stack that was deployed earlier has none
        yield Queue("the dead-letter queue of tasks on people", dead, stack.outputs["PeopleQueueUrl"])


def _redrive(sqs: "SQSClient", queue: Queue, first: Sequence[DeadLetter], args: argparse.Namespace) -> int:
    """Show the first dead letters of a queue, and send all back once confirmed."""
    count = max(len(first), count_messages(sqs, queue.dead))
    print(f"{count} messages in {queue.name}" + (f", the first {len(first)}:" if count > len(first) else ":"))
    for letter in first:
        print(letter.format())
    if args.list or not (args.yes or confirm(f"Send {count} back to the queue?")):
        return 0
    result = move_messages(sqs, queue, count)
    print(f"{result.moved} sent back to the queue.")
    if result.newer:
        print(f"{result.newer} came into {queue.name} since then and stay. Run the command again for them.")
    for reason in result.refused:
        print(f"pictrace: a message stays in {queue.name}: {reason}", file=sys.stderr)
    if result.left:
        print(f"pictrace: about {result.left} more stay there. Run the command again.", file=sys.stderr)
    return 1 if result.refused or result.left else 0


def count_messages(sqs: "SQSClient", queue_url: str) -> int:
    """Return the approximate number of messages in the queue."""
    found = sqs.get_queue_attributes(
        QueueUrl=queue_url, AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    )["Attributes"]
    return int(found["ApproximateNumberOfMessages"]) + int(found["ApproximateNumberOfMessagesNotVisible"])


def move_messages(sqs: "SQSClient", queue: Queue, count: int) -> Moved:
    """Send every message that is dead at the start to its queue, then remove it here.

    Of a FIFO queue, the messages of a group stay in order: after one that is refused, the others of its group stay too.

    Args:
        count: about how many these are.
    """
    began, moved, fruitless = time.time(), 0, 0
    refused: dict[str, str] = {}
    kept: dict[str, DeadLetter] = {}
    stopped: set[str] = set()
    with tqdm(total=count, desc="sending back", unit="message") as bar:
        while fruitless < MAX_FRUITLESS and (letters := _receive(sqs, queue.dead, VISIBILITY_SECONDS)):
            fruitless += 1
            for letter in letters:
                if letter.sent < began and letter.message_id not in refused and letter.group not in stopped:
                    fruitless = 0
                    try:
                        _send_back(sqs, queue, letter)
                    except sqs.exceptions.ClientError as error:
                        refused[letter.message_id] = str(error)
                        if letter.group:
                            stopped.add(letter.group)
                    else:
                        sqs.delete_message(QueueUrl=queue.dead, ReceiptHandle=letter.receipt)
                        moved += 1
                        bar.update()
                        continue
                kept[letter.message_id] = letter
    # Both numbers are approximate: one counts messages that others have removed, the other some of those just removed.
    newer = sum(letter.sent >= began for letter in kept.values())
    left = min(count - moved, count_messages(sqs, queue.dead) - newer) - len(refused)
    for letter in kept.values():
        with suppress(sqs.exceptions.ClientError):  # it is visible again already
            sqs.change_message_visibility(QueueUrl=queue.dead, ReceiptHandle=letter.receipt, VisibilityTimeout=0)
    return Moved(moved, list(refused.values()), newer, max(left, 0))


def _send_back(sqs: "SQSClient", queue: Queue, letter: DeadLetter) -> None:
    """Send a message to its queue.

    A FIFO queue drops what has a deduplication id of the last five minutes. A message that came and failed within them
    would be lost if it kept its own id. With the dead letter's, only what an interrupted run has sent is dropped.
    """
    if letter.group is None:
        sqs.send_message(QueueUrl=queue.url, MessageBody=letter.body)
    else:
        sqs.send_message(
            QueueUrl=queue.url,
            MessageBody=letter.body,
            MessageGroupId=letter.group,
            MessageDeduplicationId=letter.message_id,
        )


def _peek(sqs: "SQSClient", dead: str) -> Iterator[DeadLetter]:
    """Yield the first messages and leave them in the queue."""
    seen: dict[str, DeadLetter] = {}
    while len(seen) < MAX_SHOWN and (letters := _receive(sqs, dead, VISIBILITY_SECONDS)):
        seen |= {letter.message_id: letter for letter in letters}
    for letter in seen.values():
        sqs.change_message_visibility(QueueUrl=dead, ReceiptHandle=letter.receipt, VisibilityTimeout=0)
        yield letter


def _receive(sqs: "SQSClient", queue_url: str, hidden_seconds: int) -> list[DeadLetter]:
    """Receive up to ten messages. Long polling asks all servers, so none are returned only if the queue is empty."""
    found = sqs.receive_message(
        QueueUrl=queue_url,
        MaxNumberOfMessages=10,
        VisibilityTimeout=hidden_seconds,
        WaitTimeSeconds=1,
        MessageAttributeNames=[REASON],
        MessageSystemAttributeNames=["SentTimestamp", "MessageGroupId"],
    )
    return [DeadLetter.of(message, in_groups=queue_url.endswith(FIFO)) for message in found.get("Messages", [])]
