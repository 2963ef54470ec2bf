"""Stored pictures: list, show, remove."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import RedirectResponse

from functions.api import answers, schemas
from functions.api.dependencies import AnyCollection, CollectionQuery, ImageIdPath, LabelQuery, Needs
from functions.api.errors import described
from shared.domain.limits import DEFAULT_COLLECTION, DEFAULT_PAGE, LINK_EXPIRES_SECONDS, MAX_PAGE

router = APIRouter(prefix="/v1/images", tags=["images"])

LINK_HEADERS = {"Cache-Control": f"private, max-age={LINK_EXPIRES_SECONDS // 2}"}
"""A redirect may be reused for half the life of the link that it leads to."""


@router.get("", summary="One page of a collection, newest first", responses=described("invalid-cursor"))
def list_images(
    services: Needs,
    collection: CollectionQuery = DEFAULT_COLLECTION,
    label: LabelQuery = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = DEFAULT_PAGE,
    cursor: Annotated[str | None, Query(max_length=1024, description="from the page before")] = None,
) -> schemas.ImagePage:
    """Follow `cursor` until it is null. A page filtered by label may be short and still have a next one."""
    page = services.catalogue.newest(collection, label=label, limit=limit, cursor=cursor)
    return schemas.ImagePage(images=[answers.image(record) for record in page.records], cursor=page.cursor)


@router.post(
    "",
    status_code=202,
    summary="Fetch a picture from a URL",
    responses=described("malformed-body", "unfetchable-url", "unsupported-media-type", "undecodable-picture"),
)
def fetch_image(wanted: schemas.UrlRequest, services: Needs) -> schemas.UploadAccepted:
    """Takes a public http(s) address, at most 25 MiB. Ask for the upload's state as after any other upload."""
    return schemas.UploadAccepted(upload_id=services.library.fetch_in(wanted.url, wanted.collection))


@router.get("/{image_id}", summary="One picture's record", responses=described("not-found"))
def get_image(image_id: ImageIdPath, services: Needs, collection: AnyCollection = None) -> schemas.ImageWithSources:
    """The record with the objects that brought these bytes, at most 100 of them."""
    return answers.image_with_sources(services.library.image(image_id, collection))


@router.delete(
    "/{image_id}",
    status_code=204,
    summary="Remove a picture",
    responses=described("not-found"),
    response_class=Response,
)
def remove_image(image_id: ImageIdPath, services: Needs, collection: AnyCollection = None) -> None:
    """Removes the record, the signature and the stored bytes, from one collection or from all."""
    services.library.remove(image_id, collection)


@router.get(
    "/{image_id}/content",
    status_code=307,
    response_class=RedirectResponse,
    summary="The picture itself",
    responses=described("not-found"),
)
def content(image_id: ImageIdPath, services: Needs, collection: AnyCollection = None) -> RedirectResponse:
    """Redirects to a link that works for 15 minutes."""
    record = services.library.image(image_id, collection)
    return RedirectResponse(services.library.content_link(record), headers=LINK_HEADERS)


@router.get(
    "/{image_id}/thumbnail",
    status_code=307,
    response_class=RedirectResponse,
    summary="A small WebP of the picture",
    responses=described("not-found"),
)
def thumbnail(image_id: ImageIdPath, services: Needs, collection: AnyCollection = None) -> RedirectResponse:
    """At most 320 pixels a side; made when first asked for. Redirects to a link that works for 15 minutes."""
    record = services.library.image(image_id, collection)
    return RedirectResponse(services.library.thumbnail_link(record), headers=LINK_HEADERS)
