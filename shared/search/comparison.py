"""Compare two images by their signatures, for ingest and search alike.

An image is compared with each page or frame of a file that has several, and the two are as near as the nearest page is.
Two such files are compared by their sheets: they may share some pages and differ in others.
"""

from collections.abc import Iterator
from dataclasses import replace

from shared.domain.features import FeatureVector, cosine
from shared.domain.matches import Comparison, Ranking
from shared.search.budget import PROMISING, SAME_BY_FEATURES
from shared.vision import ranking as scores
from shared.vision.ranking import compare_coarsely
from shared.vision.signature import Signature, SignedPage


def compare_with_stored(
    seen: Signature,
    features: FeatureVector,
    stored: Signature,
    *,
    model: str,
    ranking: Ranking = Ranking.FUSED,
    identical: bool = False,
) -> Comparison:
    """Compare one view of an image with the signature of a stored image.

    Args:
        seen: signature of the view.
        features: of the whole image, under `model`; compared if the stored signature has features too.
        identical: whether both images have the same bytes.

    Returns:
        Every score. If the images agree, `conclude` must still settle the verdict.
    """

    def compared(one: Signature, vector: FeatureVector | None, other: Signature) -> Comparison:
        return compare_coarsely(
            one,
            other,
            cosine=None if vector is None or other.features is None else cosine(vector, other.features),
            ranking=ranking,
            identical=identical,
            model=model,
        )

    if identical or seen.pixels_hash == stored.pixels_hash != b"":
        return _on_page(compared(seen, features, stored), None, _only_page(stored))
    pairs = [
        _on_page(compared(one, features if own is None else one.features, other), own, page)
        for one, own, other, page in _pairs(seen, stored)
    ]
    return max(pairs, key=lambda found: (found.agreement, found.score))


def conclude(coarse: Comparison, seen: Signature, stored: Signature, ranking: Ranking) -> Comparison:
    """Settle the verdict of a coarse comparison by the details of the images, or of the pages that it names.

    `overlap` then has the share of all pages that the other image shows.
    """
    own, other = _page_of(seen, coarse.own_page), _page_of(stored, coarse.page)
    settled = scores.conclude(coarse, own or seen, other or stored, ranking)
    if settled.overlap is None:
        return settled
    first, second = settled.overlap
    shares = first / len(seen.several) if own else first, second / len(stored.several) if other else second
    return replace(settled, overlap=shares)


def deserves_details(found: Comparison) -> bool:
    """Return whether a coarse comparison leaves it possible that one image is a copy or a variant of the other."""
    return found.agreement >= PROMISING or (found.cosine or 0.0) >= SAME_BY_FEATURES


def _pairs(
    seen: Signature, stored: Signature
) -> Iterator[tuple[Signature, SignedPage | None, Signature, SignedPage | None]]:
    """Yield what is compared with what, and the pages that these are."""
    if bool(seen.several) == bool(stored.several):
        yield seen, None, stored, _only_page(stored)
    for page in stored.several if not seen.several else ():
        if page.signature:
            yield seen, None, page.signature, page
    for page in seen.several if not stored.several else ():
        if page.signature:
            yield page.signature, page, stored, _only_page(stored)


def _only_page(stored: Signature) -> SignedPage | None:
    return stored.pages[0] if len(stored.pages) == 1 else None


def _on_page(found: Comparison, own: SignedPage | None, page: SignedPage | None) -> Comparison:
    return replace(
        found,
        own_page=own.number if own else None,
        page=page.number if page else None,
        seconds=page.seconds if page else None,
    )


def _page_of(whole: Signature, number: int | None) -> Signature | None:
    return next((page.signature for page in whole.several if page.number == number), None)
