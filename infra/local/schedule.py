"""The scheduled rules of the stack on this machine, whose emulator fires none: each when it starts, and then daily."""

import json
import threading
from typing import TYPE_CHECKING, Any, Final

from infra.local import template as templates

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

SECONDS: Final = 86_400
"""Time between two messages; every schedule of the stack is daily."""


def scheduled_messages(template: templates.Template) -> list[str]:
    """Return the messages that scheduled rules send to the queue."""
    rules: Any = templates.resources(template, "AWS::Events::Rule").values()
    return [
        json.dumps(json.loads(target["Input"]))
        for rule in rules
        if "ScheduleExpression" in rule["Properties"]
        for target in rule["Properties"]["Targets"]
    ]


class Schedule:
    """Sends the scheduled messages from a thread of its own."""

    def __init__(self, client: "SQSClient", queue_url: str, template: templates.Template) -> None:
        self._client = client
        self._queue_url = queue_url
        self._messages = scheduled_messages(template)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="schedule", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            for body in self._messages:
                self._client.send_message(QueueUrl=self._queue_url, MessageBody=body)
            if self._stopped.wait(SECONDS):
                return
