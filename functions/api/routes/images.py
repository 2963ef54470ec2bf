"""List, fetch, show and remove images."""

from dataclasses import replace
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import RedirectResponse

from functions.api import presenters
from functions.api.album_shares import existing_album
from functions.api.auth import SEARCH, WRITE, AuthenticatedRoute, KnownCaller
from functions.api.dependencies import ImageIdPath, Needs, OneCollection, PageCursor, Reach, RemovedFrom, SeenAs
from functions.api.filter_parameters import ListingFilter, MatchQuery
from functions.api.problems import problem_responses
from functions.api.schemas.images import ImageChange, ImagePage, ImageWithSources, Link
from functions.api.schemas.uploads import UploadAccepted, UrlRequest
from shared.domain.albums import ALBUM_ID_PATTERN, AlbumKey
from shared.domain.annotations import KEEP, AnnotationChange, TagChange
from shared.domain.filters import Order, Sort
from shared.domain.limits import DEFAULT_PAGE, LINK_EXPIRES_SECONDS, LINK_HALF_LIFE_SECONDS, MAX_PAGE
from shared.domain.people.records import PERSON_ID_PATTERN
from shared.domain.tags import TagMatch, canonical_tag

router = APIRouter(prefix="/v1/images", tags=["images"], route_class=AuthenticatedRoute)

PEOPLE_PATTERN: Final = rf"^{PERSON_ID_PATTERN}(,{PERSON_ID_PATTERN}){{0,9}}$"


async def valid_tag(tag: Annotated[str, Path(max_length=256, description="in any case", examples=["dog"])]) -> str:
    """Raises InvalidTag."""
    return canonical_tag(tag)


Tag = Annotated[str, Depends(valid_tag)]
LINK_HEADERS = {
    "Cache-Control": f"private, max-age={LINK_HALF_LIFE_SECONDS}",
    "Vary": "Accept, Authorization, X-Api-Key",
}
"""A link may be reused by the caller who asked for it, for half its life."""

LINK_RESPONSE: Final[dict[int | str, dict[str, Any]]] = {
    200: {"model": Link, "description": "the link, if `Accept` names `application/json`"}
}


@router.get(
    "",
    summary="One page of a collection",
    responses=problem_responses("invalid-cursor", "unknown-label", "not-found"),
    dependencies=[SEARCH],
)
def list_images(
    services: Needs,
    collection: OneCollection,
    wanted: ListingFilter,
    view: SeenAs,
    album: Annotated[
        str | None, Query(pattern=ALBUM_ID_PATTERN, description="only images of this album of the collection")
    ] = None,
    sort: Annotated[
        Sort,
        Query(
            description="by the time of indexing, or by the local time at which images were taken, and of those whose "
            "file has no date by the time of indexing"
        ),
    ] = Sort.ADDED,
    order: Annotated[Order, Query(description="which end of that time comes first")] = Order.NEWEST,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE, description="maximum number of images")] = DEFAULT_PAGE,
    cursor: PageCursor = None,
    people: Annotated[
        str | None,
        Query(pattern=PEOPLE_PATTERN, description="only images that show these persons: ids with commas between"),
    ] = None,
    match: MatchQuery = None,
) -> ImagePage:
    """Follow `cursor` until it is null. A filtered page may be short and still have a next one."""
    if album is not None:
        existing_album(services.albums, AlbumKey(collection, album))
        wanted = replace(wanted, album=album)
    if people:
        page = services.people.images(
            collection,
            people.split(","),
            match or TagMatch.ALL,
            wanted=wanted,
            sort=sort,
            order=order,
            limit=limit,
            cursor=cursor,
        )
    else:
        page = services.catalogue.page(collection, wanted=wanted, sort=sort, order=order, limit=limit, cursor=cursor)
    if page.records:
        services.collections.register(collection)
    images = [presenters.image(record, view) for record in page.records]
    return ImagePage(images=images, cursor=page.cursor)


@router.post(
    "",
    status_code=202,
    summary="Fetch an image from a URL",
    responses=problem_responses("malformed-body", "unfetchable-url", "unsupported-media-type", "undecodable-picture"),
    dependencies=[WRITE],
)
def fetch_image(caller: KnownCaller, wanted: UrlRequest, services: Needs) -> UploadAccepted:
    """Accepts a public http(s) URL of an image of at most 25 MiB. Query the upload's state as for any other upload."""
    collection = caller.collection(wanted.collection)
    return UploadAccepted(upload_id=services.library.fetch_upload(wanted.url, collection))


