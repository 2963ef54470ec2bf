"""What a search is asked for, and what it returns."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.domain.features import FeatureVector
from shared.domain.filters import EVERYTHING, ImageFilter
from shared.domain.images import ImageRecord, Label
from shared.domain.matches import Comparison, Effort, Ranking, Verdict
from shared.vision.pixels import Pixels
from shared.vision.signature import Signature


@dataclass(frozen=True, slots=True)
class Described:
    """An image, ready to be compared.

    Attributes:
        image_id: the SHA-256 of its bytes.
        signature: has up to `QUERY_KEYPOINTS` keypoints if the image came with the request.
        labels: of the model.
        pixels: the decoded pixels of an image that came with the request; None for a stored one.
    """

    image_id: str
    features: FeatureVector
    signature: Signature
    labels: Sequence[Label] = ()
    pixels: Pixels | None = None


@dataclass(frozen=True, slots=True)
class ScoredMatch:
    """A stored image, compared with the query."""

    record: ImageRecord
    comparison: Comparison


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The result of a search.

    Attributes:
        matches: best first.
        candidate_ids: every candidate found, in the order of comparison.
        candidates: number of candidates that were compared.
    """

    matches: Sequence[ScoredMatch]
    candidate_ids: Sequence[str]
    candidates: int
    bytes_examined: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRequest:
    """The parameters of a search.

    Attributes:
        labels: in canonical form; only images that have one of them are found.
        annotations: conditions on annotations; only images that meet them are found.
        exclude: an image_id to leave out.
    """

    collection: str
    k: int
    ranking: Ranking
    effort: Effort = Effort.BALANCED
    min_score: float = 0.0
    min_verdict: Verdict = Verdict.UNRELATED
    labels: frozenset[str] | None = None
    annotations: ImageFilter = EVERYTHING
    exclude: str | None = None
