"""List the near-duplicates of a collection."""

from typing import Annotated

from fastapi import APIRouter, Query

from functions.api import presenters, schemas
from functions.api.auth import SEARCH, AuthenticatedRoute
from functions.api.dependencies import Needs, OneCollection
from functions.api.errors import problem_responses
from shared.domain.limits import DEFAULT_PAGE, MAX_PAGE

router = APIRouter(prefix="/v1/duplicates", tags=["duplicates"], route_class=AuthenticatedRoute)


@router.get(
    "", summary="Groups of near-duplicates", responses=problem_responses("invalid-cursor"), dependencies=[SEARCH]
)
def list_duplicates(
    services: Needs,
    collection: OneCollection,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE, description="maximum number of groups")] = DEFAULT_PAGE,
    cursor: Annotated[str | None, Query(max_length=1024, description="the cursor of the previous page")] = None,
) -> schemas.DuplicatePage:
    """Images that were near-duplicates of an earlier image when they were indexed, grouped with it, the best first.

    Follow `cursor` until it is null; a page may be short and still have a next one. Groups are formed when images are
    indexed, so this call compares nothing and costs as much as a page of a listing.
    """
    page = services.duplicates.page(collection, limit=limit, cursor=cursor)
    groups = [presenters.group(found, services.library.thumbnail_url) for found in page.groups]
    return schemas.DuplicatePage(groups=groups, cursor=page.cursor)
