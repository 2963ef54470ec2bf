"""The dead-letter queue: what is in it and why, and back to the queue with it once the cause is mended."""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from tqdm import tqdm

from infra.operate.prompts import confirm, printable
from infra.operate.stack import Stack
from shared.aws import messages
from shared.aws.clients import sqs_client
from shared.aws.dead_letters import REASON
from shared.domain.events import Ignored, Reindex, UrlSubmitted

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

SHOWN: Final = 20
HELD_SECONDS: Final = 60
"""How long messages that are being moved are out of sight of others."""
UNKNOWN: Final = "not said: the function was stopped or did not start at every attempt; see its log"


def add_parser(subparsers: "Subparsers") -> None:
    parser = subparsers.add_parser(
        "redrive",
        help="show the dead-letter queue and send its messages back",
        description="Show the first messages of the dead-letter queue with what was wrong with them, then, when told "
        "so, send all of them back to the queue. Each is removed only after it was sent, so none is lost; what fails "
        "again comes back here, once more with its reason.",
    )
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--yes", action="store_true", help="send them back without asking")
    choice.add_argument("--list", action="store_true", help="only show them")
    parser.set_defaults(run=run)


@dataclass(frozen=True, slots=True)
class Letter:
    """A message of the dead-letter queue.

    Attributes:
        receipt: what the queue wants to see to remove it.
        sent: seconds since 1970 at which it was sent, to this queue or, if the queue moved it, to the first one.
    """

    message_id: str
    receipt: str
    body: str
    reason: str
    sent: float

    @classmethod
    def of(cls, message: "MessageTypeDef") -> "Letter":
        attributes = message.get("MessageAttributes", {})
        said = attributes[REASON]["StringValue"] if REASON in attributes else UNKNOWN
        sent = int(message["Attributes"]["SentTimestamp"]) / 1000
        return cls(message["MessageId"], message["ReceiptHandle"], message["Body"], said, sent)

    def line(self) -> str:
        when = datetime.fromtimestamp(self.sent, UTC).isoformat(sep=" ", timespec="seconds").removesuffix("+00:00")
        return f"{when}  {about(self.body)}\n    {printable(self.reason)}"


def about(body: str) -> str:
    """What a message is about, as one printable line."""
    try:
        named = [
            event.url
            if isinstance(event, UrlSubmitted)
            else event.reason
            if isinstance(event, Ignored)
            else f"{event.image_key.collection}/{event.image_key.image_id} by {event.model}"
            if isinstance(event, Reindex)
            else f"{type(event).__name__.lower()} s3://{event.object.bucket}/{event.object.key}"
            for event in messages.parse(body)
        ]
        text = ", ".join(named)
    except messages.UnknownMessage:
        text = body[:200]
    return printable(text)


def run(args: argparse.Namespace, stack: Stack) -> int:
    sqs = sqs_client()
    dead, queue = stack.outputs["DeadLetterQueueUrl"], stack.outputs["QueueUrl"]
    first = list(_first(sqs, dead))
    if not first:
        print("The dead-letter queue is empty.")
        return 0
    count = max(len(first), waiting(sqs, dead))
    print(f"{count} messages in the dead-letter queue" + (f", the first {len(first)}:" if count > len(first) else ":"))
    for letter in first:
        print(letter.line())
    if args.list or not (args.yes or confirm(f"Send {count} back to the queue?")):
        return 0
    moved, refused = move(sqs, dead, queue, count)
    print(f"{moved} sent back to the queue.")
    for reason in refused:
        print(f"pictrace: one stays in the dead-letter queue: {reason}", file=sys.stderr)
    return 1 if refused else 0


def waiting(sqs: "SQSClient", queue_url: str) -> int:
    """About how many messages the queue holds."""
    found = sqs.get_queue_attributes(
        QueueUrl=queue_url, AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    )["Attributes"]
    return int(found["ApproximateNumberOfMessages"]) + int(found["ApproximateNumberOfMessagesNotVisible"])


def move(sqs: "SQSClient", dead: str, queue: str, count: int) -> tuple[int, Sequence[str]]:
    """Send every message that was dead when this began to the queue, then remove it here.

    Returns:
        How many went, and why others could not.
    """
    began, moved, refused = time.time(), 0, {}
    with tqdm(total=count, desc="sending back", unit="message") as bar:
        while letters := [letter for letter in _receive(sqs, dead, HELD_SECONDS) if letter.message_id not in refused]:
            old = [letter for letter in letters if letter.sent < began]
            for letter in old:
                try:
                    sqs.send_message(QueueUrl=queue, MessageBody=letter.body)
                except sqs.exceptions.ClientError as error:
                    refused[letter.message_id] = str(error)
                    continue
                sqs.delete_message(QueueUrl=dead, ReceiptHandle=letter.receipt)
                moved += 1
                bar.update()
            if not old:
                break
    return moved, list(refused.values())


def _first(sqs: "SQSClient", dead: str) -> Iterator[Letter]:
    """Some messages; they stay where they are."""
    seen: dict[str, Letter] = {}
    while len(seen) < SHOWN and (letters := _receive(sqs, dead, HELD_SECONDS)):
        seen |= {letter.message_id: letter for letter in letters}
    for letter in seen.values():
        sqs.change_message_visibility(QueueUrl=dead, ReceiptHandle=letter.receipt, VisibilityTimeout=0)
        yield letter


def _receive(sqs: "SQSClient", queue_url: str, hidden_seconds: int) -> list[Letter]:
    """A few messages, or none where the queue holds none; long polling asks all of its servers."""
    found = sqs.receive_message(
        QueueUrl=queue_url,
        MaxNumberOfMessages=10,
        VisibilityTimeout=hidden_seconds,
        WaitTimeSeconds=1,
        MessageAttributeNames=[REASON],
        MessageSystemAttributeNames=["SentTimestamp"],
    )
    return [Letter.of(message) for message in found.get("Messages", [])]
