"""What every store of API keys does."""

import hashlib
import hmac
import re
from typing import Any

import pytest

from shared.domain.access import Scope
from shared.domain.api_keys import MAX_CACHED_KEYS, StoredApiKeys
from shared.domain.errors import NotFound, RateLimited, Unauthenticated
from shared.domain.limits import KEY_CACHE_SECONDS
from tests.contract.stores.conftest import Store


class Clock:
    """A clock in seconds since the epoch that starts at the beginning of a minute."""

    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(store: Store, clock: Clock) -> StoredApiKeys:
    return store.keys(clock, clock)


def create_key(keys: StoredApiKeys, **changes: Any) -> str:
    _, text = keys.create(
        **{
            "name": "test",
            "scopes": frozenset({Scope.SEARCH}),
            "collections": frozenset({"cats"}),
            "per_minute": 100,
            **changes,
        }
    )
    return text


def test_a_key_identifies_its_caller(keys: StoredApiKeys) -> None:
    text = create_key(keys, scopes=frozenset({Scope.SEARCH, Scope.WRITE}))
    assert re.fullmatch(r"pt_[0-9a-f]{16}_[A-Za-z0-9_-]{43}", text)
    caller = keys.verify(text)
    assert caller.name == text.split("_")[1]
    assert (caller.scopes, caller.collections) == (frozenset({Scope.SEARCH, Scope.WRITE}), frozenset({"cats"}))
    assert keys.verify(create_key(keys, collections=None)).collections is None


def test_keys_are_listed_as_they_were_created_oldest_first(keys: StoredApiKeys, clock: Clock) -> None:
    made = []
    for changes in ({"expires": "2027-06-30T00:00:00+00:00"}, {"collections": None}, {"per_minute": 7}):
        clock.now += 1
        wanted = {"name": "é", "scopes": frozenset(Scope), "collections": frozenset({"a", "b"}), "per_minute": 5}
        made.append(keys.create(**(wanted | changes))[0])  # type: ignore[arg-type]
    ids = [key.key_id for key in made]
    assert [key for key in keys.list_all() if key.key_id in ids] == made
    keys.delete(ids[0])
    keys.delete(ids[0])
    revoked = keys.revoke(ids[1])
    assert revoked.state(revoked.created_at) == "revoked"
    assert [key for key in keys.list_all() if key.key_id in ids] == [revoked, made[2]]


def test_only_a_hash_of_a_key_is_stored(keys: StoredApiKeys, store: Store) -> None:
    text = create_key(keys)
    keys.verify(text)
    _, key_id, secret = text.split("_", 2)
    stored = store.text()
    assert key_id in stored
    assert hashlib.sha256(secret.encode()).hexdigest() in stored
    assert not [part for part in (secret, secret[:12], secret[-12:]) if part in stored]


def test_secrets_are_compared_in_constant_time_whether_or_not_the_key_exists(
    keys: StoredApiKeys, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each call compares two hashes of 64 digits once, and never the secrets themselves."""
    compared: list[tuple[str, str]] = []
    genuine = hmac.compare_digest

    def compare_digest(a: str, b: str) -> bool:
        compared.append((a, b))
        return genuine(a, b)

    text, expired = create_key(keys), create_key(keys, expires="2027-01-15T08:00:10+00:00")
    clock.now += 20
    monkeypatch.setattr(hmac, "compare_digest", compare_digest)
    keys.verify(text)
    wrong = (text[:-1] + ("A" if text[-1] != "A" else "B"), f"pt_{'0' * 16}_{'A' * 43}", expired)
    for given in wrong:
        with pytest.raises(Unauthenticated):
            keys.verify(given)
    assert len(compared) == 4
    assert {len(part) for pair in compared for part in pair} == {64}


@pytest.mark.parametrize(
    "given",
    [
        None,
        "",
        "pt_",
        "pt_x_y",
        f"pt_{'0' * 16}_{'A' * 42}",
        f"pt_{'0' * 16}_{'A' * 43}\n",
        f"pt_{'é' * 16}_{'A' * 43}",
    ],
)
def test_a_malformed_key_is_refused_without_a_read(
    keys: StoredApiKeys, given: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "_read", None)
    with pytest.raises(Unauthenticated):
        keys.verify(given)


def test_a_key_stops_working_when_it_expires(keys: StoredApiKeys, clock: Clock) -> None:
    text = create_key(keys, expires="2027-01-15T08:00:10+00:00")
    keys.verify(text)
    clock.now += 10
    with pytest.raises(Unauthenticated):
        keys.verify(text)


def test_a_revoked_key_stops_working_within_the_cache_time(keys: StoredApiKeys, clock: Clock, store: Store) -> None:
    text = create_key(keys)
    keys.verify(text)
    elsewhere = store.keys(clock, clock)
    first = elsewhere.revoke(text.split("_")[1])
    clock.now += KEY_CACHE_SECONDS - 1
    assert elsewhere.revoke(text.split("_")[1]).revoked_at == first.revoked_at
    keys.verify(text)
    clock.now += 1
    with pytest.raises(Unauthenticated):
        keys.verify(text)
    with pytest.raises(NotFound):
        keys.revoke("0" * 16)


@pytest.mark.parametrize(("seconds", "steady_seconds"), [(-KEY_CACHE_SECONDS / 2, KEY_CACHE_SECONDS), (3600, 0)])
def test_a_revoked_key_stops_working_whichever_clock_is_wrong(
    store: Store, clock: Clock, seconds: float, steady_seconds: float
) -> None:
    """The clock is set back, or the process is frozen for an hour."""
    steady = Clock()
    keys = store.keys(clock, steady)
    text = create_key(keys)
    keys.verify(text)
    keys.revoke(text.split("_")[1])
    clock.now += seconds
    steady.now += steady_seconds
    with pytest.raises(Unauthenticated):
        keys.verify(text)


def test_each_key_has_its_own_rate_limit(keys: StoredApiKeys, clock: Clock) -> None:
    text, free = create_key(keys, per_minute=3), create_key(keys)
    for _ in range(3):
        keys.verify(text)
    clock.now += 18
    for _ in range(3):
        with pytest.raises(RateLimited) as refused:
            keys.verify(text)
        assert refused.value.retry_after == 42
    keys.verify(free)
    clock.now += 42
    keys.verify(text)


def test_unknown_keys_do_not_fill_the_cache(keys: StoredApiKeys, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[str] = []
    monkeypatch.setattr(keys, "_read", reads.append)
    for number in (*range(MAX_CACHED_KEYS + 200), MAX_CACHED_KEYS + 199):
        with pytest.raises(Unauthenticated):
            keys.verify(f"pt_{number:016x}_{'A' * 43}")
    assert len(keys._cache) == MAX_CACHED_KEYS
    assert len(reads) == MAX_CACHED_KEYS + 200
