"""Search for images, and compare two."""

from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Depends, Response
from fastapi import Query as QueryParameter

from functions.api import presenters, query_image
from functions.api.auth import SEARCH, AuthenticatedRoute, KnownCaller
from functions.api.dependencies import (
    EffortQuery,
    ImageIdPath,
    K,
    LabelQuery,
    MinScore,
    MinVerdict,
    NeedsModel,
    OneCollection,
    RankingQuery,
    Reach,
    SeenAs,
)
from functions.api.filter_parameters import AnnotationFilter
from functions.api.presenters import View
from functions.api.problems import problem_responses
from functions.api.query_content import query_bytes, stored_record
from functions.api.routes import hashes
from functions.api.schemas.bodies import COMPARE_BODY, SEARCH_BODY
from functions.api.schemas.searches import Comparison, HashMatchPage, SearchAnswer
from functions.api.services import Services
from shared.domain.access import Caller
from shared.domain.limits import DEFAULT_K
from shared.domain.matches import Effort, Ranking, Verdict
from shared.search.request import Described, SearchRequest
from shared.search.timings import Stopwatch

router = APIRouter(prefix="/v1", tags=["search"], route_class=AuthenticatedRoute)

_BODY_PROBLEMS = (
    "malformed-body",
    "not-found",
    "unsupported-media-type",
    "undecodable-picture",
    "unfetchable-url",
)

_NOTHING_IN_IT = (
    "The query has too little to recognise it by (one colour, or only a few pixels), so no other image gets a "
    "higher verdict than similar."
)


class Drawing(StrEnum):
    MATCHES = "matches"
    DIFFERENCE = "difference"


@router.post(
    "/search",
    summary="Find the nearest images",
    responses=problem_responses(*_BODY_PROBLEMS, "upload-pending", "upload-rejected", "unknown-label"),
    openapi_extra=SEARCH_BODY,
    dependencies=[SEARCH],
)
def search(
    caller: KnownCaller,
    services: NeedsModel,
    collection: OneCollection,
    query: Annotated[query_image.Query | query_image.Hash, Depends(query_image.read_search)],
    annotations: AnnotationFilter,
    view: SeenAs,
    k: K = DEFAULT_K,
    min_score: MinScore = 0.0,
    min_verdict: MinVerdict = Verdict.UNRELATED,
    label: LabelQuery = None,
    ranking: RankingQuery = Ranking.FUSED,
    effort: EffortQuery = Effort.BALANCED,
) -> SearchAnswer | HashMatchPage:
    """The query is an image as multipart `file`, or JSON with one of `image_id`, `upload_id`, `url`, `image_base64`.

    JSON with a perceptual hash, `phash` or `pdq`, is answered as `/v1/search/hashes` does: with images whose hash is
    near, at most `k` on a page, and without verdicts.

    Candidates come from two vector indexes, of the whole image and of its keypoints; ORB with a geometric check,
    SSIM and a colour histogram rerank them. `fused` combines every signal, `classic` is (SSIM + ORB ratio) / 2,
    `cosine` the order of the index of whole images. `fast` makes one pass; `balanced` also searches for the mirror
    image and for parts of the query if nothing near is found; `thorough` always searches for all of these.
    """
    if isinstance(query, query_image.Hash):
        return hashes.near(services, collection, hashes.wanted(query.kind, [query.value], k), None, view)
    watch = Stopwatch()
    labels = services.model.classes(label) if label else None
    described_query = _describe(services, caller, query, watch)
    wanted = SearchRequest(
        collection=collection,
        k=k,
        ranking=ranking,
        effort=effort,
        min_score=min_score,
        min_verdict=min_verdict,
        labels=labels,
        annotations=annotations,
    )
    return _answer(services, described_query, wanted, watch, view)


@router.get(
    "/images/{image_id}/similar",
    summary="More like this",
    responses=problem_responses("not-found", "unknown-label"),
    dependencies=[SEARCH],
)
def similar(
    services: NeedsModel,
    image_id: ImageIdPath,
    collections: Reach,
    annotations: AnnotationFilter,
    view: SeenAs,
    k: K = DEFAULT_K,
    min_score: MinScore = 0.0,
    min_verdict: MinVerdict = Verdict.UNRELATED,
    label: LabelQuery = None,
    ranking: RankingQuery = Ranking.FUSED,
    effort: EffortQuery = Effort.BALANCED,
) -> SearchAnswer:
    """Find the nearest images of the same collection, without the image itself."""
    watch = Stopwatch()
    labels = services.model.classes(label) if label else None
    record = services.library.image(image_id, collections)
    query = services.searcher.recall(record, watch)
    wanted = SearchRequest(
        collection=record.collection,
        k=k,
        ranking=ranking,
        effort=effort,
        min_score=min_score,
        min_verdict=min_verdict,
        labels=labels,
        annotations=annotations,
        exclude=image_id,
    )
    return _answer(services, query, wanted, watch, view)


@router.post(
    "/compare",
    summary="Every score of two images",
    responses=problem_responses(*_BODY_PROBLEMS) | {200: {"content": {"image/png": {}}}},
    openapi_extra=COMPARE_BODY,
    response_model=Comparison,
    dependencies=[SEARCH],
)
def compare(
    caller: KnownCaller,
    services: NeedsModel,
    pair: Annotated[tuple[query_image.Query, query_image.Query], Depends(query_image.read_pair)],
    drawing: Annotated[
        Drawing | None, QueryParameter(alias="picture", description="return a PNG that shows this instead")
    ] = None,
    ranking: RankingQuery = Ranking.FUSED,
) -> Comparison | Response:
    """Two images as multipart `a` and `b` (files or ids), or as JSON `{"a": id, "b": id}`.

    `picture=matches` draws the keypoints that agree, `picture=difference` the areas where the images differ.
    """
    if drawing is not None:
        return Response(_draw(services, caller, pair, drawing), media_type="image/png")
    watch = Stopwatch()
    a, b = (_describe(services, caller, query, watch) for query in pair)
    return presenters.comparison(services.searcher.compare(a, b, ranking), services.model.id)


def _answer(services: Services, query: Described, wanted: SearchRequest, watch: Stopwatch, view: View) -> SearchAnswer:
    found = services.searcher.search(query, wanted, watch)
    return SearchAnswer(
        matches=[presenters.match(entry, view) for entry in found.matches],
        model=services.model.id,
        ranking=wanted.ranking,
        effort=wanted.effort,
        candidates=found.candidates,
        bytes_examined=found.bytes_examined,
        took_ms=watch.finish(),
        low_information=query.signature.low_information,
        notice=_notice(services, query),
    )


def _notice(services: Services, query: Described) -> str | None:
    flat = _NOTHING_IN_IT if query.signature.low_information else None
    return " ".join(notice for notice in (flat, services.model.card.notice) if notice) or None


def _describe(services: Services, caller: Caller, query: query_image.Query, watch: Stopwatch) -> Described:
    match query:
        case query_image.Bytes(data):
            return services.searcher.describe(data, watch)
        case query_image.Address(url):
            with watch.stage("fetch"):
                data = services.fetcher.read(url)
            return services.searcher.describe(data, watch)
        case _:
            return services.searcher.recall(stored_record(services, caller, query), watch)


def _draw(
    services: Services, caller: Caller, pair: tuple[query_image.Query, query_image.Query], drawing: Drawing
) -> bytes:
    from shared.vision.decode.decoding import decode
    from shared.vision.visualization import difference_image, matches_image

    a, b = (decode(query_bytes(services, caller, query)) for query in pair)
    return (matches_image if drawing is Drawing.MATCHES else difference_image)(a.rgb, b.rgb)
