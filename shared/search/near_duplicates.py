"""Find the nearest earlier image of which a new image is a near-duplicate."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from shared.domain.features import FeatureVector, LocalVector
from shared.domain.images import ImageRecord, signature_key
from shared.domain.ledger import ImageKey
from shared.domain.matches import SAFE_TO_ACT_ON, Comparison, Ranking
from shared.domain.outcomes import Neighbour
from shared.domain.ports import NearDuplicateIndex, Signatures
from shared.search.budget import SAME_BY_FEATURES
from shared.search.comparison import compare_with_stored, deserves_details
from shared.search.concurrency import COMPUTING
from shared.search.description import Description
from shared.search.rank_fusion import interleaved
from shared.vision import signature
from shared.vision.local_features import vlad_encode
from shared.vision.ranking import conclude
from shared.vision.signature import Signature

CANDIDATES: Final = 6
"""Number of nearest images that are considered."""

SAME_PIXELS: Final = 8
"""Maximum number of images with the same pixels that are considered; one suffices unless it has just been removed."""

LEAST_LOCAL: Final = 0.28
MOST_BITS: Final = 20
"""A candidate's signature is only read if the cosine of the local features is at least `LEAST_LOCAL`, if at most
`MOST_BITS` bits of the perceptual hashes differ, or if the features look the same. docs/explanation/ranking.md states
how many copies this misses."""


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
class _New:
    """The new image."""

    image_id: str
    created_at: str
    phash: str
    features: FeatureVector
    signature: Signature
    local: LocalVector | None


class NearDuplicateFinder:
    """Finds the nearest earlier image in the collection of a stored image."""

    def __init__(self, *, index: NearDuplicateIndex, signatures: Signatures, model: Callable[[], str]) -> None:
        self._index = index
        self._signatures = signatures
        self._model = model
        self._threads = ThreadPoolExecutor(2 * CANDIDATES, thread_name_prefix="neighbours")

    def nearest_earlier(self, image_key: ImageKey, described: Description | None = None) -> Neighbour | None:
        """Return the best match that is at least a near-duplicate, or None.

        The vector index follows the table with a delay, so images that arrive at the same moment may miss each other.

        Args:
            described: the image, if it has just been described; otherwise it is read from storage.

        Raises:
            IndexNotReady: a vector index is being built.
        """
        model = self._model()
        new = self._known(image_key, model, described)
        if new is None:
            return None  # removed in the meantime
        found = list(self._worth_reading(new, image_key.collection, model))
        best: Neighbour | None = None
        for candidate, data in zip(found, self._threads.map(self._read, [model] * len(found), found), strict=True):
            if data is None:
                continue
            compared = _compared(new, data, model)
            if compared.verdict in SAFE_TO_ACT_ON and (best is None or compared.score > best.comparison.score):
                best = Neighbour(candidate.image_id, compared)
        return best

    def repeats(self, image_key: ImageKey, other: str, described: Description | None = None) -> bool:
        """Return whether an image is a near-duplicate of the image `other`; true if either is gone.

        Args:
            described: see `nearest_earlier`.
        """
        model = self._model()
        new = self._known(image_key, model, described)
        data = self._signatures.get(signature_key(model, other))
        return new is None or data is None or _compared(new, data, model).verdict in SAFE_TO_ACT_ON

    def _worth_reading(self, new: _New, collection: str, model: str) -> Iterator[ImageRecord]:
        """Yield the earlier images with the same pixels, then the nearest, without those that are no near-duplicates."""
        pixels = new.signature.pixels_hash.hex()
        same = self._index.with_pixels(pixels, collection=collection, limit=SAME_PIXELS) if pixels else ()
        yield from (one for one in same if one.image_id != new.image_id and one.created_at < new.created_at)
        known = {one.image_id for one in same}
        where = {"collection": collection, "model": model}
        limit = CANDIDATES + 1
        asked = self._threads.submit(self._index.nearest, new.features, **where, label=None, limit=limit)
        near = (
            self._index.nearest_local(new.local, **where, limit=limit).found
            if new.local is not None and new.local.any()
            else ()
        )
        whole = asked.result().found
        local, features = ({entry.record.image_id: entry.cosine for entry in found} for found in (near, whole))
        for record in interleaved([entry.record for entry in near], [entry.record for entry in whole])[:limit]:
            earlier = record.image_id not in {new.image_id, *known} and record.created_at < new.created_at
            cosines = local.get(record.image_id), features.get(record.image_id)
            if earlier and alike(*cosines, record.phash, new.phash):
                yield record

    def _known(self, image_key: ImageKey, model: str, described: Description | None) -> _New | None:
        """Return what is known of an image: its fresh description if that is of `model`, otherwise what is stored."""
        return _of(described) if described and described.record.model == model else self._stored(image_key, model)

    def _stored(self, image_key: ImageKey, model: str) -> _New | None:
        record = self._index.find(image_key.image_id, image_key.collection)
        features = self._index.features(image_key.image_id, image_key.collection, model)
        data = self._signatures.get(signature_key(model, image_key.image_id))
        if record is None or features is None or data is None:
            return None
        own = signature.unpack(data)
        return _New(
            record.image_id, record.created_at, record.phash, features, own, vlad_encode(own.keypoints.descriptors)
        )

    def _read(self, model: str, record: ImageRecord) -> bytes | None:
        return self._signatures.get(signature_key(model, record.image_id))


def _compared(new: _New, data: bytes, model: str) -> Comparison:
    with COMPUTING:
        stored = signature.unpack(data)
        compared = compare_with_stored(new.signature, new.features, stored, model=model)
        return conclude(compared, new.signature, stored, Ranking.FUSED) if deserves_details(compared) else compared


def _of(described: Description) -> _New:
    record = described.record
    return _New(
        record.image_id,
        record.created_at,
        record.phash,
        described.features,
        described.signature,
        described.local_features,
    )
