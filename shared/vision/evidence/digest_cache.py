"""A cache of what was computed from bytes, which keeps digests of the bytes instead of them."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import wraps
from typing import ParamSpec, TypeVar

Found = TypeVar("Found")
Given = ParamSpec("Given")

_DIGEST_BYTES = 16


def cached_by_digest(maxsize: int) -> Callable[[Callable[Given, Found]], Callable[Given, Found]]:
    """Cache the results for the arguments that were used last; `functools.lru_cache` would keep their bytes too."""

    def decorate(function: Callable[Given, Found]) -> Callable[Given, Found]:
        kept: OrderedDict[Hashable, Found] = OrderedDict()
        changing = threading.Lock()

        @wraps(function)
        def cached(*args: Given.args, **kwargs: Given.kwargs) -> Found:
            key = (*map(_digest, args), *((name, _digest(value)) for name, value in sorted(kwargs.items())))
            with changing:
                if key in kept:
                    kept.move_to_end(key)
                    return kept[key]
            found = function(*args, **kwargs)
            with changing:
                kept[key] = found
                if len(kept) > maxsize:
                    kept.popitem(last=False)
            return found

        return cached

    return decorate


def _digest(value: object) -> Hashable:
    return hashlib.blake2b(value, digest_size=_DIGEST_BYTES).digest() if isinstance(value, bytes) else value
