"""Health and statistics of the service."""

from importlib.metadata import version

from fastapi import APIRouter

from functions.api.auth import SEARCH, AuthenticatedRoute
from functions.api.dependencies import Needs, OneCollection
from functions.api.problems import problem_responses
from functions.api.schemas.service import Health, ModelState, Stats
from shared.domain import limits
from shared.domain.formats import ENDINGS
from shared.version import VERSION

router = APIRouter(tags=["service"])
stats_router = APIRouter(tags=["service"], route_class=AuthenticatedRoute)

_PACKAGES = ("ai-edge-litert", "boto3", "fastapi", "numpy", "opencv-python-headless")


@router.get("/health", summary="Check that the function is running")
def health() -> Health:
    """Uses neither the model nor any other service."""
    return Health(status="ok", version=VERSION)


@stats_router.get(
    "/v1/stats", summary="Counts, model and versions", responses=problem_responses(), dependencies=[SEARCH]
)
def stats(services: Needs, collection: OneCollection) -> Stats:
    """Counts up to about 30,000 images; if there are more, `exact` is false and the count is a lower bound."""
    images, exact = services.catalogue.count(collection)
    entries = services.collections.find([collection])
    card = services.model.card
    return Stats(
        collection=collection,
        title=entries[0].title if entries else None,
        images=images,
        exact=exact,
        model=ModelState(
            id=card.id,
            network=card.network,
            instead_of=card.instead_of,
            labels=card.has_labels,
            untrained=False,
        ),
        models=list(services.models),
        face_model=services.face_finder.face_model if services.face_finder else None,
        notice=card.notice,
        versions={"pictrace": VERSION} | {name: version(name) for name in _PACKAGES},
        limits={
            "max_upload_bytes": limits.MAX_UPLOAD_BYTES,
            "max_query_bytes": limits.MAX_QUERY_BYTES,
            "max_pixels": limits.MAX_PIXELS,
            "max_query_pixels": min(limits.MAX_PIXELS_BY_FORMAT.values()),
            "max_k": limits.MAX_K,
        },
        endings=list(ENDINGS),
    )
