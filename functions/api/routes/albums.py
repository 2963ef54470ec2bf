"""Create, change and share albums."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response

from functions.api import album_presenters
from functions.api.album_covers import with_covers
from functions.api.album_shares import existing_album
from functions.api.auth import BOTH, SEARCH, WRITE, AuthenticatedRoute, KnownCaller
from functions.api.dependencies import Needs, OneCollection, PageCursor
from functions.api.problems import Problem, problem_responses
from functions.api.schemas.albums import (
    AlbumContent,
    AlbumCreation,
    AlbumImages,
    AlbumPage,
    AlbumState,
    AlbumUpdate,
    ChangedAlbum,
    NewShare,
    ShareCreation,
    ShareList,
)
from functions.api.schemas.common import EXAMPLE_UPLOAD
from functions.api.services import Services
from shared.domain.albums import ALBUM_ID_PATTERN, Album, AlbumChange, AlbumKey, AlbumMissing, new_album_id
from shared.domain.annotations import KEEP
from shared.domain.images import IMAGE_ID_PATTERN
from shared.domain.ledger import ImageKey
from shared.domain.limits import DEFAULT_PAGE, MAX_PAGE

router = APIRouter(prefix="/v1/albums", tags=["albums"], route_class=AuthenticatedRoute)


async def valid_album(
    collection: OneCollection,
    album_id: Annotated[str, Path(description="the album's id", examples=[EXAMPLE_UPLOAD])],
) -> AlbumKey:
    """Return a well-formed key; a malformed id is handled like one that does not exist."""
    if not re.fullmatch(ALBUM_ID_PATTERN, album_id):
        raise AlbumMissing
    return AlbumKey(collection, album_id)


OneAlbum = Annotated[AlbumKey, Depends(valid_album)]


@router.get(
    "",
    summary="The albums of a collection, the newest first",
    responses=problem_responses("invalid-cursor"),
    dependencies=[SEARCH],
)
def list_albums(
    services: Needs,
    collection: OneCollection,
    image_id: Annotated[
        str | None, Query(pattern=IMAGE_ID_PATTERN, description="only the albums that have this image, on one page")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE, description="maximum number of albums")] = DEFAULT_PAGE,
    cursor: PageCursor = None,
) -> AlbumPage:
    """Follow `cursor` until it is null. `GET /v1/images?album=` lists the images of one."""
    if image_id is not None:
        found = services.albums.of_image(ImageKey(collection, image_id))
        return AlbumPage(albums=_states(services, found), cursor=None)
    page = services.albums.page(collection, limit=limit, cursor=cursor)
    return AlbumPage(albums=_states(services, page.albums), cursor=page.cursor)


@router.post(
    "",
    status_code=201,
    summary="Create an album",
    responses=problem_responses("malformed-body"),
    dependencies=[WRITE],
)
def create_album(caller: KnownCaller, wanted: AlbumCreation, services: Needs) -> AlbumState:
    """Albums of one collection may have the same title: their ids tell them apart."""
    album = _empty(AlbumKey(caller.collection(wanted.collection), new_album_id()), wanted)
    services.albums.create(album)
    (state,) = _states(services, [album])
    return state


@router.put(
    "/{album_id}",
    summary="Create an album under an id, unless it is there",
    responses=problem_responses("malformed-body", "not-found"),
    dependencies=[WRITE],
)
def put_album(album: OneAlbum, wanted: AlbumContent, services: Needs) -> AlbumState:
    """Brings an album of another collection, or of another PicTrace, with its id. One that is there is not changed, and
    one in the trash is restored, without the links that shared it.

    A repetition changes nothing, so that it can be sent again after an outage.
    """
    (state,) = _states(services, [services.album_trash.bring(_empty(album, wanted))])
    return state


@router.get("/{album_id}", summary="One album", responses=problem_responses("not-found"), dependencies=[SEARCH])
def get_album(album: OneAlbum, services: Needs) -> AlbumState:
    """Without its images, which `GET /v1/images?album=` lists."""
    (state,) = _states(services, [existing_album(services.albums, album)])
    return state


@router.patch(
    "/{album_id}",
    summary="Rename or describe an album, or choose its cover",
    responses=problem_responses("malformed-body", "not-found"),
    dependencies=[WRITE],
)
def change_album(album: OneAlbum, change: AlbumUpdate, services: Needs) -> AlbumState:
    """What is left out stays. Without a chosen cover, the newest image is shown."""
    given = change.model_fields_set
    if change.cover is not None and not services.albums.held(album, [change.cover]):
        existing_album(services.albums, album)
        raise Problem("invalid-request", "cover: Choose an image of the album.")
    if "title" in given and change.title is None:
        raise Problem("invalid-request", "title: An album has a title.")
    wanted = AlbumChange(
        title=KEEP if change.title is None else _title(change.title),
        description=change.description if "description" in given else KEEP,
        cover=change.cover if "cover" in given else KEEP,
    )
    (state,) = _states(services, [services.albums.change(album, wanted)])
    return state


@router.delete(
    "/{album_id}",
    status_code=204,
    summary="Delete an album",
    responses=problem_responses("not-found"),
    response_class=Response,
    dependencies=[WRITE],
)
def delete_album(album: OneAlbum, services: Needs) -> None:
    """Moves the album into the trash; links to it end at once. Its images stay in the collection.

    It can be restored for 30 days (`/v1/trash/albums`), or as many as the deployment has set.
    """
    services.album_trash.delete(album)


@router.patch(
    "/{album_id}/images",
    summary="Add images to an album, and remove others",
    responses=problem_responses("malformed-body", "not-found", "album-full"),
    dependencies=[WRITE],
)
def change_album_images(album: OneAlbum, change: AlbumImages, services: Needs) -> ChangedAlbum:
    """At most 100 of each. Images that the album has already, or does not have, do not matter.

    An image in the trash stays in its albums, unseen. One that is purged leaves them.
    """
    existing_album(services.albums, album)
    services.albums.remove(album, change.remove)
    missing = services.albums.add(album, change.add) if change.add else []
    (state,) = _states(services, [existing_album(services.albums, album)])
    return ChangedAlbum(album=state, missing=list(missing))


@router.get(
    "/{album_id}/shares",
    summary="The links to an album",
    responses=problem_responses("not-found"),
    dependencies=[SEARCH],
)
def list_shares(album: OneAlbum, services: Needs) -> ShareList:
    """Those that have not ended, without their tokens."""
    return ShareList(shares=[album_presenters.share(one) for one in services.shares.list_all(album)])


@router.post(
    "/{album_id}/shares",
    status_code=201,
    summary="Create a link to an album",
    responses=problem_responses("malformed-body", "not-found"),
    dependencies=[BOTH],
)
def create_share(album: OneAlbum, wanted: ShareCreation, services: Needs) -> NewShare:
    """Everybody who has the link sees the images that the album has, without a key, until it ends or is revoked.

    They see thumbnails, images of at most 1,024 pixels a side and dates, and neither originals, names nor places. Needs
    the scopes `search` and `write`.
    """
    share, token = services.shares.create(album, wanted.days)
    return NewShare(**album_presenters.share(share).model_dump(), token=token, url=f"/shared/{token}")


@router.delete(
    "/{album_id}/shares/{share_id}",
    status_code=204,
    summary="Revoke a link to an album",
    responses=problem_responses("not-found"),
    response_class=Response,
    dependencies=[WRITE],
)
def revoke_share(
    album: OneAlbum,
    share_id: Annotated[str, Path(description="the link's id", max_length=64, examples=[EXAMPLE_UPLOAD])],
    services: Needs,
) -> None:
    """The link ends at once. Links to images that were already given out under it work for up to 15 minutes."""
    services.shares.revoke(album, share_id)


def _empty(key: AlbumKey, wanted: AlbumContent) -> Album:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Album(key, _title(wanted.title), wanted.description or None, None, 0, now)


def _title(text: str) -> str:
    title = text.strip()
    if not title:
        raise Problem("invalid-request", "title: An album has a title.")
    return title


def _states(services: Services, albums: Sequence[Album]) -> list[AlbumState]:
    covered = with_covers(albums, services.catalogue)
    return [album_presenters.album(album, cover, services.library.thumbnail_url) for album, cover in covered]
