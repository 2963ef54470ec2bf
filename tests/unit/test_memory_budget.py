"""The files that an ingest function has in memory at once."""

import contextlib
import threading
import time

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


def test_the_largest_file_fits() -> None:
    assert MAX_UPLOAD_BYTES <= MAX_BYTES_IN_MEMORY
