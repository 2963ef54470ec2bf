"""Work on many things, several at a time, in bounded memory."""

from collections.abc import Callable, Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_parallel(
    work: Callable[[Item], Result], items: Iterable[Item], workers: int, *, stop: Callable[[], None]
) -> Generator[Result]:
    """Yield the results of `work` as they come.

    Args:
        stop: called if the results are not read to their end; must make the work that is running end soon.

    Raises:
        Exception: whatever `work` raises, at once.
    """
    pool = ThreadPoolExecutor(workers, thread_name_prefix="transfer")
    running: set[Future[Result]] = set()
    try:
        for item in items:
            running.add(pool.submit(work, item))
            if len(running) >= 2 * workers:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                yield from (one.result() for one in done)
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            yield from (one.result() for one in done)
    finally:
        if running:
            stop()
        pool.shutdown(cancel_futures=True)
