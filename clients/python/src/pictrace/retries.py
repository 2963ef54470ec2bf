"""Repeat requests while the server is busy or cannot be reached."""

import json
import random
import re
import time
from functools import partial
from http import HTTPStatus
from typing import Final, TypeVar

import httpx

from pictrace.errors import ApiError, ConnectionFailed, PicTraceError, StorageRefused, error_of
from pictrace.request import Flow, Pause, Request, Steps

PATIENCE_SECONDS: Final = 90.0
"""How long a request is repeated by default."""
FIRST_CONTACT_SECONDS: Final = 3.0
"""The same for a server that has never answered: the address is probably wrong."""
FIRST_WAIT_SECONDS: Final = 0.5
LONGEST_WAIT_SECONDS: Final = 8.0

_REFUSED: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
"""The server did not do what was asked for, so that even what is not repeatable can be asked for again."""
_BUSY: Final = _REFUSED | {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT}
_NOT_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_NUMBER_OF_ERROR: Final = re.compile(r"^\[Errno -?\d+\] ")
_S3_MESSAGE: Final = re.compile(r"<Message>([^<]+)</Message>")

Result = TypeVar("Result")


class Retries:
    """Repeats the requests of one client.

    Args:
        url: address of the API.
        patience: seconds for which a request is repeated.
    """

    def __init__(self, url: str, patience: float) -> None:
        self._url = url
        self._patience = patience
        self._reached = False

    def steps(self, flow: Flow[Result]) -> Steps[Result]:
        """Return the steps of a flow, with its requests repeated.

        Raises:
            PicTraceError: as the flow does.
        """
        resume = partial(next, flow)
        while True:
            try:
                step = resume()
            except StopIteration as end:
                result: Result = end.value
                return result
            try:
                outcome = (yield from self._exchange(step)) if isinstance(step, Request) else (yield step)
            except PicTraceError as error:
                resume = partial(flow.throw, error)
            else:
                resume = partial(flow.send, outcome)

    def _exchange(self, request: Request) -> Steps[httpx.Response]:
        """Send a request until it is answered without an error.

        Raises:
            ApiError: the API answers with an error that does not pass.
            StorageRefused: the storage does.
            ConnectionFailed: the server cannot be reached.
        """
        started = time.monotonic()
        wait = FIRST_WAIT_SECONDS
        while True:
            outcome: httpx.Response | httpx.TransportError = yield request
            self._reached |= isinstance(outcome, httpx.Response)
            if isinstance(outcome, httpx.Response) and not outcome.is_error:
                return outcome
            failure = self._failure(request, outcome)
            asked = failure.retry_after or 0.0 if isinstance(failure, ApiError) else 0.0
            pause = max(asked, wait * random.uniform(0.5, 1))  # noqa: S311 - jitter
            patience = self._patience if self._reached else min(self._patience, FIRST_CONTACT_SECONDS)
            if not _may_pass(request, outcome) or time.monotonic() + pause > started + patience:
                raise failure
            yield Pause(pause)
            wait = min(2 * wait, LONGEST_WAIT_SECONDS)

    def _failure(self, request: Request, outcome: httpx.Response | httpx.TransportError) -> PicTraceError:
        if isinstance(outcome, httpx.UnsupportedProtocol):
            return ConnectionFailed(f"{self._url!r} is not the address of a server: begin it with http:// or https://.")
        if isinstance(outcome, httpx.TransportError):
            reason = _NUMBER_OF_ERROR.sub("", str(outcome)) or type(outcome).__name__
            return ConnectionFailed(
                f"{_origin(request.url) if request.in_storage else self._url} cannot be reached: {reason}."
            )
        if request.in_storage:
            return StorageRefused(f"The storage answered {outcome.status_code}: {_storage_message(outcome.text)}")
        return error_of(outcome)


def _may_pass(request: Request, outcome: httpx.Response | httpx.TransportError) -> bool:
    if isinstance(outcome, httpx.UnsupportedProtocol):
        return False
    if isinstance(outcome, httpx.TransportError):
        return request.repeatable or isinstance(outcome, _NOT_SENT)
    return outcome.status_code in (_BUSY if request.repeatable else _REFUSED)


def _origin(url: str) -> str:
    """Return the beginning of an address, without the path and the signature in its query."""
    parsed = httpx.URL(url)
    return f"{parsed.scheme}://{parsed.netloc.decode()}"


def _storage_message(text: str) -> str:
    """Return the sentence in an answer of S3 (XML) or of a local run (problem details), else its beginning."""
    if found := _S3_MESSAGE.search(text):
        return found[1]
    try:
        return str(json.loads(text)["detail"])
    except (ValueError, LookupError, TypeError):
        return " ".join(text.split())[:200]
