"""Open uploads and return their state."""

import re
from typing import Annotated

from fastapi import APIRouter, Path

from functions.api import presenters
from functions.api.auth import ANY_SCOPE, WRITE, AuthenticatedRoute, KnownCaller
from functions.api.dependencies import Needs
from functions.api.problems import Problem, problem_responses
from functions.api.schemas.common import EXAMPLE_UPLOAD
from functions.api.schemas.uploads import UploadForm, UploadRequest, UploadState
from shared.domain.errors import NotFound
from shared.domain.formats import TAKEN, upload_type
from shared.domain.images import UPLOAD_ID_PATTERN
from shared.domain.limits import UPLOAD_EXPIRES_SECONDS

router = APIRouter(prefix="/v1", tags=["uploads"], route_class=AuthenticatedRoute)


@router.post(
    "/uploads",
    status_code=201,
    summary="Open an upload",
    responses=problem_responses("malformed-body", "unsupported-media-type"),
    dependencies=[WRITE],
)
def open_upload(caller: KnownCaller, wanted: UploadRequest, services: Needs) -> UploadForm:
    """Returns an S3 presigned POST: send its `fields` to `url` as a multipart form, with the part `file` last.

    The form accepts one image of at most 100 MiB; the server chooses its key. Send `fields` as they are returned: the
    content type in them may be another than the one stated. What the image is, its bytes decide.
    """
    collection = caller.collection(wanted.collection)
    media_type = upload_type(wanted.content_type)
    if media_type is None:
        raise Problem(
            "unsupported-media-type",
            f"`{wanted.content_type}` is not a type of image. Send a {TAKEN} file, or leave the type out.",
        )
    upload_id, url, fields = services.library.open_upload(wanted.filename, media_type, collection)
    return UploadForm(upload_id=upload_id, url=url, fields=fields, expires_in=UPLOAD_EXPIRES_SECONDS)


@router.get(
    "/uploads/{upload_id}",
    summary="The state of an upload",
    responses=problem_responses("not-found"),
    dependencies=[ANY_SCOPE],
)
def upload_state(
    caller: KnownCaller,
    upload_id: Annotated[str, Path(description="from the response that opened the upload", examples=[EXAMPLE_UPLOAD])],
    services: Needs,
) -> UploadState:
    """`pending` until the image is `indexed`, a `duplicate` of one that the collection holds, or `rejected`."""
    if not re.fullmatch(UPLOAD_ID_PATTERN, upload_id):
        raise NotFound("There is no upload with this id.")
    return presenters.upload(services.library.upload(upload_id, caller.reach(None)))
