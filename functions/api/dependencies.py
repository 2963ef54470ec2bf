"""Dependencies of the routes: the services, and parameters that several routes share.

Those that wait for nothing are coroutines: FastAPI passes every other one to a thread, and a search has six of them.
"""

import re
from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import Depends, Path, Query, Request

from functions.api.auth import KnownCaller
from functions.api.presenters import View
from functions.api.problems import Problem
from functions.api.schemas.common import EXAMPLE_ID
from functions.api.services import Services
from shared.domain.access import Scope
from shared.domain.errors import NotFound
from shared.domain.images import COLLECTION_PATTERN, IMAGE_ID_PATTERN
from shared.domain.limits import MAX_K
from shared.domain.matches import Effort, Ranking, Verdict

PageCursor = Annotated[str | None, Query(max_length=1024, description="the cursor of the previous page")]


async def services(request: Request) -> Services:
    found: Services = request.app.state.services
    return found


Needs = Annotated[Services, Depends(services)]


async def valid_image_id(
    image_id: Annotated[str, Path(description="SHA-256 of the image", examples=[EXAMPLE_ID])],
) -> str:
    """Return a well-formed image id; a malformed one is handled like one that does not exist."""
    if not re.fullmatch(IMAGE_ID_PATTERN, image_id):
        raise NotFound("There is no image with this id.")
    return image_id


def services_for_model(
    services: Needs,
    model: Annotated[
        str | None,
        Query(max_length=256, description="search with this model instead of the active one; /v1/stats lists them"),
    ] = None,
) -> Services:
    try:
        return services.with_model(model)
    except KeyError:
        raise Problem("invalid-request", "`model` must be one of the models that /v1/stats lists.") from None


async def one_collection(
    caller: KnownCaller,
    collection: Annotated[
        str | None,
        Query(
            pattern=COLLECTION_PATTERN,
            description="the album or tenant; by default `default`, or the only one of the key",
        ),
    ] = None,
) -> str:
    """Return the collection that a call applies to; see `Caller.collection`."""
    return caller.collection(collection)


async def accessible_collections(
    caller: KnownCaller,
    collection: Annotated[
        str | None, Query(pattern=COLLECTION_PATTERN, description="omit it to look in every collection of the caller")
    ] = None,
) -> Sequence[str] | None:
    """Return the collections in which a call looks for an image; see `Caller.reach`."""
    return caller.reach(collection)


async def collections_to_remove_from(
    caller: KnownCaller,
    collection: Annotated[
        str | None,
        Query(
            pattern=COLLECTION_PATTERN,
            description="where to remove it; by default `default`, or the only one of the key",
        ),
    ] = None,
    collections: Annotated[
        Literal["all"] | None,
        Query(description="remove it from every collection of the caller instead; requires the scope `admin`"),
    ] = None,
) -> Sequence[str] | None:
    """Return the collections from which an image is removed: the same one as for a read, or all if requested."""
    if collections is None:
        return (caller.collection(collection),)
    if collection is not None:
        raise Problem("invalid-request", "Send either `collection` or `collections=all`, not both.")
    return caller.everywhere()


async def view_of_caller(caller: KnownCaller, services: Needs) -> View:
    """Return what the caller sees of images: locations need the scope `admin`, unless the deployment shows them."""
    return View(services.library.thumbnail_url, location=services.show_location or caller.has(Scope.ADMIN))


SeenAs = Annotated[View, Depends(view_of_caller)]
NeedsModel = Annotated[Services, Depends(services_for_model)]
"""Services that use one model for the whole request: the one that the request names, or the active one."""
ImageIdPath = Annotated[str, Depends(valid_image_id)]
OneCollection = Annotated[str, Depends(one_collection)]
Reach = Annotated[Sequence[str] | None, Depends(accessible_collections)]
RemovedFrom = Annotated[Sequence[str] | None, Depends(collections_to_remove_from)]
K = Annotated[int, Query(ge=1, le=MAX_K, description="maximum number of matches")]
MinScore = Annotated[float, Query(ge=0, le=1, description="omit matches with a lower score")]
MinVerdict = Annotated[Verdict, Query(description="omit matches that are less close")]
LabelQuery = Annotated[
    str | None,
    Query(
        min_length=1,
        max_length=100,
        description="only images with this label: a class (`Egyptian cat`) or a broader kind (`cat`)",
        examples=["cat"],
    ),
]
RankingQuery = Annotated[Ranking, Query(description="how matches are scored and ordered")]
EffortQuery = Annotated[
    Effort,
    Query(description="how thoroughly to search for copies that are mirrored or only a part of the query"),
]
