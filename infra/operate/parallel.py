"""Work on many things, several at a time, in bounded memory."""

from collections.abc import Callable, Generator, Iterable, Sequence
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
    running: list[Future[Result]] = []
    try:
        for item in items:
            running.append(pool.submit(work, item))
            if len(running) >= 2 * workers:
                done, running = _first_done(running)
                yield from (one.result() for one in done)
        while running:
            done, running = _first_done(running)
            yield from (one.result() for one in done)
    finally:
        if running:
            stop()
        pool.shutdown(cancel_futures=True)


def _first_done(running: Sequence[Future[Result]]) -> tuple[list[Future[Result]], list[Future[Result]]]:
    """Wait for at least one; return those that are done and the others, both in the order in which they began."""
    done = wait(running, return_when=FIRST_COMPLETED).done
    return [one for one in running if one in done], [one for one in running if one not in done]
