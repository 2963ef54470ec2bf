"""API keys in DynamoDB, stored with a hash of the secret only, and a counter of calls for each minute.

A key's text is `pt_<key id>_<secret>`: 16 hex digits, and 32 random bytes as 43 URL-safe characters. A secret of
256 random bits needs no slow hash (NIST SP 800-63B, 5.1.2.2, asks for one below 112 bits).
"""

import hashlib
import hmac
import re
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from shared.domain.access import EVERY_COLLECTION, Caller, Scope
from shared.domain.errors import NotFound, RateLimited, Unauthenticated
from shared.domain.limits import KEY_CACHE_SECONDS
from shared.domain.table_schema import KEYS_PARTITION, TTL_ATTRIBUTE

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MAX_CACHED_KEYS: Final = 1024
"""Maximum number of keys that a process caches. Unknown ids are cached too, so that response times do not reveal which
ids exist."""

_TEXT: Final = re.compile(r"pt_([0-9a-f]{16})_([A-Za-z0-9_-]{43})", re.ASCII)
_UNKNOWN_HASH: Final = "0" * 64


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key as it is stored, without its secret.

    Attributes:
        collections: the collections that the key can access; None for all of them.
        per_minute: maximum number of calls in one clock minute.
        created_at, expires, revoked_at: ISO 8601 in UTC with seconds; sort as text.
    """

    key_id: str
    name: str
    scopes: frozenset[Scope]
    collections: frozenset[str] | None
    per_minute: int
    created_at: str
    expires: str | None = None
    revoked_at: str | None = None

    def state(self, now: str) -> str:
        """Return `active`, `expired` or `revoked`."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires is not None and self.expires <= now else "active"


@dataclass(frozen=True, slots=True)
class _Cached:
    """A key, or None if there is none of this id, as it was read at a time of two clocks, in seconds."""

    read_at: float
    monotonic_read_at: float
    key: ApiKey | None
    stored_hash: str


