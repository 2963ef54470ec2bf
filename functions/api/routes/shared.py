"""What a link to an album shows, to everybody who has it."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute

from functions.api import album_presenters, query_parameters
from functions.api.dependencies import ImageIdPath, Needs, PageCursor
from functions.api.problems import problem_responses
from functions.api.routes.images import LINK_RESPONSE, link_or_redirect
from functions.api.schemas.albums import SharedAlbum, SharedPage
from shared.domain.limits import DEFAULT_PAGE, MAX_PAGE


class PublicRoute(APIRoute):
    """A route that authenticates nobody; it refuses query parameters that it does not have."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle_request = super().get_route_handler()
        known = sorted(query_parameters.names(self.dependant))

        async def handle(request: Request) -> Response:
            query_parameters.require_known(request, known)
            return await handle_request(request)

        return handle


router = APIRouter(prefix="/v1/shared/{token}", tags=["shared albums"], route_class=PublicRoute)

Token = Annotated[str, Path(max_length=64, description="the secret of the link", examples=["x" * 43])]


@router.get("", summary="The album under a link", responses=problem_responses("not-found"))
def shared_album(token: Token, services: Needs) -> SharedAlbum:
    """Needs no key. The answer is the same for a token that never was, and one that has ended or was revoked."""
    album, share = services.shares.open(token)
    return album_presenters.shared_album(album, share)


@router.get(
    "/images",
    summary="The images of the album under a link",
    responses=problem_responses("not-found", "invalid-cursor"),
)
def shared_images(
    token: Token,
    services: Needs,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE, description="maximum number of images")] = DEFAULT_PAGE,
    cursor: PageCursor = None,
) -> SharedPage:
    """By when they were taken, the first first. Follow `cursor` until it is null."""
    page = services.shares.page(token, limit=limit, cursor=cursor)
    images = [album_presenters.shared_image(record, token, services.library.thumbnail_url) for record in page.records]
    return SharedPage(images=images, cursor=page.cursor)


@router.get(
    "/images/{image_id}/content",
    status_code=307,
    response_class=RedirectResponse,
    summary="An image of the album under a link",
    responses=problem_responses("not-found") | LINK_RESPONSE,
)
def shared_content(token: Token, image_id: ImageIdPath, services: Needs, request: Request) -> Response:
    """A WebP of at most 1,024 pixels a side, without metadata, so that it does not tell where it was taken. Redirects,
    or returns the link as JSON if `Accept` names `application/json`."""
    record = services.shares.image(token, image_id)
    return link_or_redirect(request, services.library.preview_link(record))


@router.get(
    "/images/{image_id}/thumbnail",
    status_code=307,
    response_class=RedirectResponse,
    summary="A small WebP of an image of the album under a link",
    responses=problem_responses("not-found") | LINK_RESPONSE,
)
def shared_thumbnail(token: Token, image_id: ImageIdPath, services: Needs, request: Request) -> Response:
    """At most 320 pixels a side. Redirects, or returns the link, as `content` does."""
    record = services.shares.image(token, image_id)
    return link_or_redirect(request, services.library.thumbnail_link(record))
