"""Search and comparison."""

from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Depends, Response
from fastapi import Query as QueryParameter

from functions.api import answers, queries, schemas
from functions.api.dependencies import (
    AnyCollection,
    CollectionQuery,
    ImageIdPath,
    K,
    LabelQuery,
    MinScore,
    NeedsModel,
    RankingQuery,
)
from functions.api.errors import Problem, described
from functions.api.search import Described, Stopwatch, Wanted
from functions.api.services import Services
from shared.domain.images import ImageRecord, UploadStatus
from shared.domain.limits import DEFAULT_COLLECTION, DEFAULT_K, MAX_UPLOAD_BYTES
from shared.domain.matches import Ranking

router = APIRouter(prefix="/v1", tags=["search"])

_BODY_PROBLEMS = (
    "malformed-body",
    "not-found",
    "too-large",
    "unsupported-media-type",
    "undecodable-picture",
    "unfetchable-url",
)


class Drawing(StrEnum):
    MATCHES = "matches"
    DIFFERENCE = "difference"


@router.post(
    "/search",
    summary="Find the nearest pictures",
    responses=described(*_BODY_PROBLEMS, "upload-pending", "upload-rejected"),
    openapi_extra=schemas.SEARCH_BODY,
)
def search(
    services: NeedsModel,
    query: Annotated[queries.Query, Depends(queries.read_search)],
    k: K = DEFAULT_K,
    collection: CollectionQuery = DEFAULT_COLLECTION,
    min_score: MinScore = 0.0,
    label: LabelQuery = None,
    ranking: RankingQuery = Ranking.FUSED,
) -> schemas.SearchAnswer:
    """The query is a picture as multipart `file`, or JSON with one of `image_id`, `upload_id`, `url`, `image_base64`.

    Candidates come from the vector index by cosine; ORB with a geometric check, SSIM and a colour histogram
    rerank them. `fused` combines every signal, `classic` is (SSIM + ORB ratio) / 2, `cosine` the index's order.
    """
    watch = Stopwatch()
    described_query = _describe(services, query, watch)
    wanted = Wanted(collection=collection, k=k, ranking=ranking, min_score=min_score, label=label)
    return _answer(services, described_query, wanted, watch)


@router.get("/images/{image_id}/similar", summary="More like this", responses=described("not-found"))
def similar(
    services: NeedsModel,
    image_id: ImageIdPath,
    k: K = DEFAULT_K,
    collection: AnyCollection = None,
    min_score: MinScore = 0.0,
    ranking: RankingQuery = Ranking.FUSED,
) -> schemas.SearchAnswer:
    """The nearest pictures of the same collection, the picture itself left out."""
    watch = Stopwatch()
    record = services.library.image(image_id, collection)
    query = services.searcher.recall(record, watch)
    wanted = Wanted(collection=record.collection, k=k, ranking=ranking, min_score=min_score, exclude=image_id)
    return _answer(services, query, wanted, watch)


@router.post(
    "/compare",
    summary="Every score of two pictures",
    responses=described(*_BODY_PROBLEMS) | {200: {"content": {"image/png": {}}}},
    openapi_extra=schemas.COMPARE_BODY,
    response_model=schemas.Comparison,
)
def compare(
    services: NeedsModel,
    pair: Annotated[tuple[queries.Query, queries.Query], Depends(queries.read_pair)],
    picture: Annotated[Drawing | None, QueryParameter(description="draw it as PNG instead")] = None,
    ranking: RankingQuery = Ranking.FUSED,
) -> schemas.Comparison | Response:
    """Two pictures as multipart `a` and `b` (files or ids), or as JSON `{"a": id, "b": id}`.

    `picture=matches` draws the keypoints that agree, `picture=difference` where the pictures differ.
    """
    if picture is not None:
        return Response(_draw(services, pair, picture), media_type="image/png")
    watch = Stopwatch()
    a, b = (_describe(services, query, watch) for query in pair)
    return answers.comparison(services.searcher.compare(a, b, ranking), services.model.id)


def _answer(services: Services, query: Described, wanted: Wanted, watch: Stopwatch) -> schemas.SearchAnswer:
    found = services.searcher.search(query, wanted, watch)
    return schemas.SearchAnswer(
        matches=[answers.match(entry) for entry in found.matches],
        model=services.model.id,
        ranking=wanted.ranking,
        candidates=found.candidates,
        bytes_examined=found.bytes_examined,
        took_ms=watch.finish(),
        notice=services.model.notice,
    )


def _describe(services: Services, query: queries.Query, watch: Stopwatch) -> Described:
    match query:
        case queries.Bytes(data):
            return services.searcher.describe(data, watch)
        case queries.Address(url):
            with watch.stage("fetch"):
                data = services.fetch(url, MAX_UPLOAD_BYTES)
            return services.searcher.describe(data, watch)
        case _:
            return services.searcher.recall(_stored(services, query), watch)


def _stored(services: Services, query: queries.Stored | queries.Uploaded) -> ImageRecord:
    match query:
        case queries.Stored(image_id):
            return services.library.image(image_id, None)
        case queries.Uploaded(upload_id):
            upload = services.library.upload(upload_id)
            if upload.status is UploadStatus.PENDING:
                raise Problem("upload-pending", "Ask for the upload's state until it is indexed, then search again.")
            if upload.image_id is None:
                raise Problem("upload-rejected", f"This upload brought no picture: {upload.reason}")
            return services.library.image(upload.image_id, upload.collection)


def _draw(services: Services, pair: tuple[queries.Query, queries.Query], picture: Drawing) -> bytes:
    from shared.vision.decoding import decode
    from shared.vision.drawing import difference_picture, matches_picture

    def data(query: queries.Query) -> bytes:
        match query:
            case queries.Bytes(given):
                return given
            case queries.Address(url):
                return services.fetch(url, MAX_UPLOAD_BYTES)
            case _:
                return services.library.content(_stored(services, query))

    a, b = (decode(data(query)) for query in pair)
    return (matches_picture if picture is Drawing.MATCHES else difference_picture)(a.rgb, b.rgb)
