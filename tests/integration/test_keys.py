"""API keys in the table, and the command that manages them."""

import hashlib
import hmac
import json
import re
from typing import Any

import boto3
import pytest

from infra.local.cloud import STACK
from infra.operate.__main__ import main
from shared.aws.clients import dynamodb_client
from shared.aws.dynamodb.api_keys import DynamoApiKeys
from shared.domain.access import Scope
from shared.domain.api_keys import MAX_CACHED_KEYS
from shared.domain.errors import NotFound, RateLimited, Unauthenticated
from shared.domain.limits import KEY_CACHE_SECONDS, KEY_CALLS_PER_MINUTE
from tests.conftest import PicTrace


class Clock:
    """A clock in seconds since the epoch that starts at the beginning of a minute."""

    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(running: PicTrace, clock: Clock) -> DynamoApiKeys:
    return DynamoApiKeys(dynamodb_client(), running.cloud.outputs["TableName"], clock)


def create_key(keys: DynamoApiKeys, **changes: Any) -> str:
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


def everything_stored(running: PicTrace) -> str:
    pages = boto3.client("dynamodb").get_paginator("scan").paginate(TableName=running.cloud.outputs["TableName"])
    items = [item for page in pages for item in page["Items"] if not item["pk"]["S"].startswith("image#")]
    return json.dumps(items, default=str)


def test_a_key_identifies_its_caller(keys: DynamoApiKeys) -> None:
    text = create_key(keys, scopes=frozenset({Scope.SEARCH, Scope.WRITE}))
    assert re.fullmatch(r"pt_[0-9a-f]{16}_[A-Za-z0-9_-]{43}", text)
    caller = keys.verify(text)
    assert caller.name == text.split("_")[1]
    assert (caller.scopes, caller.collections) == (frozenset({Scope.SEARCH, Scope.WRITE}), frozenset({"cats"}))
    assert keys.verify(create_key(keys, collections=None)).collections is None


def test_only_a_hash_of_a_key_is_stored(keys: DynamoApiKeys, running: PicTrace) -> None:
    text = create_key(keys)
    keys.verify(text)
    _, key_id, secret = text.split("_", 2)
    stored = everything_stored(running)
    assert key_id in stored
    assert hashlib.sha256(secret.encode()).hexdigest() in stored
    assert not [part for part in (secret, secret[:12], secret[-12:]) if part in stored]


def test_secrets_are_compared_in_constant_time_whether_or_not_the_key_exists(
    keys: DynamoApiKeys, clock: Clock, monkeypatch: pytest.MonkeyPatch
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
    keys: DynamoApiKeys, given: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "_client", None)
    with pytest.raises(Unauthenticated):
        keys.verify(given)


def test_a_key_stops_working_when_it_expires(keys: DynamoApiKeys, clock: Clock) -> None:
    text = create_key(keys, expires="2027-01-15T08:00:10+00:00")
    keys.verify(text)
    clock.now += 10
    with pytest.raises(Unauthenticated):
        keys.verify(text)


def test_a_revoked_key_stops_working_within_the_cache_time(
    keys: DynamoApiKeys, clock: Clock, running: PicTrace
) -> None:
    text = create_key(keys)
    keys.verify(text)
    elsewhere = DynamoApiKeys(dynamodb_client(), running.cloud.outputs["TableName"], clock)
    first = elsewhere.revoke(text.split("_")[1])
    clock.now += KEY_CACHE_SECONDS - 1
    assert elsewhere.revoke(text.split("_")[1]).revoked_at == first.revoked_at
    keys.verify(text)
    clock.now += 1
    with pytest.raises(Unauthenticated):
        keys.verify(text)
    with pytest.raises(NotFound):
        keys.revoke("0" * 16)


def test_a_revoked_key_stops_working_when_the_clock_is_set_back(running: PicTrace, clock: Clock) -> None:
    steady = Clock()
    keys = DynamoApiKeys(dynamodb_client(), running.cloud.outputs["TableName"], clock, steady)
    key = create_key(keys)
    keys.verify(key)
    keys.revoke(key.split("_")[1])
    clock.now -= KEY_CACHE_SECONDS / 2
    steady.now += KEY_CACHE_SECONDS
    with pytest.raises(Unauthenticated):
        keys.verify(key)


