"""What routes ask for: the services, and parameters that several of them share."""

import re
from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import Depends, Path, Query, Request

from functions.api.auth import KnownCaller
from functions.api.errors import Problem
from functions.api.schemas import EXAMPLE_ID
from functions.api.services import Services
from shared.domain.errors import NotFound
from shared.domain.images import COLLECTION_PATTERN, IMAGE_ID_PATTERN
from shared.domain.limits import MAX_K
from shared.domain.matches import Effort, Ranking


def services(request: Request) -> Services:
    found: Services = request.app.state.services
    return found


def known_id(image_id: Annotated[str, Path(description="SHA-256 of the image", examples=[EXAMPLE_ID])]) -> str:
    """An id of the right form; any other names nothing, and is answered like an absent one."""
    if not re.fullmatch(IMAGE_ID_PATTERN, image_id):
        raise NotFound("There is no image with this id.")
    return image_id


def services_under(
    request: Request,
    model: Annotated[
        str | None, Query(max_length=256, description="ask this model instead of the active one; /v1/stats names them")
    ] = None,
) -> Services:
    try:
        return services(request).under(model)
    except KeyError:
        raise Problem("invalid-request", "`model` must be one of those that /v1/stats names.") from None


def one_collection(
    caller: KnownCaller,
    collection: Annotated[
        str | None,
        Query(pattern=COLLECTION_PATTERN, description="the album or tenant; `default`, or the only one of the key"),
    ] = None,
) -> str:
    """The collection that a call is about; see `Caller.collection`."""
    return caller.collection(collection)


def collections_in_reach(
    caller: KnownCaller,
    collection: Annotated[
        str | None, Query(pattern=COLLECTION_PATTERN, description="leave out to mean every collection of the caller")
    ] = None,
) -> Sequence[str] | None:
    """The collections that a call on one image looks into; see `Caller.reach`."""
    return caller.reach(collection)


def removed_from(
    caller: KnownCaller,
    collection: Annotated[
        str | None,
        Query(pattern=COLLECTION_PATTERN, description="where to remove it: `default`, or the only one of the key"),
    ] = None,
    collections: Annotated[
        Literal["all"] | None,
        Query(description="remove it from every collection of the caller instead, which needs the scope `admin`"),
    ] = None,
) -> Sequence[str] | None:
    """The collections that a removal is about: the one that reading means too, unless all are asked for by name."""
    if collections is None:
        return (caller.collection(collection),)
    if collection is not None:
        raise Problem("invalid-request", "Name one `collection`, or say `collections=all`, not both.")
    return caller.everywhere()


Needs = Annotated[Services, Depends(services)]
NeedsModel = Annotated[Services, Depends(services_under)]
"""Services that keep to one model for the whole request, the active one or what the request names."""
ImageIdPath = Annotated[str, Depends(known_id)]
OneCollection = Annotated[str, Depends(one_collection)]
Reach = Annotated[Sequence[str] | None, Depends(collections_in_reach)]
RemovedFrom = Annotated[Sequence[str] | None, Depends(removed_from)]
K = Annotated[int, Query(ge=1, le=MAX_K, description="how many matches")]
MinScore = Annotated[float, Query(ge=0, le=1, description="leave out matches below")]
LabelQuery = Annotated[
    str | None,
    Query(
        min_length=1,
        max_length=100,
        description="only images that have this among their labels: a class (`Egyptian cat`) or a kind (`cat`)",
        examples=["cat"],
    ),
]
RankingQuery = Annotated[Ranking, Query(description="how matches are ordered and scored")]
EffortQuery = Annotated[
    Effort,
    Query(description="how far to look for copies that are mirrored, or only a part of the query"),
]
