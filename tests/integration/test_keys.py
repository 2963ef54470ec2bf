"""API keys in the table, and the command that manages them."""

import json
import re

import pytest

from infra.local.cloud import STACK
from infra.operate.__main__ import main
from shared.aws.clients import dynamodb_client
from shared.aws.dynamodb.api_keys import DynamoApiKeys
from shared.domain.access import Scope
from shared.domain.errors import RateLimited
from shared.domain.limits import KEY_CALLS_PER_MINUTE
from tests.conftest import PicTrace
from tests.contract.stores.test_api_keys import Clock, create_key


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(running: PicTrace, clock: Clock) -> DynamoApiKeys:
    return DynamoApiKeys(dynamodb_client(), running.cloud.outputs["TableName"], clock)


def everything_stored(running: PicTrace) -> str:
    items = running.items(
        FilterExpression="NOT begins_with(pk, :image)", ExpressionAttributeValues={":image": {"S": "image#"}}
    )
    return json.dumps(items, default=str)


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
