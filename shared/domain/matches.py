"""What comparing two images gives."""

from dataclasses import dataclass
from enum import StrEnum


class Ranking(StrEnum):
    """How matches are ordered and scored.

    `FUSED` combines every signal into a probability. `CLASSIC` is the ancestor's score, the mean of
    SSIM and the ratio of ORB matches. `COSINE` is the order of the vector index.
    """

    FUSED = "fused"
    CLASSIC = "classic"
    COSINE = "cosine"


class Effort(StrEnum):
    """How far a search looks for copies that are a part of the query, mirrored, or hardly to be recognised.

    `FAST` looks once. `BALANCED` also looks for the mirror image, and closer where nothing near is found. `THOROUGH`
    always looks closer.
    """

    FAST = "fast"
    BALANCED = "balanced"
    THOROUGH = "thorough"


class Verdict(StrEnum):
    """What a score means in a word."""

    IDENTICAL = "identical"
    NEAR_DUPLICATE = "near-duplicate"
    SIMILAR = "similar"
    UNRELATED = "unrelated"


@dataclass(frozen=True, slots=True)
class OrbScore:
    """Agreement of local features.

    Attributes:
        matches: keypoint pairs that pass Lowe's ratio test.
        inliers: those of them that one geometric transform explains.
        ratio: matches / the smaller number of keypoints of the two images, 0 to 1.
    """

    matches: int
    inliers: int
    ratio: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Every score of two images.

    Attributes:
        cosine: of the feature vectors, -1 to 1 (None where one has no vector of this model).
        ssim: structural similarity of the 256x256 gray images, -1 to 1.
        ssim_aligned: the same after the transform that ORB found, None where it found none.
        histogram: correlation of the 8x8x8 RGB histograms, -1 to 1.
        score: under the chosen ranking, 0 to 1, higher is nearer.
        low_information: whether one of the two shows nothing that it could be recognised by; then they are at most
            `similar`, whatever agrees, unless their bytes are the same.
        mirrored: whether these are the scores of the first image's mirror image with the second.
    """

    score: float
    verdict: Verdict
    cosine: float | None
    ssim: float
    ssim_aligned: float | None
    orb: OrbScore
    histogram: float
    low_information: bool = False
    mirrored: bool = False
