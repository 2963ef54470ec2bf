"""What models of several subjects share."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from shared.domain.images import COLLECTION_PATTERN, IMAGE_ID_PATTERN
from shared.domain.limits import DEFAULT_COLLECTION

EXAMPLE_ID = "3d3a6c7b3a4f6f0a0a3c5d6bb5c2a8d1f6a0c9e47b1e2f3d4c5b6a7988776655"
EXAMPLE_UPLOAD = "0f8fad5bd9cb469fa16570867728950e"
EXAMPLE_IMAGE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVQI12NoaGgAAAMEAYGa8M1PAAAAAElFTkSuQmCC"
"""A PNG of one gray pixel."""
EXAMPLE_MODEL = "resnet50-imagenet-f16"

EXAMPLE_PHASH = "c3d41e6b9a2f5570"
EXAMPLE_PDQ = "5feb5321f01da156898e2b7629a5d3438412cdbd23f48942464526317db33ffd"

Collection = Annotated[str, Field(pattern=COLLECTION_PATTERN, examples=[DEFAULT_COLLECTION])]
ImageId = Annotated[str, Field(pattern=IMAGE_ID_PATTERN, examples=[EXAMPLE_ID])]
NextCursor = Annotated[
    str | None, Field(description="pass it to get the next page; null on the last page", examples=[None])
]


class Answer(BaseModel):
    """What the API answers; its validator is built when it is first needed, so that a cold start need not wait."""

    model_config = ConfigDict(defer_build=True)


class Box(Answer):
    """A rectangle in an image, in fractions of its width and height."""

    model_config = ConfigDict(strict=True)

    left: Annotated[float, Field(ge=0, le=1, examples=[0.62])]
    top: Annotated[float, Field(ge=0, le=1, examples=[0.41])]
    width: Annotated[float, Field(ge=0, le=1, examples=[0.08])]
    height: Annotated[float, Field(ge=0, le=1, examples=[0.02])]