@router.get(
    "/{image_id}", summary="One image's record", responses=problem_responses("not-found"), dependencies=[SEARCH]
)
def get_image(image_id: ImageIdPath, services: Needs, collections: Reach, view: SeenAs) -> ImageWithSources:
    """The record, with at most 100 of the objects that have the image's bytes."""
    record = services.library.image(image_id, collections)
    return presenters.image_with_sources(record, view)


@router.patch(
    "/{image_id}",
    summary="Note something about an image",
    responses=problem_responses("malformed-body", "not-found"),
    dependencies=[WRITE],
)
def change_image(
    image_id: ImageIdPath, change: ImageChange, services: Needs, collection: OneCollection, view: SeenAs
) -> ImageWithSources:
    """Changes the caller's own id, note and fields of the image in one collection, its tags, and whether it is a
    favourite.

    They are returned with the image, and filter listings (`external_id`, `field`, `tag`, `favourite`) and searches
    (`external_id`, `field`).
    """
    given = change.model_fields_set
    wanted = AnnotationChange(
        external_id=change.external_id if "external_id" in given else KEEP,
        note=change.note if "note" in given else KEEP,
        fields=change.fields,
        favourite=change.favourite if "favourite" in given else KEEP,
        tags={canonical_tag(tag): wanted for tag, wanted in change.decided_tags.items()},
    )
    record = services.library.annotate(image_id, collection, wanted)
    return presenters.image_with_sources(record, view)


@router.put(
    "/{image_id}/tags/{tag}",
    summary="Give an image a tag",
    responses=problem_responses("not-found"),
    dependencies=[WRITE],
)
def add_tag(
    image_id: ImageIdPath, tag: Tag, services: Needs, collection: OneCollection, view: SeenAs
) -> ImageWithSources:
    """The image has the tag from then on, whatever the network sees in it, also when it is deleted and comes back."""
    record = services.library.annotate(image_id, collection, TagChange(tag, wanted=True))
    return presenters.image_with_sources(record, view)


@router.delete(
    "/{image_id}/tags/{tag}",
    summary="Remove a tag of an image",
    responses=problem_responses("not-found"),
    dependencies=[WRITE],
)
def remove_tag(
    image_id: ImageIdPath, tag: Tag, services: Needs, collection: OneCollection, view: SeenAs
) -> ImageWithSources:
    """The image does not have the tag from then on, whatever the network sees in it, also when it is deleted and comes
    back."""
    record = services.library.annotate(image_id, collection, TagChange(tag, wanted=False))
    return presenters.image_with_sources(record, view)


@router.delete(
    "/{image_id}",
    status_code=204,
    summary="Delete an image",
    responses=problem_responses("not-found"),
    response_class=Response,
    dependencies=[WRITE],
)
def remove_image(image_id: ImageIdPath, services: Needs, collections: RemovedFrom) -> None:
    """Moves the image of one collection into its trash, where no search and no listing finds it.

    It can be restored for 30 days (`/v1/trash`), or as many as the deployment has set, and is then purged with its
    bytes. The collection is the one named, otherwise `default`, otherwise the only one of the key. `collections=all`
    deletes the image in every collection of the key.
    """
    services.trash.delete(image_id, collections)


@router.get(
    "/{image_id}/content",
    status_code=307,
    response_class=RedirectResponse,
    summary="The image itself",
    responses=problem_responses("not-found") | LINK_RESPONSE,
    dependencies=[SEARCH],
)
def content(
    image_id: ImageIdPath,
    services: Needs,
    collections: Reach,
    request: Request,
    download: Annotated[bool, Query(description="a link that saves the image under its file name")] = False,
) -> Response:
    """Redirects to a link valid for 15 minutes, or returns it as JSON if `Accept` names `application/json`."""
    record = services.library.image(image_id, collections)
    return link_or_redirect(request, services.library.content_link(record, download=download))


@router.get(
    "/{image_id}/thumbnail",
    status_code=307,
    response_class=RedirectResponse,
    summary="A small WebP of the image",
    responses=problem_responses("not-found") | LINK_RESPONSE,
    dependencies=[SEARCH],
)
def thumbnail(image_id: ImageIdPath, services: Needs, collections: Reach, request: Request) -> Response:
    """At most 320 pixels a side; created if it is missing. Redirects, or returns the link, as `content` does.

    Every image in a response has a link in `thumbnail_url`; call this when that link has expired or is broken.
    """
    record = services.library.image(image_id, collections)
    return link_or_redirect(request, services.library.thumbnail_link(record))


def link_or_redirect(request: Request, url: str) -> Response:
    if "application/json" in request.headers.get("accept", ""):
        link = Link(url=url, expires_in=LINK_EXPIRES_SECONDS)
        return Response(link.model_dump_json(), media_type="application/json", headers=LINK_HEADERS)
    return RedirectResponse(url, headers=LINK_HEADERS)
