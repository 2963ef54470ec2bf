"""List and restore deleted albums."""

from typing import Annotated

from fastapi import APIRouter, Query

from functions.api import album_presenters
from functions.api.album_covers import with_covers
from functions.api.auth import SEARCH, WRITE, AuthenticatedRoute
from functions.api.dependencies import Needs, OneCollection, PageCursor
from functions.api.problems import problem_responses
from functions.api.routes.albums import OneAlbum
from functions.api.schemas.albums import AlbumState, TrashedAlbum, TrashedAlbumPage
from shared.domain import trash
from shared.domain.limits import DEFAULT_PAGE, MAX_PAGE

router = APIRouter(prefix="/v1/trash/albums", tags=["trash"], route_class=AuthenticatedRoute)


@router.get(
    "",
    summary="The deleted albums of a collection, the last deleted first",
    responses=problem_responses("invalid-cursor"),
    dependencies=[SEARCH],
)
def list_trashed_albums(
    services: Needs,
    collection: OneCollection,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE, description="maximum number of albums")] = DEFAULT_PAGE,
    cursor: PageCursor = None,
) -> TrashedAlbumPage:
    """Follow `cursor` until it is null. A page may be short and still have a next one.

    Nothing else finds these albums, and links to them have ended until they are restored. `DELETE /v1/trash` purges
    them with the deleted images.
    """
    page = services.album_trash.page(collection, limit=limit, cursor=cursor)
    days = services.album_trash.days
    albums = [_trashed(found, days) for found in page.albums]
    return TrashedAlbumPage(albums=albums, cursor=page.cursor, days=days)


@router.post(
    "/{album_id}/restore",
    summary="Restore a deleted album",
    responses=problem_responses("not-found"),
    dependencies=[WRITE],
)
def restore_album(album: OneAlbum, services: Needs) -> AlbumState:
    """Restores the album with its images, as it was deleted. Links that share it work again until they end."""
    restored = services.album_trash.restore(album)
    ((_, cover),) = with_covers([restored], services.catalogue)
    return album_presenters.album(restored, cover, services.library.thumbnail_url)


def _trashed(found: trash.TrashedAlbum, days: int) -> TrashedAlbum:
    return TrashedAlbum(
        album_id=found.album.key.album_id,
        collection=found.album.key.collection,
        title=found.album.title,
        description=found.album.description,
        images=found.album.images,
        created_at=found.album.created_at,
        trashed_at=found.trashed_at,
        purged_at=trash.purged_at(found.trashed_at, days),
    )
