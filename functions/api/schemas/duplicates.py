"""Models of near-duplicates, and of what is decided on them."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from functions.api.schemas.common import EXAMPLE_ID, Answer, Collection, ImageId, NextCursor
from functions.api.schemas.images import Image
from shared.domain.duplicate_scans import ScanStatus
from shared.domain.duplicates import Decision
from shared.domain.limits import DEFAULT_COLLECTION, MAX_PAGE


class DuplicateGroup(Answer):
    """One image and those that are near-duplicates of it, the one to keep first and then best first."""

    group_id: Annotated[
        str, Field(examples=[EXAMPLE_ID], description="the image that was kept when the group last changed")
    ]
    best: Annotated[str, Field(examples=[EXAMPLE_ID], description="the one to keep, by evidence of quality")]
    reasons: Annotated[
        dict[str, str],
        Field(
            description="for each other image, why `best` is kept and not that one",
            examples=[{EXAMPLE_ID: "It has fine detail that the other copy has lost."}],
        ),
    ]
    chosen: Annotated[bool, Field(description="whether somebody chose `best` by hand")]
    images: list[Image]
    truncated: Annotated[bool, Field(description="whether the group has more images than these")]


class DuplicatePage(Answer):
    groups: list[DuplicateGroup]
    cursor: NextCursor


class KeptImage(BaseModel):
    model_config = ConfigDict(extra="forbid")

    image_id: ImageId


class DuplicateDecision(BaseModel):
    model_config = ConfigDict(extra="forbid")

    images: Annotated[list[ImageId], Field(min_length=2, max_length=2)]
    decision: Decision | None
    collection: Annotated[Collection | None, Field(description="`default`, or the only one of the key")] = None
    absent: Annotated[
        bool, Field(description="remember it also of images that the collection does not have, for when they come")
    ] = False


class DecidedPair(Answer):
    """What was decided on two images, which the collection need not have any more."""

    images: Annotated[list[ImageId], Field(min_length=2, max_length=2)]
    decision: Decision


class DecisionPage(Answer):
    decisions: list[DecidedPair]
    cursor: NextCursor


class GroupToResolve(BaseModel):
    model_config = ConfigDict(extra="forbid")

    group_id: Annotated[ImageId, Field(description="the group's id, or that of any of its images")]
    keep: Annotated[
        list[ImageId], Field(max_length=MAX_PAGE, description="the images to keep; by default the best one")
    ] = []


class DuplicateResolution(BaseModel):
    model_config = ConfigDict(extra="forbid")

    groups: Annotated[
        list[GroupToResolve] | None,
        Field(min_length=1, max_length=24, description="by default all of the collection, up to 24 with each call"),
    ] = None
    dry_run: Annotated[bool, Field(description="only answer what would be done")] = True
    cursor: Annotated[
        str | None, Field(max_length=1024, description="the cursor of the previous answer", examples=[None])
    ] = None
    collection: Annotated[Collection | None, Field(description="`default`, or the only one of the key")] = None


class DeletedDuplicate(Answer):
    image_id: Annotated[str, Field(examples=[EXAMPLE_ID])]
    filename: Annotated[str | None, Field(examples=["cat.jpg"])] = None
    reason: Annotated[
        str, Field(examples=["It has more real detail: the other copy was reduced, enlarged or blurred."])
    ]


class ResolvedGroup(Answer):
    group_id: Annotated[str, Field(examples=[EXAMPLE_ID])]
    kept: Annotated[list[str], Field(examples=[[EXAMPLE_ID]])]
    deleted: Annotated[list[DeletedDuplicate], Field(description="with the reason why the first of `kept` is better")]


class ResolvedDuplicates(Answer):
    dry_run: Annotated[bool, Field(description="if true, nothing was changed")]
    groups: Annotated[list[ResolvedGroup], Field(description="in the order of the request, or of the collection")]
    deleted: Annotated[
        int, Field(ge=0, description="number of images that were, or would be, moved into the trash", examples=[3])
    ]
    cursor: Annotated[
        str | None, Field(description="pass it to resolve the next groups; null after the last", examples=[None])
    ]


class DuplicateCheckState(Answer):
    """The progress of comparing every image of a collection again."""

    collection: Annotated[str, Field(examples=[DEFAULT_COLLECTION])]
    status: ScanStatus
    images: Annotated[int, Field(ge=0, description="how many there were at the start", examples=[500])]
    done: Annotated[int, Field(ge=0, examples=[120])]
    changed: Annotated[int, Field(ge=0, description="images whose group changed", examples=[3])]
    started_at: Annotated[str, Field(examples=["2026-11-28T18:00:00+00:00"])]
