"""A task on people whose vector index is being built waits outside its queue, and not for ever."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from functions.ingest.dispatcher import Dispatcher
from shared.domain.errors import IndexNotReady
from shared.domain.events import DelayedTask, PeopleTask
from shared.domain.ledger import ImageKey
from shared.domain.limits import CHECK_HOURS
from shared.domain.people.ports import EraseFaces, SettleImage, Task

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
TASK = SettleImage(ImageKey("c", "0" * 64))


class Queues:
    """What is sent, and a dispatcher whose index of faces is not ready."""

    def __init__(self) -> None:
        self.delayed: list[Task] = []
        self.turns: list[Task] = []
        unused: Any = None
        messages: Any = SimpleNamespace(delay_task=self.delayed.append)
        tasks: Any = SimpleNamespace(send=self.turns.append)
        self.dispatcher = Dispatcher(
            indexer=unused,
            grouper=unused,
            reindexer=unused,
            purger=unused,
            trash=unused,
            scanner=unused,
            people=self.handle,
            tasks=tasks,
            faces=unused,
            messages=messages,
            catalogue=unused,
            uploads=unused,
            fetcher=unused,
            bucket="b",
            source_buckets=(),
            publish=lambda _: None,
            clock=lambda: NOW,
        )

    def handle(self, _: Task) -> None:
        raise IndexNotReady


@pytest.mark.parametrize("hours", [None, 0, CHECK_HOURS])
def test_a_task_waits_while_the_index_is_built(hours: int | None) -> None:
    queues, since = Queues(), (NOW - timedelta(hours=hours or 0)).isoformat()
    queues.dispatcher.dispatch(PeopleTask(replace(TASK, unready_since=None if hours is None else since)), "1")
    assert queues.delayed == [replace(TASK, unready_since=since)]


def test_a_task_is_given_up_after_hours() -> None:
    queues, since = Queues(), (NOW - timedelta(hours=CHECK_HOURS, seconds=1)).isoformat()
    outcome = queues.dispatcher.dispatch(PeopleTask(replace(TASK, unready_since=since)), "1")
    assert outcome.reason == "the vector index of faces was not ready for 12 hours"
    assert queues.delayed == []


def test_a_task_that_has_waited_takes_its_turn() -> None:
    queues, waited = Queues(), replace(TASK, unready_since=NOW.isoformat())
    queues.dispatcher.dispatch(DelayedTask(waited), "1")
    assert queues.turns == [waited]


def test_a_task_that_needs_no_index_fails() -> None:
    with pytest.raises(IndexNotReady):
        Queues().dispatcher.dispatch(PeopleTask(EraseFaces("c")), "1")
