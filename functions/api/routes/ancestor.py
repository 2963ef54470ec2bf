"""The calls of the project that PicTrace succeeds, kept working."""

import hashlib
from typing import Annotated

from fastapi import APIRouter, File, Form, UploadFile
from fastapi.responses import RedirectResponse

from functions.api import schemas
from functions.api.dependencies import ImageIdPath, Needs
from functions.api.errors import Problem, described
from functions.api.search import Stopwatch, Wanted
from functions.api.services import Services
from shared.domain.formats import MEDIA_TYPES
from shared.domain.images import clean_filename
from shared.domain.limits import DEFAULT_COLLECTION, DEFAULT_K, MAX_QUERY_BYTES, MAX_UPLOAD_BYTES, MAX_URL_LENGTH
from shared.domain.matches import Ranking
from shared.vision.headers import sniff

router = APIRouter(tags=["the ancestor's calls"])


@router.post(
    "/upload/",
    summary="Upload a picture and find its like",
    responses=described("too-large", "unsupported-media-type", "undecodable-picture"),
)
def upload(file: Annotated[UploadFile, File()], services: Needs) -> schemas.LegacyAnswer:
    """Searches first, then stores: the picture is indexed a moment later, through the queue like any other."""
    data = file.file.read(MAX_QUERY_BYTES + 1)
    if len(data) > MAX_QUERY_BYTES:
        raise Problem("too-large", f"At most {MAX_QUERY_BYTES:,} bytes here; POST /v1/uploads takes larger pictures.")
    return _search_and_store(services, data, file.filename or "picture", "File uploaded successfully")


@router.post(
    "/upload_from_url/",
    summary="Upload a picture from a URL and find its like",
    responses=described("unfetchable-url", "unsupported-media-type", "undecodable-picture"),
)
def upload_from_url(
    image_url: Annotated[str, Form(min_length=1, max_length=MAX_URL_LENGTH)], services: Needs
) -> schemas.LegacyAnswer:
    """Takes a public http(s) address, as the form field `image_url`."""
    data = services.fetch(image_url, MAX_UPLOAD_BYTES)
    name = f"{hashlib.sha256(data).hexdigest()}.jpg"
    return _search_and_store(services, data, name, "File uploaded successfully from URL")


def _search_and_store(services: Services, data: bytes, filename: str, message: str) -> schemas.LegacyAnswer:
    services = services.under(None)
    watch = Stopwatch()
    query = services.searcher.describe(data, watch)
    wanted = Wanted(collection=DEFAULT_COLLECTION, k=DEFAULT_K, ranking=Ranking.FUSED, exclude=query.image_id)
    found = services.searcher.search(query, wanted, watch)
    name = clean_filename(filename)
    services.library.take_in(data, name, MEDIA_TYPES[sniff(data)], DEFAULT_COLLECTION)
    return schemas.LegacyAnswer(
        message=message,
        filename=name,
        hash=query.image_id,
        similar_images=[f"/uploads/{match.record.image_id}.jpg" for match in found.matches],
    )


@router.get(
    "/uploads/{image_id}.jpg",
    status_code=307,
    response_class=RedirectResponse,
    summary="A stored picture by its hash",
    responses=described("not-found"),
)
def uploaded(image_id: ImageIdPath, services: Needs) -> RedirectResponse:
    """Redirects to the picture in its own format, whatever the address ends in."""
    return RedirectResponse(services.library.content_link(services.library.image(image_id, None)))
