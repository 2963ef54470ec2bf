"""Which of two models is asked, and how often the table is."""

from typing import Any

import pytest

from shared.aws.dynamodb.active_model import CACHE_SECONDS, ActiveModel
from tests.faults.memory import MemoryTable


@pytest.fixture
def calls() -> list[str]:
    return []


@pytest.fixture
def table(calls: list[str]) -> Any:
    return MemoryTable(calls.append)


def test_one_model_needs_no_look(table: Any, calls: list[str]) -> None:
    assert ActiveModel(table, "t", ["a"])() == "a"
    assert not calls


def test_a_switch_is_noticed_after_a_while(table: Any, calls: list[str]) -> None:
    now = [0.0]
    active = ActiveModel(table, "t", ["a", "b"], clock=lambda: now[0])
    assert active() == "a"
    active.switch("b")
    calls.clear()
    assert active() == "a"
    assert not calls
    now[0] = CACHE_SECONDS
    assert active() == "b"
    assert calls == ["get_item"]


def test_a_model_that_is_not_held_is_not_asked(table: Any) -> None:
    active = ActiveModel(table, "t", ["a", "b"])
    active.switch("c")
    assert active() == "a"
    assert active.stored() == "c"