class DynamoApiKeys:
    """Stores and verifies the API keys of one table.

    Args:
        clock: seconds since the epoch.
        monotonic: seconds of a clock that is never set back.
    """

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._table = table
        self._clock = clock
        self._monotonic = monotonic
        self._cache: OrderedDict[str, _Cached] = OrderedDict()
        self._exhausted_minutes: dict[str, int] = {}
        self._lock = threading.Lock()

    def create(
        self,
        *,
        name: str,
        scopes: frozenset[Scope],
        collections: frozenset[str] | None,
        per_minute: int,
        expires: str | None = None,
    ) -> tuple[ApiKey, str]:
        """Create a key; return it with its text, which cannot be retrieved later."""
        secret = secrets.token_urlsafe(32)
        key = ApiKey(secrets.token_hex(8), name, scopes, collections, per_minute, self._now(), expires)
        self._client.put_item(
            TableName=self._table, Item=_item(key, _hash(secret)), ConditionExpression="attribute_not_exists(pk)"
        )
        return key, f"pt_{key.key_id}_{secret}"

    def list_all(self) -> Sequence[ApiKey]:
        """Return all keys, oldest first, including expired and revoked ones."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": KEYS_PARTITION}},
            ConsistentRead=True,
        )
        return sorted((_to_key(item) for page in pages for item in page["Items"]), key=lambda key: key.created_at)

    def revoke(self, key_id: str) -> ApiKey:
        """Revoke a key; one that is already revoked keeps its time of revocation.

        Raises:
            NotFound: the key does not exist.
        """
        try:
            answer = self._client.update_item(
                TableName=self._table,
                Key=_item_key(key_id),
                UpdateExpression="SET revoked_at = if_not_exists(revoked_at, :now)",
                ConditionExpression="attribute_exists(pk)",
                ExpressionAttributeValues={":now": {"S": self._now()}},
                ReturnValues="ALL_NEW",
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            raise NotFound(f"There is no key {key_id}. `keys list` shows the existing ones.") from None
        return _to_key(answer["Attributes"])

    def delete(self, key_id: str) -> None:
        """Delete a key, if it exists, without a trace. Keys of people are revoked instead."""
        self._client.delete_item(TableName=self._table, Key=_item_key(key_id))

    def verify(self, text: str | None) -> Caller:
        """Return the caller that a key identifies, and count the call.

        Raises:
            Unauthenticated: the text is not a valid key.
            RateLimited: the key has used up its calls for this minute.
        """
        parts = _TEXT.fullmatch(text or "")
        if parts is None:
            raise Unauthenticated
        key_id, secret = parts.groups()
        key, stored_hash = self._cached_key(key_id)
        genuine = hmac.compare_digest(_hash(secret), stored_hash)
        if key is None or not genuine or key.state(self._now()) != "active":
            raise Unauthenticated
        self._count_call(key)
        return Caller(key.key_id, key.scopes, key.collections)

    def _cached_key(self, key_id: str) -> tuple[ApiKey | None, str]:
        """Return a key and the hash of its secret, or None and a hash of no secret, at most `KEY_CACHE_SECONDS` old.

        The age is the larger one of two clocks: the time of day may be set back, and the monotonic clock may stand
        still while Lambda has the process frozen.
        """
        now, monotonic_now = self._clock(), self._monotonic()
        with self._lock:
            cached = self._cache.get(key_id)
        if cached and max(abs(now - cached.read_at), monotonic_now - cached.monotonic_read_at) < KEY_CACHE_SECONDS:
            return cached.key, cached.stored_hash
        item = self._client.get_item(TableName=self._table, Key=_item_key(key_id), ConsistentRead=True).get("Item")
        key, stored_hash = (_to_key(item), item["secret_hash"]["S"]) if item else (None, _UNKNOWN_HASH)
        with self._lock:
            self._cache[key_id] = _Cached(now, monotonic_now, key, stored_hash)
            self._cache.move_to_end(key_id)
            while len(self._cache) > MAX_CACHED_KEYS:
                self._cache.popitem(last=False)
        return key, stored_hash

    def _count_call(self, key: ApiKey) -> None:
        """Count one call, at the cost of one write unit; a key over its limit costs nothing until the next minute."""
        now = self._clock()
        minute, retry_after = int(now // 60), 60 - int(now % 60)
        if self._exhausted_minutes.get(key.key_id) == minute:
            raise RateLimited(retry_after)
        counted = self._client.update_item(
            TableName=self._table,
            Key={"pk": {"S": f"key#{key.key_id}"}, "sk": {"S": f"minute#{minute}"}},
            UpdateExpression="SET #ttl = :ttl ADD calls :one",
            ExpressionAttributeNames={"#ttl": TTL_ATTRIBUTE},
            ExpressionAttributeValues={":ttl": {"N": str((minute + 2) * 60)}, ":one": {"N": "1"}},
            ReturnValues="UPDATED_NEW",
        )
        if int(counted["Attributes"]["calls"]["N"]) > key.per_minute:
            self._exhausted_minutes[key.key_id] = minute
            raise RateLimited(retry_after)

    def _now(self) -> str:
        return datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="seconds")


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _item_key(key_id: str) -> dict[str, Any]:
    return {"pk": {"S": KEYS_PARTITION}, "sk": {"S": key_id}}


def _item(key: ApiKey, secret_hash: str) -> dict[str, Any]:
    item: dict[str, Any] = {
        **_item_key(key.key_id),
        "secret_hash": {"S": secret_hash},
        "name": {"S": key.name},
        "scopes": {"SS": sorted(key.scopes)},
        "collections": {"SS": [EVERY_COLLECTION] if key.collections is None else sorted(key.collections)},
        "per_minute": {"N": str(key.per_minute)},
        "created_at": {"S": key.created_at},
    }
    return item | {"expires": {"S": key.expires}} if key.expires else item


def _to_key(item: Mapping[str, Any]) -> ApiKey:
    collections = frozenset(item["collections"]["SS"])
    return ApiKey(
        key_id=item["sk"]["S"],
        name=item["name"]["S"],
        scopes=frozenset(Scope(scope) for scope in item["scopes"]["SS"]),
        collections=None if EVERY_COLLECTION in collections else collections,
        per_minute=int(item["per_minute"]["N"]),
        created_at=item["created_at"]["S"],
        expires=item["expires"]["S"] if "expires" in item else None,
        revoked_at=item["revoked_at"]["S"] if "revoked_at" in item else None,
    )
