"""The queue of tasks on faces and persons."""

from typing import TYPE_CHECKING
from uuid import uuid4

from shared.aws.own_messages import people_task
from shared.domain.people.ports import SettleImage, Task

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class QueuedTasks:
    """A FIFO queue whose groups are the collections; see `shared.domain.people.ports.Tasks`."""

    def __init__(self, client: "SQSClient", queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def send(self, task: Task) -> None:
        """Queue a task. Equal tasks are all handled: what they are about may have changed in between."""
        collection = task.image.collection if isinstance(task, SettleImage) else task.collection
        self._client.send_message(
            QueueUrl=self._queue_url,
            MessageBody=people_task(task),
            MessageGroupId=collection,
            MessageDeduplicationId=uuid4().hex,
        )
