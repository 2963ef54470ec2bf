"""The legacy API: the calls of the project that PicTrace replaces."""

from typing import Annotated

from fastapi import APIRouter, File, Form, UploadFile
from fastapi.responses import RedirectResponse

from functions.api.auth import SEARCH, WRITE, AuthenticatedRoute
from functions.api.dependencies import ImageIdPath, Needs, OneCollection, Reach
from functions.api.problems import Problem, problem_responses
from functions.api.schemas.bodies import UPLOAD_BODY
from functions.api.schemas.uploads import LegacyAnswer
from functions.api.services import Services
from shared.domain.formats import MEDIA_TYPES, sniff
from shared.domain.images import clean_filename
from shared.domain.limits import DEFAULT_K, MAX_QUERY_BYTES, MAX_URL_LENGTH
from shared.domain.matches import Ranking
from shared.search.request import SearchRequest
from shared.search.timings import Stopwatch

router = APIRouter(tags=["legacy API"], route_class=AuthenticatedRoute)


@router.post(
    "/upload/",
    summary="Upload an image and find similar ones",
    responses=problem_responses("malformed-body", "unsupported-media-type", "undecodable-picture"),
    openapi_extra=UPLOAD_BODY,
    dependencies=[SEARCH, WRITE],
)
def upload(file: Annotated[UploadFile, File()], services: Needs, collection: OneCollection) -> LegacyAnswer:
    """Searches first, then stores the image, which is indexed a moment later through the queue."""
    data = file.file.read(MAX_QUERY_BYTES + 1)
    if len(data) > MAX_QUERY_BYTES:
        raise Problem(
            "too-large",
            f"This call accepts at most {MAX_QUERY_BYTES:,} bytes; upload larger images with POST /v1/uploads.",
        )
    name = clean_filename(file.filename or "image")
    answer = _search(services, collection, data, name, "File uploaded successfully")
    services.library.store_upload(data, name, MEDIA_TYPES[sniff(data)], collection)
    return answer


@router.post(
    "/upload_from_url/",
    summary="Upload an image from a URL and find similar ones",
    responses=problem_responses("malformed-body", "unfetchable-url", "unsupported-media-type", "undecodable-picture"),
    dependencies=[SEARCH, WRITE],
)
def upload_from_url(
    image_url: Annotated[str, Form(min_length=1, max_length=MAX_URL_LENGTH, examples=["https://example.com/cat.jpg"])],
    services: Needs,
    collection: OneCollection,
) -> LegacyAnswer:
    """Accepts a public http(s) URL in the form field `image_url`."""
    upload_id = services.library.fetch_upload(image_url, collection)
    data = services.library.upload_content(upload_id, collection)
    return _search(services, collection, data, None, "File uploaded successfully from URL")


def _search(services: Services, collection: str, data: bytes, filename: str | None, message: str) -> LegacyAnswer:
    """Return the images most similar to one, without itself. Without a file name, the hash serves as one."""
    services = services.with_model(None)
    watch = Stopwatch()
    query = services.searcher.describe(data, watch)
    wanted = SearchRequest(collection=collection, k=DEFAULT_K, ranking=Ranking.FUSED, exclude=query.image_id)
    found = services.searcher.search(query, wanted, watch)
    return LegacyAnswer(
        message=message,
        filename=filename or f"{query.image_id}.jpg",
        hash=query.image_id,
        similar_images=[f"/uploads/{match.record.image_id}.jpg" for match in found.matches],
    )


@router.get(
    "/uploads/{image_id}.jpg",
    status_code=307,
    response_class=RedirectResponse,
    summary="A stored image by its hash",
    responses=problem_responses("not-found"),
    dependencies=[SEARCH],
)
def uploaded(image_id: ImageIdPath, services: Needs, collections: Reach) -> RedirectResponse:
    """Redirects to the image in its original format, whatever the extension in the path."""
    return RedirectResponse(services.library.content_link(services.library.image(image_id, collections)))
