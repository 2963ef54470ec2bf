"""Read the caller from a JWT whose issuer, audience, signature and times API Gateway has verified."""

import re
from collections.abc import Mapping
from typing import Any, Final

from shared.domain.access import EVERY_COLLECTION, Caller, Scope
from shared.domain.errors import Unauthenticated
from shared.domain.images import COLLECTION_PATTERN

SCOPE_PREFIX: Final = "pictrace/"
COLLECTIONS_CLAIM: Final = "pictrace_collections"


def caller_from_claims(event: Mapping[str, Any] | None) -> Caller:
    """Return the caller from the JWT claims in an event of payload format 2.0.

    Scopes are the words of `scope` (or `scp`) that start with `pictrace/`; collections are the words of
    `pictrace_collections`. There `*` means all collections; a token without the claim has access to none.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html

    Raises:
        Unauthenticated: no JWT authorizer has handled this request.
    """
    match event:
        case {"requestContext": {"authorizer": {"jwt": {"claims": Mapping() as claims}}}}:
            pass
        case _:
            raise Unauthenticated
    granted = _words(claims, "scope", "scp")
    named = _words(claims, COLLECTIONS_CLAIM)
    return Caller(
        name=str(claims.get("sub", "")),
        scopes=frozenset(scope for scope in Scope if f"{SCOPE_PREFIX}{scope}" in granted),
        collections=None
        if EVERY_COLLECTION in named
        else frozenset(name for name in named if re.fullmatch(COLLECTION_PATTERN, name)),
    )


def _words(claims: Mapping[str, Any], *names: str) -> list[str]:
    """Return the words of the first claim that exists; API Gateway passes an array as one string, `[a b]`."""
    value = next((claims[name] for name in names if claims.get(name)), "")
    if isinstance(value, list):
        return [str(word) for word in value]
    return str(value).strip().removeprefix("[").removesuffix("]").replace(",", " ").split()
