"""The files that an ingest function has in memory at once."""

import contextlib
import threading
import time

import pytest

from shared.domain.limits import MAX_BYTES_IN_MEMORY, MAX_UPLOAD_BYTES
from shared.search.concurrency import Budget


def test_a_large_file_waits_until_there_is_memory_for_it() -> None:
    budget, together, most = Budget(10), [0], [0]
    lock = threading.Lock()

    def work(size: int) -> None:
        with budget.reservation() as reserve:
            reserve(size)
            with lock:
                together[0] += size
                most[0] = max(most[0], together[0])
            time.sleep(0.01)
            with lock:
                together[0] -= size

    threads = [threading.Thread(target=work, args=(size,)) for size in (7, 2, 6, 1, 10, 3, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert not any(thread.is_alive() for thread in threads)
    assert 7 <= most[0] <= 10


def test_what_was_reserved_is_free_again_after_a_failure_and_before_a_second_file() -> None:
    budget = Budget(10)
    with contextlib.suppress(OSError), budget.reservation() as reserve:
        reserve(8)
        raise OSError
    with budget.reservation() as reserve:
        reserve(8)
        reserve(9)


def start(budget: Budget, size: int, done: list[int]) -> threading.Thread:
    """Reserve so many bytes in another thread; return once it waits for them."""

    def work() -> None:
        with budget.reservation() as reserve:
            reserve(size)
            done.append(size)

    waiting = len(budget._waiting)
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    while thread.is_alive() and len(budget._waiting) == waiting:
        time.sleep(0.001)
    return thread


def test_small_files_do_not_overtake_a_large_one() -> None:
    budget, done = Budget(10), list[int]()
    with budget.reservation() as reserve:
        reserve(6)
        threads = [start(budget, size, done) for size in (9, 3, 2)]
        assert done == [], "four bytes are free, but the first in the line needs nine"
    for thread in threads:
        thread.join(10)
    assert done[0] == 9
    assert sorted(done) == [2, 3, 9]


def test_a_second_file_waits_behind_a_large_one_and_holds_nothing_meanwhile() -> None:
    budget, done = Budget(10), list[int]()
    with budget.reservation() as reserve:
        reserve(6)
        start(budget, 9, done)
        reserve(3)
        assert done == [9]


def test_what_can_never_be_free_is_refused_at_once() -> None:
    budget = Budget(10)
    with budget.reservation() as reserve:
        reserve(4)
        with pytest.raises(ValueError, match="11 bytes can never be free"):
            reserve(11)
    with budget.reservation() as reserve:
        reserve(10)


def test_the_largest_file_fits() -> None:
    assert MAX_UPLOAD_BYTES <= MAX_BYTES_IN_MEMORY
