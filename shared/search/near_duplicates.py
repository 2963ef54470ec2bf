"""Find the images of a collection that a stored image may be a near-duplicate of, and compare it with them."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from shared.domain.features import FeatureVector, LocalVector
from shared.domain.images import ImageRecord, signature_key
from shared.domain.ledger import ImageKey
from shared.domain.matches import SAFE_TO_ACT_ON, Comparison, Ranking
from shared.domain.outcomes import Neighbour
from shared.domain.ports.indexes import Candidates, NearDuplicateIndex
from shared.domain.ports.objects import Signatures
from shared.search.budget import SAME_BY_FEATURES
from shared.search.comparison import compare_with_stored, conclude, worth_details
from shared.search.concurrency import COMPUTING
from shared.search.description import Description
from shared.search.rank_fusion import interleaved
from shared.vision import signature
from shared.vision.signature import Signature
from shared.vision.views import local_features

SEARCHED: Final = 24
"""Number of nearest images that each vector index is asked for; more cost nothing, as a search is billed by the bytes
that it examines."""
CANDIDATES: Final = 10
"""Maximum number of images that one is compared with when it is put into a group."""

SAME_PIXELS: Final = 4
"""Maximum number of images with the same pixels that are compared: a group needs few of them."""

LEAST_LOCAL: Final = 0.28
MOST_BITS: Final = 20
"""A candidate's signature is only read if the cosine of the local features is at least `LEAST_LOCAL`, if at most
`MOST_BITS` bits of the perceptual hashes differ, or if the features look the same. docs/explanation/ranking.md states
how many copies this misses."""

ALL_ALIKE: Final = 0.9999
"""Cosine from which on images are so alike that an index may return others in place of the image itself."""


def alike(local: float | None, whole: float | None, phash: str, other: str) -> bool:
    """Return whether two images may be near-duplicates, judging by what the indexes hold.

    Args:
        local, whole: the cosines of their local features and of their features, None if unknown.
        phash, other: their perceptual hashes.
    """
    close = local is not None and local >= LEAST_LOCAL
    same = whole is not None and whole >= SAME_BY_FEATURES
    return close or same or bits_apart(phash, other) <= MOST_BITS


def bits_apart(phash: str, other: str) -> int:
    """Return the Hamming distance of two perceptual hashes, 0 to 64."""
    return (int(phash, 16) ^ int(other, 16)).bit_count()


@dataclass(frozen=True, slots=True)
class Subject:
    """An image that is compared with others."""

    record: ImageRecord
    features: FeatureVector
    signature: Signature
    local: LocalVector | None


@dataclass(frozen=True, slots=True)
class Look:
    """What the indexes know of images that may be near-duplicates of one.

    Attributes:
        subject: the image itself.
        same_pixels: images with the same pixels.
        candidates: other images that may be near-duplicates of it, the most likely ones first.
        complete: whether the indexes already had the image itself. Two images whose looks are both complete cannot have
            missed each other: an index that has an image keeps it, so the later look found both.
    """

    subject: Subject
    same_pixels: Sequence[str]
    candidates: Sequence[str]
    complete: bool


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """Another image, and how near it is: at first without details."""

    image_id: str
    signature: Signature
    comparison: Comparison

    def is_near(self) -> bool:
        return self.comparison.verdict in SAFE_TO_ACT_ON


class NearDuplicateFinder:
    """Finds the near-duplicates of a stored image in its collection."""

    def __init__(self, *, index: NearDuplicateIndex, signatures: Signatures, model: Callable[[], str]) -> None:
        self._index = index
        self._signatures = signatures
        self._model = model
        self._threads = ThreadPoolExecutor(2 * CANDIDATES, thread_name_prefix="neighbours")

    def look(self, image_key: ImageKey, described: Description | None = None) -> Look | None:
        """Ask the indexes for images that may be near-duplicates; return None if the image was removed.

        Args:
            described: the image, if it has just been described; otherwise it is read from storage.

        Raises:
            IndexNotReady: a vector index is being built.
        """
        model = self._model()
        subject = self._known(image_key, model, described)
        if subject is None:
            return None
        near, whole = self._search(subject, image_key.collection, model)
        complete = _has(whole, subject.record.image_id) and (near is None or _has(near, subject.record.image_id))
        same = self._same_pixels(subject, image_key.collection)
        others = [one for one in dict.fromkeys(_worth_reading(subject, near, whole)) if one not in same]
        return Look(subject, same, others, complete)

    def promising(self, look: Look, others: Sequence[str]) -> list[Compared]:
        """Compare the image of a look with others without details, and return those that may be near-duplicates."""
        coarse = [one for one in self._threads.map(lambda other: self._coarse(look.subject, other), others) if one]
        worth = worth_details([one.comparison for one in coarse])
        return [one for place, one in enumerate(coarse) if place in worth or one.is_near()]

    def settle(self, look: Look, promising: Sequence[Compared]) -> list[Neighbour]:
        """Compare the details; return those that are at least near-duplicates. Each takes 0.1 to 0.4 s."""
        settled = self._threads.map(partial(_settled, look.subject), promising)
        return [Neighbour(one.image_id, one.comparison) for one in settled if one.is_near()]

    def near(self, image_key: ImageKey, others: Sequence[str]) -> set[str]:
        """Return those of other images of the collection that may be in one group with a stored one.

        Whichever of two images was compared with the other when they were grouped, the result is the same.
        """
        subject = self._stored(image_key, self._model())
        if subject is None:
            return set()

        def is_near(other: str) -> bool:
            found = self._pair(subject, other)
            if found is None or not found.is_near():
                reverse = self._stored(replace(image_key, image_id=other), self._model())
                found = None if reverse is None else self._pair(reverse, image_key.image_id)
            return found is not None and found.is_near() and not found.comparison.of_one_page

        return {other for other, found in zip(others, self._threads.map(is_near, others), strict=True) if found}

    def _pair(self, subject: Subject, other: str) -> Compared | None:
        coarse = self._coarse(subject, other)
        return _settled(subject, coarse) if coarse and worth_details([coarse.comparison]) else coarse

    def _coarse(self, subject: Subject, other: str) -> Compared | None:
        """Compare without details; return None if the other image was removed."""
        model = self._model()
        data = self._signatures.get(signature_key(model, other))
        if data is None:
            return None
        with COMPUTING:
            stored = signature.unpack(data)
            compared = compare_with_stored(subject.signature, subject.features, stored, model=model)
        return Compared(other, stored, compared)

    def _same_pixels(self, subject: Subject, collection: str) -> list[str]:
        """Return other images with the same pixels, which the vector indexes may not have yet."""
        pixels = subject.signature.pixels_hash.hex()
        same = self._index.with_pixels(pixels, collection=collection, limit=SAME_PIXELS) if pixels else ()
        return [record.image_id for record in same if record.image_id != subject.record.image_id]

    def _search(self, subject: Subject, collection: str, model: str) -> tuple[Candidates | None, Candidates]:
        """Return the nearest images by local features (None if the image has none) and by features."""
        index = self._index
        asked = self._threads.submit(
            index.nearest, subject.features, collection=collection, model=model, label=None, limit=SEARCHED
        )
        near = None
        if subject.local is not None and subject.local.any():
            near = index.nearest_local(subject.local, collection=collection, model=model, limit=SEARCHED)
        return near, asked.result()

    def _known(self, image_key: ImageKey, model: str, described: Description | None) -> Subject | None:
        """Return what is known of an image: its fresh description if that is of `model`, otherwise what is stored."""
        return _of(described) if described and described.record.model == model else self._stored(image_key, model)

    def _stored(self, image_key: ImageKey, model: str) -> Subject | None:
        record = self._index.find(image_key.image_id, image_key.collection)
        features = self._index.features(image_key.image_id, image_key.collection, model)
        data = self._signatures.get(signature_key(model, image_key.image_id))
        if record is None or features is None or data is None:
            return None
        own = signature.unpack(data)
        return Subject(record, features, own, local_features(own))


def _worth_reading(subject: Subject, near: Candidates | None, whole: Candidates) -> Iterator[str]:
    """Yield the nearest images, without those that cannot be near-duplicates."""
    by_local = near.found if near else ()
    local, features = ({entry.record.image_id: entry.cosine for entry in found} for found in (by_local, whole.found))
    for record in interleaved([entry.record for entry in by_local], [entry.record for entry in whole.found]):
        cosines = local.get(record.image_id), features.get(record.image_id)
        if record.image_id != subject.record.image_id and alike(*cosines, record.phash, subject.record.phash):
            yield record.image_id


def _has(candidates: Candidates, image_id: str) -> bool:
    """Return whether an index has an image, as far as the candidates nearest to it show."""
    crowded = len(candidates.found) == SEARCHED and candidates.found[-1].cosine >= ALL_ALIKE
    return crowded or any(entry.record.image_id == image_id for entry in candidates.found)


def _settled(subject: Subject, coarse: Compared) -> Compared:
    """Return the comparison with the verdict that its details support."""
    with COMPUTING:
        settled = conclude(coarse.comparison, subject.signature, coarse.signature, Ranking.FUSED)
    return replace(coarse, comparison=settled)


def _of(described: Description) -> Subject:
    return Subject(described.record, described.features, described.signature, described.local_features)
