"""Compare an image coarsely with a stored one by their signatures, for ingest and search alike."""

from shared.domain.features import FeatureVector, cosine
from shared.domain.matches import Comparison, Ranking
from shared.search.budget import PROMISING, SAME_BY_FEATURES
from shared.vision.ranking import compare_coarsely
from shared.vision.signature import Signature


def compare_with_stored(
    seen: Signature,
    features: FeatureVector,
    stored: Signature,
    *,
    model: str,
    ranking: Ranking = Ranking.FUSED,
    identical: bool = False,
    shared_labels: float = 0.0,
) -> Comparison:
    """Compare one view of an image with the signature of a stored image.

    Args:
        seen: signature of the view.
        features: of the whole image, under `model`; compared if the stored signature has features too.
        identical: whether both images have the same bytes.
        shared_labels: how far the labels of both agree, 0 to 1; it decides between look-alikes only.

    Returns:
        Every score. If the images agree, `shared.vision.ranking.conclude` must still settle the verdict.
    """
    return compare_coarsely(
        seen,
        stored,
        cosine=None if stored.features is None else cosine(features, stored.features),
        ranking=ranking,
        identical=identical,
        model=model,
        shared_labels=shared_labels,
    )


def deserves_details(found: Comparison) -> bool:
    """Return whether a coarse comparison leaves it possible that one image is a copy or a variant of the other."""
    return found.agreement >= PROMISING or (found.cosine or 0.0) >= SAME_BY_FEATURES
