"""A cache of what was computed from bytes, which keeps digests of the bytes instead of them."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from functools import wraps
from typing import ParamSpec, TypeVar

Found = TypeVar("Found")
Given = ParamSpec("Given")

_DIGEST_BYTES = 16


def cached_by_digest(maxsize: int) -> Callable[[Callable[Given, Found]], Callable[Given, Found]]:
    """Cache the results for the arguments that were used last; `functools.lru_cache` would keep their bytes too.

    Threads that want the same result at the same time wait for the first of them.
    """

    def decorate(function: Callable[Given, Found]) -> Callable[Given, Found]:
        kept: OrderedDict[Hashable, Future[Found]] = OrderedDict()
        changing = threading.Lock()

        @wraps(function)
        def cached(*args: Given.args, **kwargs: Given.kwargs) -> Found:
            key = (*map(_digest, args), *((name, _digest(value)) for name, value in sorted(kwargs.items())))
            own: Future[Found] = Future()
            with changing:
                found = kept.setdefault(key, own)
                kept.move_to_end(key)
                if len(kept) > maxsize:
                    kept.popitem(last=False)
            if found is own:
                try:
                    own.set_result(function(*args, **kwargs))
                except BaseException as error:
                    with changing:
                        kept.pop(key, None)
                    own.set_exception(error)
                    raise
            return found.result()

        return cached

    return decorate


def _digest(value: object) -> Hashable:
    return hashlib.blake2b(value, digest_size=_DIGEST_BYTES).digest() if isinstance(value, bytes) else value
