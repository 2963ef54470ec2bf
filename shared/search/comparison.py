"""Compare two images by their signatures, for ingest and search alike.

An image is compared with each page or frame of a file that has several, and the two are as near as the nearest page is.
Two such files are compared page by page: one is a copy of the other if all its pages are.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from shared.domain.features import FeatureVector, cosine
from shared.domain.matches import Comparison, Ranking, Verdict
from shared.search.budget import LOOK_ALIKES, PROMISING, SAME_BY_FEATURES
from shared.vision import ranking as scores
from shared.vision.ranking import compare_coarsely
from shared.vision.resizing import resize_square
from shared.vision.signature import Signature, SignedPage

_LAYOUT: Final = 32
"""Pixels a side at which the page of another file is chosen that a page may be a copy of."""


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
            shared_labels=shared_labels,
        )

    if identical or seen.same_pixels(stored):
        return _on_page(compared(seen, features, stored), None, _only_page(stored))
    pairs = [
        _on_page(compared(one, features if own is None else one.features, other), own, page)
        for one, own, other, page in _pairs(seen, stored)
    ]
    best = max(pairs, key=lambda found: (found.agreement, found.score))
    return replace(best, of_one_page=bool(seen.several) != bool(stored.several))


def conclude(coarse: Comparison, seen: Signature, stored: Signature, ranking: Ranking) -> Comparison:
    """Settle the verdict of a coarse comparison by the details of the images, or of the pages that it names.

    `overlap` then has the share of all pages that the other image shows.
    """
    if seen.several and stored.several:
        return _conclude_files(coarse, seen, stored, ranking)
    own, other = _page_of(seen, coarse.own_page), _page_of(stored, coarse.page)
    settled = scores.conclude(coarse, own or seen, other or stored, ranking)
    if settled.overlap is None:
        return settled
    first, second = settled.overlap
    shares = first / len(seen.several) if own else first, second / len(stored.several) if other else second
    return replace(settled, overlap=shares)


def _conclude_files(coarse: Comparison, seen: Signature, stored: Signature, ranking: Ranking) -> Comparison:
    """Settle the verdict of two files with several pages.

    All pages of one in the other make them near-duplicates, some make them variants, which suffices to know.
    """
    if coarse.verdict is Verdict.IDENTICAL or coarse.low_information:
        return coarse
    fewer, more = sorted(
        ([page.signature for page in one.several if page.signature] for one in (seen, stored)), key=len
    )
    alike = _layouts(fewer) @ _layouts(more).T
    copies = missing = 0
    for own, row in zip(fewer, alike, strict=True):
        is_copy = _is_copy(own, more[int(np.argmax(row))])
        copies, missing = copies + is_copy, missing + (not is_copy)
        if copies and missing:
            break
    if not copies:
        return coarse
    overlap = copies / len(seen.several), copies / len(stored.several)
    if missing:
        verdict, score = Verdict.VARIANT, scores.VARIANT_FROM + 0.19 * max(overlap)
    else:
        verdict, score = Verdict.NEAR_DUPLICATE, scores.NEAR_DUPLICATE_FROM + 0.09 * sum(overlap) / 2
    return replace(coarse, verdict=verdict, overlap=overlap, score=score if ranking is Ranking.FUSED else coarse.score)


def _layouts(pages: Sequence[Signature]) -> npt.NDArray[np.float32]:
    """Return the gray levels of pages at 32 x 32 pixels, as rows of unit length whose products are correlations."""
    small = np.stack([resize_square(page.gray, _LAYOUT).astype(np.float32).ravel() for page in pages])
    small -= small.mean(axis=1, keepdims=True)
    rows: npt.NDArray[np.float32] = small / np.maximum(np.linalg.norm(small, axis=1, keepdims=True), 1e-6)
    return rows


def _is_copy(own: Signature, other: Signature) -> bool:
    found = compare_coarsely(own, other, cosine=None, ranking=Ranking.FUSED)
    if found.agreement < PROMISING:
        return False
    return scores.conclude(found, own, other, Ranking.FUSED).verdict is Verdict.NEAR_DUPLICATE


def worth_details(compared: Sequence[Comparison]) -> list[int]:
    """Return the places of the coarse comparisons that leave it possible that one image is a copy or a variant.

    These are all that agree in more than their features, and the `LOOK_ALIKES` that agree most in their features.
    """
    agreeing = [place for place, found in enumerate(compared) if found.agreement >= PROMISING]
    alike = [(-(found.cosine or 0.0), place) for place, found in enumerate(compared) if found.agreement < PROMISING]
    return agreeing + [place for apart, place in sorted(alike)[:LOOK_ALIKES] if -apart >= SAME_BY_FEATURES]


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
