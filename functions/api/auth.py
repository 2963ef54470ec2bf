"""Authenticate callers before their request's body is read, and check the scopes that a route requires."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Annotated, Any, Final

from fastapi import Depends, Request, Response, Security
from fastapi.routing import APIRoute
from fastapi.security import APIKeyHeader, HTTPBearer, SecurityScopes
from starlette.concurrency import run_in_threadpool

from functions.api import query_parameters
from functions.api.jwt_claims import caller_from_claims
from functions.api.services import Services
from shared.domain.access import EVERYONE, Access, Caller, Scope
from shared.domain.errors import Forbidden

BEARER: Final = HTTPBearer(
    scheme_name="bearer",
    description="an API key (`pt_…`), or a JWT if the deployment has an issuer",
    auto_error=False,
)
KEY_HEADER: Final = APIKeyHeader(
    scheme_name="key", name="X-Api-Key", description="the same API key in a separate header", auto_error=False
)


def key_from_headers(headers: Mapping[str, str]) -> str | None:
    """Return the API key of a request, from `Authorization: Bearer` or `X-Api-Key`."""
    scheme, _, credentials = headers.get("authorization", "").partition(" ")
    return credentials.strip() if scheme.lower() == "bearer" else headers.get("x-api-key")


async def identify(request: Request) -> Caller:
    """Return the caller of a request.

    Raises:
        Unauthenticated: the request has no valid credentials.
        RateLimited: the key has used up its calls for this minute.
    """
    services: Services = request.app.state.services
    match services.access:
        case Access.OPEN:
            return EVERYONE
        case Access.JWT:
            return caller_from_claims(request.scope.get("aws.event"))
        case Access.KEYS:
            return await run_in_threadpool(services.keys.verify, key_from_headers(request.headers))


class AuthenticatedRoute(APIRoute):
    """A route that authenticates its caller, and below /v1 checks the names of parameters, before it reads the body."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle_request = super().get_route_handler()
        is_strict = self.path.startswith(query_parameters.STRICT_PREFIX)
        known = sorted(query_parameters.names(self.dependant))

        async def handle(request: Request) -> Response:
            request.state.caller = await identify(request)
            if is_strict:
                query_parameters.require_known(request, known)
            return await handle_request(request)

        return handle


async def known_caller(request: Request) -> Caller:
    caller: Caller = request.state.caller
    return caller


KnownCaller = Annotated[Caller, Depends(known_caller)]


async def require_scopes(
    caller: KnownCaller,
    needed: SecurityScopes,
    _bearer: Annotated[object, Depends(BEARER)],
    _key: Annotated[object, Depends(KEY_HEADER)],
) -> None:
    """Check that the caller has at least one scope, and every scope that the route requires.

    The two security schemes are parameters so that OpenAPI lists them.

    Raises:
        Forbidden: a scope is missing.
    """
    missing = [scope for scope in needed.scopes if not caller.has(Scope(scope))]
    if missing or not caller.scopes:
        raise Forbidden(f"The credentials lack the scope {' and '.join(missing) or 'search or write'}.")


ANY_SCOPE: Final = Security(require_scopes)
SEARCH: Final = Security(require_scopes, scopes=[Scope.SEARCH])
WRITE: Final = Security(require_scopes, scopes=[Scope.WRITE])
BOTH: Final = Security(require_scopes, scopes=[Scope.SEARCH, Scope.WRITE])
"""Of a change whose answer or effect shows more than what the call names: a key that only writes must not read so."""
ADMIN: Final = Security(require_scopes, scopes=[Scope.ADMIN])
"""Scopes for the `dependencies` of an `AuthenticatedRoute`, which run before all other dependencies."""
