"""Convert albums, links to them, and what a link shows, to response models."""

from collections.abc import Callable
from datetime import UTC, datetime

from functions.api.schemas.albums import AlbumState, SharedAlbum, SharedImage, ShareState
from shared.domain.albums import Album, Share
from shared.domain.capture import NOTHING
from shared.domain.images import ImageRecord


def album(found: Album, cover: ImageRecord | None, thumbnail: Callable[[ImageRecord], str]) -> AlbumState:
    return AlbumState(
        album_id=found.key.album_id,
        collection=found.key.collection,
        title=found.title,
        description=found.description,
        cover=cover.image_id if cover else None,
        cover_url=thumbnail(cover) if cover else None,
        images=found.images,
        created_at=found.created_at,
    )


def share(found: Share) -> ShareState:
    return ShareState(share_id=found.share_id, created_at=found.created_at, expires_at=_ends_at(found))


def shared_album(found: Album, link: Share) -> SharedAlbum:
    return SharedAlbum(title=found.title, description=found.description, expires_at=_ends_at(link))


def shared_image(record: ImageRecord, token: str, thumbnail: Callable[[ImageRecord], str]) -> SharedImage:
    return SharedImage(
        image_id=record.image_id,
        url=f"/v1/shared/{token}/images/{record.image_id}/content",
        thumbnail_url=thumbnail(record),
        width=record.width,
        height=record.height,
        taken_at=(record.capture or NOTHING).taken_at,
    )


def _ends_at(found: Share) -> str:
    return datetime.fromtimestamp(found.expires_at, UTC).isoformat(timespec="seconds")
