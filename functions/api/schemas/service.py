"""Models of the service's own state."""

from typing import Annotated

from pydantic import Field

from functions.api.schemas.common import EXAMPLE_MODEL, Answer
from shared.domain.limits import DEFAULT_COLLECTION, MAX_QUERY_BYTES
from shared.version import VERSION


class ModelState(Answer):
    id: Annotated[str, Field(examples=[EXAMPLE_MODEL])]
    network: Annotated[str, Field(description="its display name", examples=["ResNet50"])]
    instead_of: Annotated[
        str | None, Field(description="the configured network, if its weights were not available", examples=[None])
    ]
    labels: Annotated[bool, Field(description="whether it assigns labels")]
    untrained: Annotated[bool, Field(description="always false: every network is trained", deprecated=True)]


class Stats(Answer):
    collection: Annotated[str, Field(examples=[DEFAULT_COLLECTION])]
    title: Annotated[str | None, Field(description="the name for people", examples=["Holidays 2026"])] = None
    images: Annotated[int, Field(ge=0, examples=[500])]
    exact: Annotated[bool, Field(description="if false, `images` is a lower bound")]
    model: Annotated[ModelState, Field(description="the active one")]
    models: Annotated[
        list[str],
        Field(description="every model that can be used: two while images are reindexed", examples=[[EXAMPLE_MODEL]]),
    ]
    face_model: Annotated[
        str | None,
        Field(description="what finds faces; null if the deployment cannot", examples=["dlib-resnet-v1-f16"]),
    ] = None
    notice: Annotated[str | None, Field(description="a note to users about the model", examples=[None])]
    versions: Annotated[dict[str, str], Field(examples=[{"pictrace": VERSION}])]
    limits: Annotated[
        dict[str, int], Field(description="in bytes and pixels", examples=[{"max_query_bytes": MAX_QUERY_BYTES}])
    ]
    endings: Annotated[
        list[str],
        Field(
            description="endings of the names of image files, for choosing files in a folder; what a file is, its "
            "bytes decide",
            examples=[["jpg", "heic", "nef"]],
        ),
    ] = []


class Health(Answer):
    status: Annotated[str, Field(examples=["ok"])]
    version: Annotated[str, Field(examples=[VERSION])]
