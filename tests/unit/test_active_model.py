"""Which of two models is active, and how often the table is read for it."""

from typing import Any

import pytest

from shared.aws.dynamodb.active_model import CACHE_SECONDS, DynamoActiveModel
from tests.faults.fakes import MemoryTable


@pytest.fixture
def calls() -> list[str]:
    return []


@pytest.fixture
def table(calls: list[str]) -> Any:
    return MemoryTable(calls.append)


def test_a_single_model_needs_no_read(table: Any, calls: list[str]) -> None:
    assert DynamoActiveModel(table, "t", ["a"])() == "a"
    assert not calls


def test_a_switch_takes_effect_when_the_cache_expires(table: Any, calls: list[str]) -> None:
    now = [0.0]
    active = DynamoActiveModel(table, "t", ["a", "b"], clock=lambda: now[0])
    assert active() == "a"
    active.switch("b")
    calls.clear()
    assert active() == "a"
    assert not calls
    now[0] = CACHE_SECONDS
    assert active() == "b"
    assert calls == ["get_item"]


def test_a_model_that_is_not_loaded_is_not_used(table: Any) -> None:
    active = DynamoActiveModel(table, "t", ["a", "b"])
    active.switch("c")
    assert active() == "a"
    assert active.stored() == "c"
