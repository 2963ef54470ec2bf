"""List, restore and purge deleted images."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from functions.api import presenters
from functions.api.auth import SEARCH, WRITE, AuthenticatedRoute
from functions.api.dependencies import ImageIdPath, Needs, OneCollection, PageCursor, SeenAs
from functions.api.presenters import View
from functions.api.problems import problem_responses
from functions.api.schemas.collections import TrashedImage, TrashPage
from functions.api.schemas.images import Image
from shared.domain import trash
from shared.domain.limits import DEFAULT_PAGE, MAX_PAGE

router = APIRouter(prefix="/v1/trash", tags=["trash"], route_class=AuthenticatedRoute)


@router.get(
    "",
    summary="The deleted images of a collection, the last deleted first",
    responses=problem_responses("invalid-cursor"),
    dependencies=[SEARCH],
)
def list_trash(
    services: Needs,
    collection: OneCollection,
    view: SeenAs,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE, description="maximum number of images")] = DEFAULT_PAGE,
    cursor: PageCursor = None,
) -> TrashPage:
    """Follow `cursor` until it is null. A page may be short and still have a next one.

    Nothing else finds these images: calls with their id answer 404 until they are restored.
    """
    page = services.trash.page(collection, limit=limit, cursor=cursor)
    images = [_trashed(found, view, services.trash.days) for found in page.images]
    return TrashPage(images=images, cursor=page.cursor, days=services.trash.days)


@router.post(
    "/{image_id}/restore",
    summary="Restore a deleted image",
    responses=problem_responses("not-found"),
    dependencies=[WRITE],
)
def restore(image_id: ImageIdPath, services: Needs, collection: OneCollection, view: SeenAs) -> Image:
    """Restores the image with its record, objects, annotations and group, as it was deleted."""
    services.trash.restore(image_id, collection)
    return presenters.image(services.library.image(image_id, (collection,)), view)


@router.delete(
    "/{image_id}",
    status_code=204,
    summary="Purge a deleted image",
    responses=problem_responses("not-found"),
    response_class=Response,
    dependencies=[WRITE],
)
def purge(image_id: ImageIdPath, services: Needs, collection: OneCollection) -> None:
    """Removes the image with its bytes from PicTrace's bucket, at once and for good. Other buckets keep theirs."""
    services.trash.purge(image_id, collection)


@router.delete(
    "",
    status_code=202,
    summary="Empty the trash",
    responses=problem_responses(),
    response_class=Response,
    dependencies=[WRITE],
)
def empty(services: Needs, collection: OneCollection) -> None:
    """Purges everything that is in the collection's trash now. It is done by the ingest function, and takes a while."""
    services.trash.empty(collection)


def _trashed(found: trash.TrashedImage, view: View, days: int) -> TrashedImage:
    return TrashedImage(
        **presenters.image(found.record, view).model_dump(),
        trashed_at=found.trashed_at,
        purged_at=trash.purged_at(found.trashed_at, days),
    )
