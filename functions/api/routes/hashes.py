"""Search for images by perceptual hashes, without an image."""

from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import APIRouter, Query

from functions.api import presenters
from functions.api.auth import SEARCH, AuthenticatedRoute
from functions.api.dependencies import Needs, OneCollection, PageCursor, SeenAs
from functions.api.presenters import View
from functions.api.problems import Problem, problem_responses
from functions.api.schemas import searches
from functions.api.services import Services
from shared.domain.limits import DEFAULT_PAGE, MAX_PAGE
from shared.domain.perceptual_hashes import DEFAULT_DISTANCES, MAX_DISTANCES, HashKind
from shared.search.hash_search import HashQuery, search_hashes

router = APIRouter(prefix="/v1/search", tags=["search"], route_class=AuthenticatedRoute)

_DISTANCE: Final = "maximum number of bits that differ: " + ", ".join(
    f"{DEFAULT_DISTANCES[kind]} by default and at most {MAX_DISTANCES[kind]} for `{kind}`" for kind in HashKind
)


@router.post(
    "/hashes",
    summary="Find images by a perceptual hash",
    responses=problem_responses("malformed-body", "invalid-cursor"),
    dependencies=[SEARCH],
)
def search_by_hash(
    query: searches.HashQuery,
    services: Needs,
    collection: OneCollection,
    view: SeenAs,
    distance: Annotated[
        int | None, Query(ge=0, le=max(MAX_DISTANCES.values()), description=_DISTANCE, examples=[10])
    ] = None,
    limit: Annotated[
        int, Query(ge=1, le=MAX_PAGE, description="number of matches after which a page ends")
    ] = DEFAULT_PAGE,
    cursor: PageCursor = None,
) -> searches.HashMatchPage:
    """The query is `phash` (16 hex digits) or `pdq` (64), or a list of at most 100 of one of them.

    Hashes are compared with those of the collection, newest images first, until there are `limit` matches or 100,000
    images were examined. Follow `cursor` until it is null. Near hashes suggest copies, and prove nothing.
    """
    return near(services, collection, _hash_query(query, distance, limit), cursor, view)


def near(
    services: Services, collection: str, query: HashQuery, cursor: str | None, view: View
) -> searches.HashMatchPage:
    found = search_hashes(services.catalogue, collection, query, cursor)
    return searches.HashMatchPage(
        matches=[presenters.hash_match(match, view) for match in found.matches],
        examined=found.examined,
        without_hash=found.without_hash,
        cursor=found.cursor,
    )


def _hash_query(query: searches.HashQuery, distance: int | None, limit: int) -> HashQuery:
    """Raises Problem for none or both kinds of hashes, or a distance that is too large for the kind."""
    given = query.model_dump(exclude_none=True)
    if len(given) != 1:
        raise Problem("invalid-request", "Send either `phash` or `pdq`.")
    [(name, values)] = given.items()
    kind = HashKind(name)
    if distance is not None and distance > MAX_DISTANCES[kind]:
        raise Problem("invalid-request", f"`distance` must be at most {MAX_DISTANCES[kind]} for {kind}.")
    return wanted(kind, [values] if isinstance(values, str) else values, limit, distance)


def wanted(kind: HashKind, values: Sequence[str], limit: int, distance: int | None = None) -> HashQuery:
    """Return the query for hashes in any case of letters, at the kind's default distance unless one is given."""
    return HashQuery(
        kind=kind,
        values=list(dict.fromkeys(value.lower() for value in values)),
        distance=DEFAULT_DISTANCES[kind] if distance is None else distance,
        limit=limit,
    )
