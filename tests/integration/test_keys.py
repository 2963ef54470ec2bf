"""API keys in the table, and the command that makes them."""

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
from shared.aws.dynamodb.api_keys import MAX_CACHED_KEYS, DynamoApiKeys
from shared.domain.access import Scope
from shared.domain.errors import NotFound, RateLimited, Unauthenticated
from shared.domain.limits import KEY_CACHE_SECONDS, KEY_CALLS_PER_MINUTE
from tests.conftest import PicTrace


class Clock:
    """Seconds since the epoch, at the beginning of a minute."""

    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(running: PicTrace, clock: Clock) -> DynamoApiKeys:
    return DynamoApiKeys(dynamodb_client(), running.cloud.outputs["TableName"], clock)


def made(keys: DynamoApiKeys, **changes: Any) -> str:
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


def test_a_key_names_its_caller(keys: DynamoApiKeys) -> None:
    text = made(keys, scopes=frozenset({Scope.SEARCH, Scope.WRITE}))
    assert re.fullmatch(r"pt_[0-9a-f]{16}_[A-Za-z0-9_-]{43}", text)
    caller = keys.verify(text)
    assert caller.name == text.split("_")[1]
    assert (caller.scopes, caller.collections) == (frozenset({Scope.SEARCH, Scope.WRITE}), frozenset({"cats"}))
    assert keys.verify(made(keys, collections=None)).collections is None


def test_only_a_hash_of_a_key_is_stored(keys: DynamoApiKeys, running: PicTrace) -> None:
    text = made(keys)
    keys.verify(text)
    _, key_id, secret = text.split("_", 2)
    stored = everything_stored(running)
    assert key_id in stored
    assert hashlib.sha256(secret.encode()).hexdigest() in stored
    assert not [part for part in (secret, secret[:12], secret[-12:]) if part in stored]


def test_secrets_are_compared_in_constant_time_whether_or_not_the_key_exists(
    keys: DynamoApiKeys, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One comparison of two hashes of 64 digits each time; never one of the secrets themselves."""
    compared: list[tuple[str, str]] = []
    genuine = hmac.compare_digest

    def compare_digest(a: str, b: str) -> bool:
        compared.append((a, b))
        return genuine(a, b)

    text, expired = made(keys), made(keys, expires="2027-01-15T08:00:10+00:00")
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
def test_what_is_no_key_costs_no_read(keys: DynamoApiKeys, given: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "_client", None)
    with pytest.raises(Unauthenticated):
        keys.verify(given)


def test_an_expired_key_ends_at_its_time(keys: DynamoApiKeys, clock: Clock) -> None:
    text = made(keys, expires="2027-01-15T08:00:10+00:00")
    keys.verify(text)
    clock.now += 10
    with pytest.raises(Unauthenticated):
        keys.verify(text)


def test_a_revoked_key_ends_within_the_time_that_keys_are_remembered(
    keys: DynamoApiKeys, clock: Clock, running: PicTrace
) -> None:
    text = made(keys)
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


def test_each_key_has_its_own_calls_a_minute_counted_over_all_processes(
    keys: DynamoApiKeys, clock: Clock, running: PicTrace
) -> None:
    other = DynamoApiKeys(dynamodb_client(), running.cloud.outputs["TableName"], clock)
    text, free = made(keys, per_minute=3), made(keys)
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


def test_unknown_keys_fill_no_memory(keys: DynamoApiKeys, monkeypatch: pytest.MonkeyPatch) -> None:
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

    def test_a_key_is_made_listed_and_revoked(
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

    def test_every_collection_is_asked_for_by_name(self, running: PicTrace, capsys: pytest.CaptureFixture[str]) -> None:
        """A key that says nothing writes where a call that says nothing reads: in `default`."""
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
    def test_what_is_wrong_is_said(
        self, arguments: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(SystemExit):
            self.run(*arguments)
        assert told in capsys.readouterr().err

    def test_no_key_and_no_stack_are_one_line_each(self, running: PicTrace, capsys: pytest.CaptureFixture[str]) -> None:
        assert self.run("revoke", "0" * 16) == 1
        assert main(["--stack", "absent", "keys", "list"]) == 1
        too_many = [part for number in range(21) for part in ("--collection", f"c{number}")]
        assert self.run("create", "--name", "x", "--scope", "search", *too_many) == 1
        said = capsys.readouterr().err.splitlines()
        assert len(said) == 3
        assert all(line.startswith("pictrace: ") for line in said)
        assert "Name the stack with --stack" in said[1]
