"""Which of two models is active, and how often a store is read for it."""

import pytest

from shared.domain.active_model import CACHE_SECONDS
from tests.contract.stores.conftest import Store


def test_a_single_model_needs_no_read(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    active = store.active_model(["a"], lambda: 0.0)
    monkeypatch.setattr(active, "stored", None)
    assert active() == "a"


def test_a_switch_takes_effect_when_the_cache_expires(store: Store) -> None:
    now = [0.0]
    active = store.active_model(["a", "b"], lambda: now[0])
    active.switch("a")
    assert active() == "a"
    store.active_model(["b"], lambda: now[0]).switch("b")
    now[0] = CACHE_SECONDS - 1
    assert active() == "a"
    now[0] = CACHE_SECONDS
    assert active() == "b"
    assert active.stored() == "b"


def test_a_model_that_is_not_loaded_is_not_used(store: Store) -> None:
    active = store.active_model(["a", "b"], lambda: 0.0)
    active.switch("c")
    assert active() == "a"
    assert active.stored() == "c"
    active.switch("a")
