"""Batches of which DynamoDB leaves some items undone."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from shared.aws.dynamodb import batches
from shared.aws.dynamodb.batches import batch_delete, batch_get, projection
from shared.aws.transient_errors import is_transient

KEYS = [{"pk": {"S": f"p{number}"}, "sk": {"S": "s"}} for number in range(250)]


class BusyTable:
    """A table that does `done` items of each call, and leaves the others.

    Attributes:
        calls: the number of items in each call.
    """

    def __init__(self, done: int) -> None:
        self.done = done
        self.calls: list[int] = []
        self.deleted: list[Any] = []
        self.requests: list[Any] = []

    def batch_get_item(self, **request: Any) -> Any:
        self.requests.append(request["RequestItems"]["t"])
        keys = self._called(self.requests[-1]["Keys"])
        left = {"t": {"Keys": keys[self.done :], "ConsistentRead": True}} if keys[self.done :] else {}
        return {"Responses": {"t": keys[: self.done]}, "UnprocessedKeys": left}

    def batch_write_item(self, **request: Any) -> Any:
        writes = self._called(request["RequestItems"]["t"])
        self.deleted += [write["DeleteRequest"]["Key"] for write in writes[: self.done]]
        return {"UnprocessedItems": {"t": writes[self.done :]} if writes[self.done :] else {}}

    def _called(self, entries: Any) -> Any:
        self.calls.append(len(entries))
        return entries


def client(done: int) -> Any:
    return BusyTable(done)


def test_what_was_left_is_read_after_growing_pauses() -> None:
    table, pauses = client(40), list[float]()
    assert list(batch_get(table, "t", KEYS, pause=pauses.append)) == KEYS
    assert table.calls == [100, 60, 20, 100, 60, 20, 50, 10]
    assert len(pauses) == 5
    assert all(0 <= pause <= batches.FIRST_PAUSE * 2 for pause in pauses)


def test_the_request_is_repeated_as_it_was() -> None:
    table = client(60)
    list(batch_get(table, "t", KEYS[:100], projection("a"), consistent=False, pause=lambda _: None))
    for request in table.requests:
        assert request["ConsistentRead"] is False
        assert request["ProjectionExpression"] == "#a"


def test_a_table_that_stays_busy_is_an_outage() -> None:
    for work in (
        lambda table, pause: list(batch_get(table, "t", KEYS, pause=pause)),
        lambda table, pause: batch_delete(table, "t", KEYS, pause=pause),
    ):
        table, pauses = client(0), list[float]()
        with pytest.raises(ClientError) as raised:
            work(table, pauses.append)
        assert is_transient(raised.value)
        assert len(table.calls) == batches.ATTEMPTS
        assert len(pauses) == batches.ATTEMPTS - 1
        assert sum(pauses) <= batches.FIRST_PAUSE * (2 ** len(pauses) - 1)


def test_deletions_are_in_order_and_complete() -> None:
    table, pauses = client(20), list[float]()
    batch_delete(table, "t", [key | {"more": {"S": "x"}} for key in KEYS[:60]], pause=pauses.append)
    assert table.deleted == KEYS[:60]
    assert table.calls == [25, 5, 25, 5, 10]
    assert len(pauses) == 2
