"""Refuse query parameters that a call does not have: a misspelt filter would otherwise be ignored."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Final

from fastapi import Request
from fastapi.dependencies.models import Dependant

from functions.api.problems import MAX_ERRORS, Problem, shortened

STRICT_PREFIX: Final = "/v1/"
"""Calls below it are strict; those of the legacy API ignore what they do not know, as they always have."""


def names(dependant: Dependant) -> set[str]:
    """Return the names of a route's query parameters, those of its dependencies included."""
    own = {field.alias for field in dependant.query_params}
    return own.union(*(names(dependency) for dependency in dependant.dependencies))


def require_known(request: Request, known: Sequence[str]) -> None:
    """Check that a request has only known query parameters.

    Raises:
        Problem: 422, with the names of the others.
    """
    unknown = [name for name in dict.fromkeys(request.query_params) if name not in known]
    if not unknown:
        return
    listed = ", ".join(f"`{shortened(name)}`" for name in unknown[:MAX_ERRORS])
    subject = f"Unknown query parameter{'s' if len(unknown) > 1 else ''} {listed}"
    taken = f"This call takes {', '.join(f'`{name}`' for name in known)}." if known else "This call takes none."
    meant = get_close_matches(unknown[0], known, 1)
    errors = [
        {"where": ["query", shortened(name)], "message": "Unknown query parameter"} for name in unknown[:MAX_ERRORS]
    ]
    suggestion = f" Did you mean `{meant[0]}`?" if meant else ""
    raise Problem("invalid-request", f"{subject}.{suggestion} {taken}", errors=errors)
