"""Models of searches, by images and by hashes, and of comparisons."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from functions.api.schemas.common import EXAMPLE_ID, EXAMPLE_MODEL, EXAMPLE_PDQ, EXAMPLE_PHASH, Answer, Box
from functions.api.schemas.images import Image
from shared.domain.limits import MAX_HASHES
from shared.domain.matches import Effort, Ranking, Reason, Verdict
from shared.domain.perceptual_hashes import PDQ_PATTERN, PHASH_PATTERN


class OrbModel(Answer):
    matches: Annotated[int, Field(description="keypoint pairs that pass the ratio test", examples=[197])]
    inliers: Annotated[int, Field(description="pairs that one geometric transform explains", examples=[147])]
    ratio: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="share of the keypoints that pass it; of unlike images, of those that were tried",
            examples=[0.394],
        ),
    ]


class Part(Answer):
    """The same part of both images."""

    query: Annotated[Box, Field(description="its position in the query, or in `a`")]
    match: Annotated[Box, Field(description="its position in the match, or in `b`")]


class Overlap(Answer):
    query: Annotated[float, Field(ge=0, le=1, description="share of the query that the match shows", examples=[1.0])]
    match: Annotated[float, Field(ge=0, le=1, description="share of the match that the query shows", examples=[0.48])]


class Scores(Answer):
    score: Annotated[float, Field(ge=0, le=1, description="higher is more similar", examples=[0.99999])]
    verdict: Verdict
    reason: Annotated[Reason | None, Field(description="why they are `identical`; null for every other verdict")]
    cosine: Annotated[float | None, Field(description="of the model's features, -1 to 1", examples=[0.99873])]
    ssim: Annotated[float, Field(description="-1 to 1", examples=[0.23234])]
    ssim_aligned: Annotated[float | None, Field(description="after the transform that ORB found", examples=[0.90305])]
    orb: OrbModel
    histogram: Annotated[float, Field(description="correlation of 8x8x8 RGB histograms, -1 to 1", examples=[0.97461])]
    low_information: Annotated[
        bool, Field(description="one of the images has too little to recognise it by, so agreement means nothing")
    ]
    mirrored: Annotated[bool, Field(description="whether the scores are those of the query's mirror image")]
    inverted: Annotated[
        bool,
        Field(
            description="whether the scores are those of the query with light and dark exchanged: it is a drawing in "
            "gray, and the match its white or black version"
        ),
    ] = False
    same_bytes: Annotated[
        bool, Field(description="whether the files are the same; identical images may differ in metadata or encoding")
    ]
    overlap: Annotated[Overlap | None, Field(description="null if the images could not be registered")]
    differences: Annotated[list[Part], Field(description="parts that differ, largest first")]
    overlays: Annotated[
        list[Part],
        Field(description="parts in which one image covers content of the other: a caption, a logo, a border"),
    ]
    page: Annotated[
        int | None,
        Field(
            ge=1,
            description="the page or frame of the match that the query shows; null if it has only one image, or none "
            "of them was recognised",
            examples=[None],
        ),
    ] = None
    at: Annotated[
        float | None,
        Field(ge=0, description="when that frame is shown, in seconds from the animation's start", examples=[None]),
    ] = None


class Match(Scores):
    image_id: Annotated[str, Field(examples=[EXAMPLE_ID])]
    image: Image


class SearchAnswer(Answer):
    matches: list[Match]
    model: Annotated[str, Field(examples=[EXAMPLE_MODEL])]
    ranking: Ranking
    effort: Effort
    candidates: Annotated[int, Field(description="number of images compared with the query", examples=[16])]
    bytes_examined: Annotated[
        int | None, Field(description="total that the vector indexes report and bill", examples=[393_216])
    ]
    took_ms: Annotated[dict[str, float], Field(examples=[{"features": 21.4, "candidates": 8.0, "total": 52.3}])]
    low_information: Annotated[bool, Field(description="the query has too little to recognise it by")]
    notice: Annotated[str | None, Field(description="a note to users about this result", examples=[None])] = None


PHash = Annotated[str, Field(pattern=PHASH_PATTERN, examples=[EXAMPLE_PHASH])]
PdqHash = Annotated[str, Field(pattern=PDQ_PATTERN, examples=[EXAMPLE_PDQ])]


class HashQuery(BaseModel):
    """One hash, or several of the same kind."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "minProperties": 1,
            "maxProperties": 1,
            "examples": [{"pdq": EXAMPLE_PDQ}, {"phash": [EXAMPLE_PHASH]}],
        },
    )

    phash: Annotated[
        PHash | Annotated[list[PHash], Field(min_length=1, max_length=MAX_HASHES)] | None,
        Field(description="pHash, 16 hex digits", examples=[EXAMPLE_PHASH]),
    ] = None
    pdq: Annotated[
        PdqHash | Annotated[list[PdqHash], Field(min_length=1, max_length=MAX_HASHES)] | None,
        Field(description="PDQ hash, 64 hex digits", examples=[None]),
    ] = None


class HashMatch(Answer):
    """An image near a hash that was asked for. It has no verdict, because a hash alone proves nothing."""

    hash: Annotated[str, Field(description="the hash that was asked for, in lower case", examples=[EXAMPLE_PHASH])]
    hash_distance: Annotated[int, Field(ge=0, description="number of bits that differ", examples=[2])]
    image_id: Annotated[str, Field(examples=[EXAMPLE_ID])]
    image: Image


class HashMatchPage(Answer):
    matches: Annotated[list[HashMatch], Field(description="nearest first")]
    examined: Annotated[int, Field(description="number of images whose hashes were compared", examples=[4_200])]
    without_hash: Annotated[
        int, Field(description="how many of them have no hash of this kind, and cannot be found", examples=[0])
    ]
    cursor: Annotated[
        str | None,
        Field(description="pass it to search the rest of the collection; null if all was searched", examples=[None]),
    ]


class Comparison(Scores):
    model: Annotated[str, Field(examples=[EXAMPLE_MODEL])]
