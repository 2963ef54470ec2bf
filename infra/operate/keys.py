"""Create, list and revoke API keys."""

import argparse
import re
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from infra.operate.deployed_stack import DeployedStack
from shared.aws.clients import dynamodb_client
from shared.aws.dynamodb.api_keys import DynamoApiKeys
from shared.domain.access import EVERY_COLLECTION, Scope
from shared.domain.api_keys import ApiKey, StoredApiKeys
from shared.domain.images import COLLECTION_PATTERN
from shared.domain.limits import (
    DEFAULT_COLLECTION,
    KEY_CACHE_SECONDS,
    KEY_CALLS_PER_MINUTE,
    MAX_KEY_CALLS_PER_MINUTE,
    MAX_KEY_COLLECTIONS,
    MAX_KEY_NAME_LENGTH,
)

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add_parser(subparsers: "Subparsers") -> argparse.ArgumentParser:
    parser = subparsers.add_parser("keys", help="create, list and revoke API keys", description=__doc__)
    actions = parser.add_subparsers(metavar="action", required=True, dest="action")

    create = actions.add_parser(
        "create",
        help="create a key",
        description="Create a key and print it to standard output, once: only a hash of it is stored.",
    )
    create.add_argument("--name", required=True, type=_parse_name, help="whose key it is, or what it is for")
    create.add_argument(
        "--scope",
        required=True,
        action="append",
        choices=[scope.value for scope in Scope],
        help="search: read; write: upload and remove; admin: both. Repeat for several",
    )
    create.add_argument(
        "--collection",
        action="append",
        type=_parse_collection,
        help="a collection that the key may use; * means every collection. Repeat for several (default: default)",
    )
    create.add_argument(
        "--per-minute",
        type=_parse_per_minute,
        default=KEY_CALLS_PER_MINUTE,
        help="maximum calls per minute (default: %(default)s)",
    )
    create.add_argument(
        "--expires",
        type=_parse_expiry,
        help="when it expires, as 2027-06-30 or 2027-06-30T12:00, in UTC (default: never)",
    )

    actions.add_parser("list", help="list every key with its state, oldest first")

    revoke = actions.add_parser("revoke", help="revoke a key", description="Revoke a key. This cannot be undone.")
    revoke.add_argument("key_id", type=_parse_key_id, help="the 16 hex digits that `list` shows, or the key itself")
    parser.set_defaults(run=run)
    return parser


def run(args: argparse.Namespace, stack: DeployedStack) -> int:
    return manage(args, DynamoApiKeys(dynamodb_client(), stack.table))


def manage(args: argparse.Namespace, keys: StoredApiKeys) -> int:
    """Carry out the action on the keys of a store; return the exit status."""
    match args.action:
        case "create":
            _create(keys, args)
        case "list":
            print(format_table(list(keys.list_all()), _now()))
        case _:
            key = keys.revoke(args.key_id)
            print(f"{key.key_id} ({key.name}) is revoked. The API refuses it within {KEY_CACHE_SECONDS} s.")
    return 0


def _create(keys: StoredApiKeys, args: argparse.Namespace) -> None:
    collections = frozenset(args.collection or [DEFAULT_COLLECTION])
    if len(collections) > MAX_KEY_COLLECTIONS:
        raise LookupError(f"a key may name at most {MAX_KEY_COLLECTIONS} collections, not {len(collections)}")
    key, text = keys.create(
        name=args.name,
        scopes=frozenset(Scope(scope) for scope in args.scope),
        collections=None if EVERY_COLLECTION in collections else collections,
        per_minute=args.per_minute,
        expires=args.expires,
    )
    print(
        f"{format_table([key], _now())}\n\nThe key, which is not stored and not shown again:",
        file=sys.stderr,
        flush=True,
    )
    print(text, flush=True)


def format_table(keys: list[ApiKey], now: str) -> str:
    """Format keys as a table."""
    if not keys:
        return "there are no keys"
    rows = [("key id", "state", "scopes", "collections", "per minute", "created", "expires", "name")]
    rows += [
        (
            key.key_id,
            key.state(now),
            ",".join(sorted(key.scopes)),
            ",".join(sorted(key.collections or [EVERY_COLLECTION])),
            str(key.per_minute),
            key.created_at[:10],
            key.expires[:10] if key.expires else "never",
            key.name,
        )
        for key in keys
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _parse_name(text: str) -> str:
    if not text.strip() or not text.isprintable() or len(text) > MAX_KEY_NAME_LENGTH:
        raise argparse.ArgumentTypeError(f"use 1 to {MAX_KEY_NAME_LENGTH} printable characters")
    return text.strip()


def _parse_collection(text: str) -> str:
    if text != EVERY_COLLECTION and not re.fullmatch(COLLECTION_PATTERN, text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a collection: use lower-case letters, digits, _ and -, or *")
    return text


def _parse_per_minute(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MAX_KEY_CALLS_PER_MINUTE:
        raise argparse.ArgumentTypeError(f"use a number from 1 to {MAX_KEY_CALLS_PER_MINUTE}")
    return int(text)


def _parse_expiry(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date: write it as 2027-06-30") from None
    moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    if moment <= datetime.now(UTC):
        raise argparse.ArgumentTypeError(f"{text} is in the past")
    return moment.isoformat(timespec="seconds")


def _parse_key_id(text: str) -> str:
    found: Any = re.fullmatch(r"(?:pt_)?([0-9a-f]{16})(?:_[A-Za-z0-9_-]{43})?", text)
    if not found:
        raise argparse.ArgumentTypeError("a key id is 16 hex digits")
    return str(found[1])
