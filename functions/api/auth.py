"""Who calls: found out before anything of the body is read, and what a route asks of them."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Annotated, Any, Final

from fastapi import Depends, Request, Response, Security
from fastapi.routing import APIRoute
from fastapi.security import APIKeyHeader, HTTPBearer, SecurityScopes
from starlette.concurrency import run_in_threadpool

from functions.api.jwt_claims import caller_of_token
from functions.api.services import Services
from shared.domain.access import EVERYONE, Access, Caller, Scope
from shared.domain.errors import Forbidden

BEARER: Final = HTTPBearer(
    scheme_name="bearer",
    description="an API key (`pt_…`), or a JWT where the deployment has an issuer",
    auto_error=False,
)
KEY_HEADER: Final = APIKeyHeader(
    scheme_name="key", name="X-Api-Key", description="the same API key in a header of its own", auto_error=False
)


def presented(headers: Mapping[str, str]) -> str | None:
    """The API key that a request brought, as a bearer token or under `X-Api-Key`."""
    scheme, _, credentials = headers.get("authorization", "").partition(" ")
    return credentials.strip() if scheme.lower() == "bearer" else headers.get("x-api-key")


def identify(request: Request) -> Caller:
    """The caller of a request.

    Raises:
        Unauthenticated: there are no valid credentials.
        RateLimited: the key has spent this minute's calls.
    """
    services: Services = request.app.state.services
    match services.access:
        case Access.OPEN:
            return EVERYONE
        case Access.JWT:
            return caller_of_token(request.scope.get("aws.event"))
        case Access.KEYS:
            return services.keys.verify(presented(request.headers))


class DataRoute(APIRoute):
    """A route that knows its caller before it reads the body."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()

        async def handle(request: Request) -> Response:
            request.state.caller = await run_in_threadpool(identify, request)
            return await answer(request)

        return handle


def known_caller(request: Request) -> Caller:
    caller: Caller = request.state.caller
    return caller


def permitted(
    request: Request,
    needed: SecurityScopes,
    _bearer: Annotated[object, Depends(BEARER)],
    _key: Annotated[object, Depends(KEY_HEADER)],
) -> None:
    """Let only a caller pass who has every scope that the route needs, and one at least.

    The two schemes are there for OpenAPI.

    Raises:
        Forbidden: a scope is missing.
    """
    caller = known_caller(request)
    missing = [scope for scope in needed.scopes if not caller.has(Scope(scope))]
    if missing or not caller.scopes:
        raise Forbidden(f"The credentials lack the scope {' and '.join(missing) or 'search or write'}.")


KnownCaller = Annotated[Caller, Depends(known_caller)]
ANY_SCOPE: Final = Security(permitted)
SEARCH: Final = Security(permitted, scopes=[Scope.SEARCH])
WRITE: Final = Security(permitted, scopes=[Scope.WRITE])
"""What a route of data has among its `dependencies`, which come before all others."""
