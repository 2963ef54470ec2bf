"""A cache of what was computed from bytes, which keeps digests of the bytes instead of them."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import wraps
from typing import TypeVar

Found = TypeVar("Found")

_DIGEST_BYTES = 16


def cached_by_digest(maxsize: int) -> Callable[[Callable[[bytes, bytes], Found]], Callable[[bytes, bytes], Found]]:
    """Cache the results for the pairs of bytes that were used last; `functools.lru_cache` would keep the bytes too."""

    def decorate(function: Callable[[bytes, bytes], Found]) -> Callable[[bytes, bytes], Found]:
        kept: OrderedDict[bytes, Found] = OrderedDict()
        changing = threading.Lock()

        @wraps(function)
        def cached(first: bytes, second: bytes) -> Found:
            key = _digest(first) + _digest(second)
            with changing:
                if key in kept:
                    kept.move_to_end(key)
                    return kept[key]
            found = function(first, second)
            with changing:
                kept[key] = found
                if len(kept) > maxsize:
                    kept.popitem(last=False)
            return found

        return cached

    return decorate


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=_DIGEST_BYTES).digest()
