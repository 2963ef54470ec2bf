"""API keys, of which a store keeps a hash of the secret only, and a counter of calls for each minute.

A key's text is `pt_<key id>_<secret>`: 16 hex digits, and 32 random bytes as 43 URL-safe characters. A secret of
256 random bits needs no slow hash (NIST SP 800-63B, 5.1.2.2, asks for one below 112 bits).
"""

import hashlib
import hmac
import re
import secrets
import threading
import time
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from shared.domain.access import Caller, Scope
from shared.domain.errors import NotFound, RateLimited, Unauthenticated
from shared.domain.limits import KEY_CACHE_SECONDS

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


class StoredApiKeys(ABC):
    """Creates and verifies API keys, whichever store keeps them.

    Args:
        clock: seconds since the epoch.
        monotonic: seconds of a clock that is never set back.
    """

    def __init__(self, clock: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic) -> None:
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
        self._insert(key, _hash(secret))
        return key, f"pt_{key.key_id}_{secret}"

    @abstractmethod
    def list_all(self) -> Sequence[ApiKey]:
        """Return all keys, oldest first, including expired and revoked ones."""

    def revoke(self, key_id: str) -> ApiKey:
        """Revoke a key; one that is already revoked keeps its time of revocation.

        Raises:
            NotFound: the key does not exist.
        """
        revoked = self._set_revoked(key_id, self._now())
        if revoked is None:
            raise NotFound(f"There is no key {key_id}. `keys list` shows the existing ones.")
        return revoked

    @abstractmethod
    def delete(self, key_id: str) -> None:
        """Delete a key, if it exists, without a trace. Keys of people are revoked instead."""

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

    @abstractmethod
    def _insert(self, key: ApiKey, secret_hash: str) -> None: ...

    @abstractmethod
    def _set_revoked(self, key_id: str, now: str) -> ApiKey | None:
        """Store the time of revocation, unless the key has one; return the key, or None if it does not exist."""

    @abstractmethod
    def _read(self, key_id: str) -> tuple[ApiKey, str] | None:
        """Return a key and the hash of its secret."""

    @abstractmethod
    def _add_call(self, key_id: str, minute: int) -> int:
        """Return the number of calls of a key in a minute since the epoch, one more than before."""

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
        key, stored_hash = self._read(key_id) or (None, _UNKNOWN_HASH)
        with self._lock:
            self._cache[key_id] = _Cached(now, monotonic_now, key, stored_hash)
            self._cache.move_to_end(key_id)
            while len(self._cache) > MAX_CACHED_KEYS:
                self._cache.popitem(last=False)
        return key, stored_hash

    def _count_call(self, key: ApiKey) -> None:
        """Count one call; a key over its limit is not counted until the next minute."""
        now = self._clock()
        minute, retry_after = int(now // 60), 60 - int(now % 60)
        if self._exhausted_minutes.get(key.key_id) == minute:
            raise RateLimited(retry_after)
        if self._add_call(key.key_id, minute) > key.per_minute:
            self._exhausted_minutes[key.key_id] = minute
            raise RateLimited(retry_after)

    def _now(self) -> str:
        return datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="seconds")


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
