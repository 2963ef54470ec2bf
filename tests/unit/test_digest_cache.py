import gc
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.vision.evidence.digest_cache import cached_by_digest


def test_the_pairs_that_were_used_last_are_kept() -> None:
    computed = []

    @cached_by_digest(maxsize=2)
    def joined(first: bytes, second: bytes) -> bytes:
        computed.append((first, second))
        return first + second

    for pair in ((b"a", b"b"), (b"b", b"a"), (b"a", b"b"), (b"c", b"d"), (b"a", b"b"), (b"b", b"a")):
        assert joined(*pair) == pair[0] + pair[1]
    assert computed == [(b"a", b"b"), (b"b", b"a"), (b"c", b"d"), (b"b", b"a")]


def test_the_bytes_are_not_kept() -> None:
    @cached_by_digest(maxsize=2)
    def length(first: bytes, second: bytes) -> int:
        return len(first) + len(second)

    data = [bytes(1000), bytes(2000)]
    assert length(*data) == 3000
    gc.collect()
    assert all(gc.get_referrers(one) == [data] for one in data)


def test_threads_that_want_the_same_result_compute_it_once() -> None:
    computed, began, may_end = [], threading.Event(), threading.Event()

    @cached_by_digest(maxsize=2)
    def slow(data: bytes) -> bytes:
        computed.append(data)
        began.set()
        assert may_end.wait(10)
        return data * 2

    with ThreadPoolExecutor(3) as threads:
        first = threads.submit(slow, b"a")
        assert began.wait(10)
        others = [threads.submit(slow, b"a") for _ in range(2)]
        may_end.set()
        assert [one.result(10) for one in (first, *others)] == [b"aa"] * 3
    assert computed == [b"a"]


def test_a_failure_is_raised_and_not_kept() -> None:
    computed = []

    @cached_by_digest(maxsize=2)
    def failing(data: bytes) -> bytes:
        computed.append(data)
        raise ValueError("no result")

    for _ in range(2):
        with pytest.raises(ValueError, match="no result"):
            failing(b"a")
    assert computed == [b"a", b"a"]
