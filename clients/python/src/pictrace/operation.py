"""Methods that are defined once and belong to the synchronous and the asynchronous client alike."""

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any, Final, Generic, ParamSpec, Self, TypedDict, TypeVar, cast, overload
from urllib.parse import quote

from pictrace.image_files import FilePart
from pictrace.request import Flow, Request

if TYPE_CHECKING:
    from pictrace.client import AsyncClient, Client

P = ParamSpec("P")
Result = TypeVar("Result")
Item = TypeVar("Item")

REPEATABLE: Final = frozenset({"GET", "PUT", "DELETE"})
"""Idempotent methods (RFC 9110, 9.2.2); of a call with another one, its definition says whether it is."""


class Procedure(Generic[P, Result]):
    """A method that carries out a flow: in `Client` it returns the result, in `AsyncClient` an awaitable of it."""

    def __init__(self, flow: Callable[P, Flow[Result]]) -> None:
        self.flow = flow
        self.__doc__ = flow.__doc__

    @overload
    def __get__(self, client: None, owner: type) -> Self: ...
    @overload
    def __get__(self, client: "Client", owner: type) -> Callable[P, Result]: ...
    @overload
    def __get__(self, client: "AsyncClient", owner: type) -> Callable[P, Coroutine[Any, Any, Result]]: ...
    def __get__(self, client: "Client | AsyncClient | None", owner: type) -> Any:
        if client is None:
            return self

        @wraps(self.flow)
        def call(*args: P.args, **kwargs: P.kwargs) -> Any:
            return client.run(self.flow(*args, **kwargs))

        return call


class Parts(TypedDict, total=False):
    """What a call sends, besides the method; `path` has the values of the path's parameters."""

    path: Mapping[str, str]
    query: Mapping[str, Any]
    json: Any
    form: Mapping[str, str]
    files: Mapping[str, FilePart]
    headers: Mapping[str, str]
    repeatable: bool


class Operation(Procedure[P, Result]):
    """A call of the API.

    Attributes:
        method: of HTTP.
        path: with the names of path parameters in braces, as in the OpenAPI document.
        answer: a TypedDict; `bytes` for a body that is not JSON; `str` for the location that the call redirects to.
        describe: returns the parts of the request.
    """

    def __init__(self, method: str, path: str, answer: type[Result], describe: Callable[P, Parts]) -> None:
        self.method = method
        self.path = path
        self.answer = answer
        self.describe = describe

        @wraps(describe)
        def flow(*args: P.args, **kwargs: P.kwargs) -> Flow[Result]:
            response = yield self.request(*args, **kwargs)
            value: Any
            if answer is bytes:
                value = response.content
            elif answer is str:
                value = response.headers["Location"]
            else:
                value = response.json() if response.content else None
            return cast(Result, value)

        super().__init__(flow)

    def request(self, *args: P.args, **kwargs: P.kwargs) -> Request:
        """Return the request of a call with these arguments."""
        parts = self.describe(*args, **kwargs)
        values = {name: quote(value, safe="") for name, value in parts.get("path", {}).items()}
        return Request(
            self.method,
            self.path.format_map(values),
            query=parts.get("query", {}),
            json=parts.get("json"),
            form=parts.get("form", {}),
            files=parts.get("files", {}),
            headers=parts.get("headers", {}),
            repeatable=self.method in REPEATABLE or parts.get("repeatable", False),
        )


def operation(method: str, path: str, answer: type[Result]) -> Callable[[Callable[P, Parts]], Operation[P, Result]]:
    """Define a call of the API by a function that returns the parts of its request; see `Operation`."""

    def decorate(describe: Callable[P, Parts]) -> Operation[P, Result]:
        return Operation(method, path, answer, describe)

    return decorate


class Pages(Generic[P, Item]):
    """A method that iterates over the entries of all pages of a listing, and reads each page when it is needed.

    Args:
        listing: the call that returns a page; it must take `cursor`.
        field: the field of a page that has the entries.
        item: their type.
    """

    def __init__(self, listing: Operation[P, Any], field: str, item: type[Item]) -> None:
        self.listing = listing
        self.field = field
        self.item = item
        self.__doc__ = listing.__doc__

    @overload
    def __get__(self, client: None, owner: type) -> Self: ...
    @overload
    def __get__(self, client: "Client", owner: type) -> Callable[P, Iterator[Item]]: ...
    @overload
    def __get__(self, client: "AsyncClient", owner: type) -> Callable[P, AsyncIterator[Item]]: ...
    def __get__(self, client: "Client | AsyncClient | None", owner: type) -> Any:
        if client is None:
            return self

        @wraps(self.listing.describe)
        def call(*args: P.args, **kwargs: P.kwargs) -> Any:
            return client.iterate(self._page, self.field, args, kwargs)

        return call

    def _page(self, cursor: str | None, args: Any, kwargs: Any) -> Flow[Mapping[str, Any]]:
        return self.listing.flow(*args, **(kwargs | {"cursor": cursor} if cursor else kwargs))
