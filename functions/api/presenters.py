"""Convert domain objects to response models."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from functions.api import schemas
from functions.api.duplicate_groups import Resolution
from shared.domain.albums import Album, Share
from shared.domain.capture import NOTHING, Capture
from shared.domain.duplicate_scans import DuplicateScan
from shared.domain.duplicates import DuplicateGroup
from shared.domain.images import ImageRecord, Upload
from shared.domain.matches import SCORE_DIGITS, Comparison, Part, Verdict
from shared.domain.trash import TrashedImage, purged_at
from shared.search.hash_search import HashMatch
from shared.search.searcher import ScoredMatch


@dataclass(frozen=True, slots=True)
class View:
    """What a caller sees of images.

    Attributes:
        thumbnail: returns the URL of an image's thumbnail.
        location: whether the caller may know where images were taken.
    """

    thumbnail: Callable[[ImageRecord], str]
    location: bool


def image(record: ImageRecord, view: View) -> schemas.Image:
    capture = record.capture or NOTHING
    return schemas.Image(
        image_id=record.image_id,
        collection=record.collection,
        url=f"/v1/images/{record.image_id}/content?collection={quote(record.collection)}",
        thumbnail_url=view.thumbnail(record),
        width=record.width,
        height=record.height,
        format=record.format,
        bytes=record.bytes,
        phash=record.phash,
        pdq=record.pdq.value if record.pdq else None,
        pdq_quality=record.pdq.quality if record.pdq else None,
        label=record.label,
        labels=[schemas.LabelModel(name=label.name, probability=label.probability) for label in record.labels],
        filename=record.filename,
        created_at=record.created_at,
        model=record.model,
        low_information=record.low_information,
        sharpness=record.sharpness,
        raw=record.raw,
        damaged=record.damaged,
        intact=record.intact,
        pages=record.pages,
        pages_searched=record.pages_searched,
        taken_at=capture.taken_at,
        camera=capture.camera,
        location=_location(capture) if view.location else None,
        tags=list(record.tags),
        decided_tags=record.annotations.tags.as_mapping(),
        favourite=record.annotations.favourite,
        external_id=record.annotations.external_id,
        note=record.annotations.note,
        fields=dict(record.annotations.fields),
    )


def _location(capture: Capture) -> schemas.Location | None:
    if capture.location is None:
        return None
    latitude, longitude = capture.location
    return schemas.Location(latitude=latitude, longitude=longitude)


def image_with_sources(record: ImageRecord, view: View) -> schemas.ImageWithSources:
    sources = [schemas.Source(bucket=ref.bucket, key=ref.key, version=ref.version) for ref in record.sources]
    return schemas.ImageWithSources(**image(record, view).model_dump(), sources=sources)


def group(found: DuplicateGroup, view: View) -> schemas.DuplicateGroup:
    return schemas.DuplicateGroup(
        group_id=found.group_id,
        best=found.records[0].image_id,
        reasons=dict(found.reasons()),
        chosen=found.records[0].chosen,
        images=[image(record, view) for record in found.records],
        truncated=found.truncated,
    )


def resolution(done: Resolution) -> schemas.ResolvedGroup:
    return schemas.ResolvedGroup(
        group_id=done.group_id,
        kept=[record.image_id for record in done.kept],
        deleted=[
            schemas.DeletedDuplicate(image_id=record.image_id, filename=record.filename, reason=reason)
            for record, reason in done.deleted
        ],
    )


def scan(found: DuplicateScan) -> schemas.DuplicateCheckState:
    return schemas.DuplicateCheckState(
        collection=found.collection,
        status=found.status,
        images=found.images,
        done=found.done,
        changed=found.changed,
        started_at=found.started_at,
    )


def album(found: Album, cover: ImageRecord | None, thumbnail: Callable[[ImageRecord], str]) -> schemas.AlbumState:
    return schemas.AlbumState(
        album_id=found.key.album_id,
        collection=found.key.collection,
        title=found.title,
        description=found.description,
        cover=cover.image_id if cover else None,
        cover_url=thumbnail(cover) if cover else None,
        images=found.images,
        created_at=found.created_at,
    )


def share(found: Share) -> schemas.ShareState:
    return schemas.ShareState(share_id=found.share_id, created_at=found.created_at, expires_at=_ends_at(found))


def shared_album(found: Album, link: Share) -> schemas.SharedAlbum:
    return schemas.SharedAlbum(title=found.title, description=found.description, expires_at=_ends_at(link))


def shared_image(record: ImageRecord, token: str, thumbnail: Callable[[ImageRecord], str]) -> schemas.SharedImage:
    return schemas.SharedImage(
        image_id=record.image_id,
        url=f"/v1/shared/{token}/images/{record.image_id}/content",
        thumbnail_url=thumbnail(record),
        width=record.width,
        height=record.height,
        taken_at=(record.capture or NOTHING).taken_at,
    )


def _ends_at(found: Share) -> str:
    return datetime.fromtimestamp(found.expires_at, UTC).isoformat(timespec="seconds")


def trashed(found: TrashedImage, view: View, days: int) -> schemas.TrashedImage:
    return schemas.TrashedImage(
        **image(found.record, view).model_dump(),
        trashed_at=found.trashed_at,
        purged_at=purged_at(found.trashed_at, days),
    )


def upload(state: Upload) -> schemas.UploadState:
    return schemas.UploadState(
        upload_id=state.upload_id,
        status=state.status,
        collection=state.collection,
        image_id=state.image_id,
        grouping=state.grouping,
        code=state.code,
        reason=state.reason,
    )


def comparison(scores: Comparison, model: str) -> schemas.Comparison:
    return schemas.Comparison(**_scores(scores).model_dump(), model=model)


def match(found: ScoredMatch, view: View) -> schemas.Match:
    return schemas.Match(
        **_scores(found.comparison).model_dump(),
        image_id=found.record.image_id,
        image=image(found.record, view),
    )


def hash_match(found: HashMatch, view: View) -> schemas.HashMatch:
    return schemas.HashMatch(
        hash=found.value,
        hash_distance=found.distance,
        image_id=found.record.image_id,
        image=image(found.record, view),
    )


def _scores(scores: Comparison) -> schemas.Scores:
    unlike = scores.verdict is Verdict.UNRELATED
    return schemas.Scores(
        score=_round(scores.score),
        verdict=scores.verdict,
        reason=scores.reason,
        cosine=None if scores.cosine is None else _round(scores.cosine),
        ssim=_round(scores.ssim),
        ssim_aligned=None if scores.ssim_aligned is None else _round(scores.ssim_aligned),
        orb=schemas.OrbModel(**asdict(scores.orb) | {"ratio": _round(scores.orb.ratio)}),
        histogram=_round(scores.histogram),
        mirrored=scores.mirrored,
        low_information=scores.low_information,
        same_bytes=scores.same_bytes,
        overlap=_overlap(scores),
        differences=[_part(part) for part in scores.differences],
        overlays=[_part(part) for part in scores.overlays],
        inverted=scores.inverted,
        page=None if unlike else scores.page,
        at=None if unlike or scores.seconds is None else round(scores.seconds, 2),
    )


def _overlap(scores: Comparison) -> schemas.Overlap | None:
    if scores.overlap is None:
        return None
    query, other = scores.overlap
    return schemas.Overlap(query=_round(query), match=_round(other))


def _part(part: Part) -> schemas.Part:
    query, other = ({name: _round(value) for name, value in asdict(box).items()} for box in (part.first, part.second))
    return schemas.Part(query=schemas.Box(**query), match=schemas.Box(**other))


def _round(value: float) -> float:
    return round(value, SCORE_DIGITS)
