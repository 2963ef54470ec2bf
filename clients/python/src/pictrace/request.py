"""Calls as descriptions, which the synchronous and the asynchronous client carry out.

A flow is a generator: it yields what is to be done (a request, or a pause), receives the outcome and returns its
result. So each call, retry and upload is written once, and only the clients know how to send and how to wait.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx

from pictrace.image_files import FilePart


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request.

    Attributes:
        url: a path of the API, or the absolute URL of an object in the storage, which gets no key.
        repeatable: whether sending it twice has the effect of sending it once.
    """

    method: str
    url: str
    query: Mapping[str, Any] = field(default_factory=dict)
    json: Any = None
    form: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, FilePart] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    repeatable: bool = False

    @property
    def in_storage(self) -> bool:
        return not self.url.startswith("/")

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of `httpx.Client.request`, with files that are read from their beginning."""
        return {
            "method": self.method,
            "url": self.url,
            # Not {}, with which httpx would remove the query of the URL.
            "params": {name: value for name, value in self.query.items() if value is not None} or None,
            "json": self.json,
            "data": dict(self.form) or None,
            "files": {name: (part.name, part.open()) for name, part in self.files.items()} or None,
            "headers": dict(self.headers),
        }


@dataclass(frozen=True, slots=True)
class Pause:
    seconds: float


Result = TypeVar("Result")
Outcome = httpx.Response | httpx.TransportError | None
Steps = Generator[Request | Pause, Any, Result]
"""Steps of which each request is sent once; its outcome is an `Outcome`."""
Flow = Generator[Request | Pause, Any, Result]
"""Steps of which each request is repeated while that may help; its outcome is an answer that is not an error."""
