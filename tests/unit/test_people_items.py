"""Faces and persons in DynamoDB, where a table that is large enough would take an emulator minutes."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from shared.aws import messages
from shared.aws.dynamodb.people import ERASED_PAGES, DynamoPeople
from shared.aws.own_messages import delayed_task, people_task
from shared.domain.events import DelayedTask, PeopleTask
from shared.domain.ledger import ImageKey
from shared.domain.people.ports import EraseFaces, MoveFaces, SettleImage, Task
from shared.domain.people.records import face_id


class Links:
    """A client of a table whose faces are erased, and which has pages of links left."""

    def __init__(self, pages: int) -> None:
        self.pages = [[{"pk": {"S": "people#c"}, "sk": {"S": f"face#{number}"}}] for number in range(pages)]

    def get_paginator(self, _: str) -> Any:
        return SimpleNamespace(paginate=self._paginate)

    def _paginate(self, *, ExpressionAttributeValues: Any, **_: Any) -> Iterator[Any]:  # noqa: N803 - the API's name
        if ExpressionAttributeValues[":pk"]["S"] == "people#c":
            yield from [{"Items": page} for page in self.pages]

    def batch_write_item(self, *, RequestItems: Any) -> Any:  # noqa: N803 - the API's name
        gone = [request["DeleteRequest"]["Key"] for request in RequestItems["t"]]
        self.pages = [page for page in self.pages if page[0] not in gone]
        return {}


def test_one_call_erases_a_bounded_number_of_persons_and_says_that_more_are_left() -> None:
    client: Any = Links(2 * ERASED_PAGES + 1)
    people = DynamoPeople(client, "t")
    assert people.erase("c", 200) == (0, True)
    assert people.erase("c", 200) == (0, True)
    assert len(client.pages) == 1
    assert people.erase("c", 200) == (0, False)
    assert client.pages == []


@pytest.mark.parametrize(
    "task",
    [
        SettleImage(ImageKey("c", "0" * 64)),
        SettleImage(ImageKey("c", "0" * 64), "2026-12-01T12:00:00+00:00"),
        MoveFaces("c", "1" * 32),
        MoveFaces("c", "1" * 32, face_id("0" * 64, "model", 3)),
        EraseFaces("c"),
    ],
)
def test_tasks_are_read_as_they_were_sent(task: Task) -> None:
    assert messages.parse(people_task(task)) == [PeopleTask(task)]
    assert messages.parse(delayed_task(task)) == [DelayedTask(task)]
