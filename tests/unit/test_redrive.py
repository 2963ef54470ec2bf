"""Which dead letters `python -m infra.operate redrive` sends back, and when it ends."""

import argparse
import time
from collections.abc import Iterator, Sequence
from typing import Any, Final

import pytest
from botocore.exceptions import ClientError

from infra.operate import redrive
from infra.operate.deployed_stack import DeployedStack

STACK: Final = DeployedStack("PicTrace", {"QueueUrl": "queue", "DeadLetterQueueUrl": "dead"})
NEWER: Final = time.time() + 3600


def letter(name: str, sent: float = 1_000) -> dict[str, Any]:
    attributes = {"SentTimestamp": str(int(sent * 1000))}
    return {"MessageId": name, "ReceiptHandle": f"receipt of {name}", "Body": name, "Attributes": attributes}


class Sqs:
    """A dead-letter queue whose receives return what a test says, as those of SQS return what their servers have."""

    class exceptions:  # noqa: N801 - boto3's name
        ClientError = ClientError

    def __init__(self, receives: Sequence[Sequence[dict[str, Any]]], count: int, refuses: str = "") -> None:
        self._receives: Iterator[Sequence[dict[str, Any]]] = iter(receives)
        self._refuses = refuses
        self.count = count
        self.sent: list[dict[str, Any]] = []
        self.visible: list[str] = []

    def receive_message(self, **_: object) -> dict[str, Any]:
        return {"Messages": next(self._receives, [])}

    def send_message(self, **message: Any) -> None:
        if message["MessageBody"] == self._refuses:
            raise ClientError({"Error": {"Code": "InvalidMessageContents", "Message": "no"}}, "SendMessage")
        self.sent.append(message)

    def delete_message(self, **_: object) -> None:
        self.count -= 1

    def change_message_visibility(self, *, ReceiptHandle: str, **_: object) -> None:  # noqa: N803 - boto3's name
        self.visible.append(ReceiptHandle)

    def get_queue_attributes(self, **_: object) -> dict[str, Any]:
        return {
            "Attributes": {"ApproximateNumberOfMessages": str(self.count), "ApproximateNumberOfMessagesNotVisible": "0"}
        }

    def bodies(self) -> list[str]:
        return [message["MessageBody"] for message in self.sent]


def run(sqs: Sqs, monkeypatch: pytest.MonkeyPatch, stack: DeployedStack = STACK) -> int:
    monkeypatch.setattr(redrive, "sqs_client", lambda: sqs)
    return redrive.run(argparse.Namespace(yes=True, list=False), stack)


def test_a_refused_message_that_comes_again_does_not_end_the_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first = [letter("a"), letter("refused")]
    sqs = Sqs([first, [], first, [letter("refused")], [letter("b")], []], count=3, refuses="refused")
    assert run(sqs, monkeypatch) == 1
    assert sqs.bodies() == ["a", "b"]
    said = capsys.readouterr()
    assert said.out.endswith("\n2 sent back to the queue.\n")
    assert said.err.count("a message stays") == 1
    assert "receipt of refused" in sqs.visible, "the next run sees it at once"


def test_messages_that_come_meanwhile_neither_end_the_command_nor_are_sent_back(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    newer = [letter(f"new {number}", NEWER) for number in range(10)]
    sqs = Sqs([[letter("a")], [], newer, [letter("a")], []], count=1)
    sqs.count += len(newer)
    assert run(sqs, monkeypatch) == 0
    assert sqs.bodies() == ["a"]
    assert "10 came into the dead-letter queue since then and stay" in capsys.readouterr().out


def test_the_command_ends_while_messages_keep_coming_and_says_what_is_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    flood = [[letter(f"new {number}", NEWER)] for number in range(1_000)]
    sqs = Sqs([[letter("a")], [], [letter("a")], *flood], count=5 + redrive.MAX_FRUITLESS)
    assert run(sqs, monkeypatch) == 1
    assert sqs.bodies() == ["a"]
    assert "about 4 more stay there. Run the command again." in capsys.readouterr().err


def task(name: str, group: str) -> dict[str, Any]:
    found = letter(name)
    return found | {"Attributes": found["Attributes"] | {"MessageGroupId": group}}


def test_tasks_on_people_go_back_in_their_groups_and_none_overtakes_one_that_was_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tasks = [task("a1", "a"), task("a2", "a"), task("b1", "b"), task("a3", "a")]
    people = {"PeopleQueueUrl": "people.fifo", "PeopleDeadLetterQueueUrl": "dead.fifo"}
    sqs = Sqs([[], tasks, [], tasks, []], count=4, refuses="a2")
    assert run(sqs, monkeypatch, DeployedStack("PicTrace", {**STACK.outputs, **people})) == 1
    assert sqs.sent == [
        {"QueueUrl": "people.fifo", "MessageBody": name, "MessageGroupId": group, "MessageDeduplicationId": name}
        for name, group in (("a1", "a"), ("b1", "b"))
    ]
    said = capsys.readouterr()
    assert "4 messages in the dead-letter queue of tasks on people:" in said.out
    assert "no reason is kept with a task" in said.out
    assert "about 1 more" in said.err
