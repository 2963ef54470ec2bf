"""Convert images, uploads and scores to response models."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from functions.api.schemas import images, searches, uploads
from functions.api.schemas.common import Box
from shared.domain.capture import NOTHING, Capture
from shared.domain.images import ImageRecord, Upload
from shared.domain.matches import SCORE_DIGITS, Comparison, Part, Verdict

if TYPE_CHECKING:
    from shared.search.hash_search import HashMatch
    from shared.search.request import ScoredMatch


@dataclass(frozen=True, slots=True)
class View:
    """What a caller sees of images.

    Attributes:
        thumbnail: returns the URL of an image's thumbnail.
        location: whether the caller may know where images were taken.
    """

    thumbnail: Callable[[ImageRecord], str]
    location: bool


def image(record: ImageRecord, view: View) -> images.Image:
    capture = record.capture or NOTHING
    return images.Image(
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
        labels=[images.LabelModel(name=label.name, probability=label.probability) for label in record.labels],
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


def _location(capture: Capture) -> images.Location | None:
    if capture.location is None:
        return None
    latitude, longitude = capture.location
    return images.Location(latitude=latitude, longitude=longitude)


def image_with_sources(record: ImageRecord, view: View) -> images.ImageWithSources:
    sources = [images.Source(bucket=ref.bucket, key=ref.key, version=ref.version) for ref in record.sources]
    return images.ImageWithSources(**image(record, view).model_dump(), sources=sources)


def upload(state: Upload) -> uploads.UploadState:
    return uploads.UploadState(
        upload_id=state.upload_id,
        status=state.status,
        collection=state.collection,
        image_id=state.image_id,
        grouping=state.grouping,
        code=state.code,
        reason=state.reason,
    )


def comparison(scores: Comparison, model: str) -> searches.Comparison:
    return searches.Comparison(**_scores(scores).model_dump(), model=model)


def match(found: "ScoredMatch", view: View) -> searches.Match:
    return searches.Match(
        **_scores(found.comparison).model_dump(),
        image_id=found.record.image_id,
        image=image(found.record, view),
    )


def hash_match(found: "HashMatch", view: View) -> searches.HashMatch:
    return searches.HashMatch(
        hash=found.value,
        hash_distance=found.distance,
        image_id=found.record.image_id,
        image=image(found.record, view),
    )


def _scores(scores: Comparison) -> searches.Scores:
    unlike = scores.verdict is Verdict.UNRELATED
    return searches.Scores(
        score=_round(scores.score),
        verdict=scores.verdict,
        reason=scores.reason,
        cosine=None if scores.cosine is None else _round(scores.cosine),
        ssim=_round(scores.ssim),
        ssim_aligned=None if scores.ssim_aligned is None else _round(scores.ssim_aligned),
        orb=searches.OrbModel(**asdict(scores.orb) | {"ratio": _round(scores.orb.ratio)}),
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


def _overlap(scores: Comparison) -> searches.Overlap | None:
    if scores.overlap is None:
        return None
    query, other = scores.overlap
    return searches.Overlap(query=_round(query), match=_round(other))


def _part(part: Part) -> searches.Part:
    query, other = ({name: _round(value) for name, value in asdict(box).items()} for box in (part.first, part.second))
    return searches.Part(query=Box(**query), match=Box(**other))


def _round(value: float) -> float:
    return round(value, SCORE_DIGITS)
