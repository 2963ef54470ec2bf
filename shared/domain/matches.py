"""Comparisons of two images: scores, verdicts, and how a search ranks them."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Ranking(StrEnum):
    """How matches are ordered and scored.

    `FUSED` combines every signal into a probability. `CLASSIC` is the score of the legacy API, the mean
    of SSIM and the ratio of ORB matches. `COSINE` keeps the order of the vector index.
    """

    FUSED = "fused"
    CLASSIC = "classic"
    COSINE = "cosine"


class Effort(StrEnum):
    """How thoroughly a search looks for copies that are mirrored, heavily altered, or a part of the query.

    `FAST` makes one pass. `BALANCED` makes a second one, by the mirror image and by parts of the query, if nothing
    near is found. `THOROUGH` always makes both.
    """

    FAST = "fast"
    BALANCED = "balanced"
    THOROUGH = "thorough"


class Verdict(StrEnum):
    """The relation of two images, nearest first.

    `IDENTICAL`: the same pixels. `NEAR_DUPLICATE`: one is an altered copy of the other, and nothing else differs.
    `VARIANT`: versions of one image in which parts differ. `SIMILAR`: they look alike, or show one kind of subject.
    """

    IDENTICAL = "identical"
    NEAR_DUPLICATE = "near-duplicate"
    VARIANT = "variant"
    SIMILAR = "similar"
    UNRELATED = "unrelated"


class Reason(StrEnum):
    """Why two images are `identical`."""

    SAME_BYTES = "same bytes"
    SAME_PIXELS = "same pixels"


def at_least(verdict: Verdict, least: Verdict) -> bool:
    """Return whether a verdict is `least` or nearer."""
    order = list(Verdict)
    return order.index(verdict) <= order.index(least)


SCORE_DIGITS: Final = 5
"""Decimals of the scores that callers see, and set limits to."""

SAFE_TO_ACT_ON: Final = (Verdict.IDENTICAL, Verdict.NEAR_DUPLICATE)
"""Verdicts under which one image can replace the other."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in an image, in fractions of its sides."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Part:
    """A part of both images: where it is in the first and in the second."""

    first: Box
    second: Box


@dataclass(frozen=True, slots=True)
class OrbScore:
    """Agreement of local features.

    Attributes:
        matches: keypoint pairs that pass Lowe's ratio test.
        inliers: those of them that one geometric transform explains.
        ratio: matches / the smaller number of keypoints of the two images, 0 to 1. Of unlike images, only
            `PROBES` of the first one's keypoints are matched.
    """

    matches: int
    inliers: int
    ratio: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Every score of two images.

    Attributes:
        cosine: of the feature vectors, -1 to 1; None if one image has no vector of this model.
        ssim: structural similarity of the 256x256 gray images, -1 to 1.
        ssim_aligned: the same after the transform that ORB found; None if it found none.
        histogram: correlation of the 8x8x8 RGB histograms, -1 to 1.
        score: under the chosen ranking, 0 to 1; higher is more similar.
        low_information: whether one image has too little to recognise it by. The verdict is then at most `similar`,
            whatever agrees, unless the pixels or the bytes are the same.
        mirrored: whether these are the scores of the first image's mirror image with the second.
        inverted: the same of the first image with its brightness inverted, such as the white version of a black logo.
        same_bytes: whether the files are the same; identical images may differ in metadata or encoding.
        overlap: shares of the first and of the second image that the other one shows, 0 to 1; None if they were not
            registered.
        differences: parts in which variants differ, largest first.
        agreement: probability, fitted to the coarse signals, that one is a copy of the other.
        page: of a second image with several pages or frames, the one that the first image shows, from 1 on; None if
            none is recognised.
        seconds: of an animation, the time of that frame.
        own_page: the same of a first image with several pages, if the second one has only one.
        of_one_page: whether one is a file with several pages or scenes, and the other shows only one of them. Neither
            can then replace the other.
        overlays: parts in which one image covers content of the other: a caption, a logo, a sticker, a border.
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
    inverted: bool = False
    same_bytes: bool = False
    overlap: tuple[float, float] | None = None
    differences: Sequence[Part] = ()
    overlays: Sequence[Part] = ()
    agreement: float = 0.0
    page: int | None = None
    seconds: float | None = None
    own_page: int | None = None
    of_one_page: bool = False

    @property
    def reason(self) -> Reason | None:
        """Why the images are `identical`; None for every other verdict."""
        if self.verdict is not Verdict.IDENTICAL:
            return None
        return Reason.SAME_BYTES if self.same_bytes else Reason.SAME_PIXELS
