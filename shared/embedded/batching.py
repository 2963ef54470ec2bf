"""Requests that arrive while others are being answered are answered together."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Request = TypeVar("Request")
Answer = TypeVar("Answer")


@dataclass(slots=True, eq=False)
class _Waiting(Generic[Request, Answer]):
    request: Request
    answer: Answer | None = None
    error: BaseException | None = None
    done: bool = False


class Batches(Generic[Request, Answer]):
    """Passes the requests of several threads to one function, as many at once as are waiting.

    A single request is answered immediately. Each batch is answered in the thread of one of its requests, which never
    waits for more than one other batch.

    Args:
        answer_all: returns the answers of requests in the same order. It is never called twice at once.
    """

    def __init__(self, answer_all: Callable[[Sequence[Request]], Sequence[Answer]]) -> None:
        self._answer_all = answer_all
        self._turn = threading.Lock()
        self._waiting: deque[_Waiting[Request, Answer]] = deque()

    def answer(self, request: Request) -> Answer:
        """Return the answer to a request.

        Raises:
            BaseException: whatever the function raised; every request of the batch raises it.
        """
        own: _Waiting[Request, Answer] = _Waiting(request)
        self._waiting.append(own)
        with self._turn:
            if not own.done:
                self._answer_waiting()
        if own.error is not None:
            raise own.error
        return own.answer  # type: ignore[return-value]

    def _answer_waiting(self) -> None:
        batch = [self._waiting.popleft() for _ in range(len(self._waiting))]
        try:
            for waiting, answer in zip(batch, self._answer_all([each.request for each in batch]), strict=True):
                waiting.answer = answer
        except BaseException as error:
            for waiting in batch:
                waiting.error = error
        finally:
            for waiting in batch:
                waiting.done = True