def test_each_key_has_its_own_rate_limit_across_processes(keys: DynamoApiKeys, clock: Clock, running: PicTrace) -> None:
    other = DynamoApiKeys(dynamodb_client(), running.cloud.outputs["TableName"], clock)
    text, free = create_key(keys, per_minute=3), create_key(keys)
    keys.verify(text)
    other.verify(text)
    keys.verify(text)
    clock.now += 18
    for process in (other, keys, keys):
        with pytest.raises(RateLimited) as refused:
            process.verify(text)
        assert refused.value.retry_after == 42
    keys.verify(free)
    clock.now += 42
    keys.verify(text)
    assert f'"minute#{int(clock.now // 60)}"' in everything_stored(running)


def test_unknown_keys_do_not_fill_the_cache(keys: DynamoApiKeys, monkeypatch: pytest.MonkeyPatch) -> None:
    class Nothing:
        reads = 0

        def get_item(self, **_: Any) -> dict[str, Any]:
            self.reads += 1
            return {}

    nothing = Nothing()
    monkeypatch.setattr(keys, "_client", nothing)
    for number in (*range(MAX_CACHED_KEYS + 200), MAX_CACHED_KEYS + 199):
        with pytest.raises(Unauthenticated):
            keys.verify(f"pt_{number:016x}_{'A' * 43}")
    assert len(keys._cache) == MAX_CACHED_KEYS
    assert nothing.reads == MAX_CACHED_KEYS + 200


class TestCommand:
    """`python -m infra.operate keys`."""

    @staticmethod
    def run(*arguments: str) -> int:
        return main(["--stack", STACK, "keys", *arguments])

    def test_a_key_is_created_listed_and_revoked(
        self, keys: DynamoApiKeys, running: PicTrace, capsys: pytest.CaptureFixture[str]
    ) -> None:
        wanted = ("--name", "Nightly import", "--scope", "write", "--collection", "cats", "--collection", "dogs")
        assert self.run("create", *wanted) == 0
        made = capsys.readouterr()
        text = made.out.strip()
        key_id = text.split("_")[1]
        assert "not stored and not shown again" in made.err
        assert text not in made.err
        fresh = DynamoApiKeys(dynamodb_client(), running.cloud.outputs["TableName"])
        caller = fresh.verify(text)
        assert (caller.scopes, caller.collections) == (frozenset({Scope.WRITE}), frozenset({"cats", "dogs"}))

        assert self.run("list") == 0
        [line] = [line for line in capsys.readouterr().out.splitlines() if key_id in line]
        assert re.split(r"\s{2,}", line)[1:5] == ["active", "write", "cats,dogs", str(KEY_CALLS_PER_MINUTE)]
        assert text.split("_", 2)[2] not in line

        assert self.run("revoke", text) == 0
        assert f"{key_id} (Nightly import) is revoked" in capsys.readouterr().out
        assert self.run("list") == 0
        assert re.search(rf"{key_id}\s+revoked", capsys.readouterr().out)

    def test_a_key_for_every_collection_must_be_requested_explicitly(
        self, running: PicTrace, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A key without a collection is limited to `default`, which is also what calls without a collection read."""
        fresh = DynamoApiKeys(dynamodb_client(), running.cloud.outputs["TableName"])
        wanted = ("create", "--name", "x", "--scope", "admin")
        for named, reached in (((), frozenset({"default"})), (("--collection", "*"), None)):
            assert self.run(*wanted, *named) == 0
            assert fresh.verify(capsys.readouterr().out.strip()).collections == reached

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            (("create", "--name", "x"), "--scope"),
            (("create", "--scope", "search"), "--name"),
            (("create", "--name", "x", "--scope", "root"), "invalid choice"),
            (("create", "--name", "x", "--scope", "search", "--collection", "A/b"), "is not a collection"),
            (("create", "--name", "x", "--scope", "search", "--per-minute", "0"), "a number from 1"),
            (("create", "--name", "x", "--scope", "search", "--expires", "2020-01-01"), "is in the past"),
            (("create", "--name", "\x1b[2J", "--scope", "search"), "printable"),
            (("revoke", "pt_"), "16 hex digits"),
        ],
    )
    def test_an_invalid_argument_is_named(
        self, arguments: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit):
            self.run(*arguments)
        assert told in capsys.readouterr().err

    def test_an_unknown_key_or_stack_is_reported_in_one_line(
        self, running: PicTrace, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert self.run("revoke", "0" * 16) == 1
        assert main(["--stack", "absent", "keys", "list"]) == 1
        too_many = [part for number in range(21) for part in ("--collection", f"c{number}")]
        assert self.run("create", "--name", "x", "--scope", "search", *too_many) == 1
        said = capsys.readouterr().err.splitlines()
        assert len(said) == 3
        assert all(line.startswith("pictrace: ") for line in said)
        assert "Name the stack with --stack" in said[1]
