"""Does a new picture nearly repeat an earlier one?"""

from collections.abc import Callable
from typing import Final

from shared.domain.features import cosine
from shared.domain.images import signature_key
from shared.domain.ledger import Holding
from shared.domain.matches import Ranking, Verdict
from shared.domain.merging import interleaved
from shared.domain.outcomes import Neighbour
from shared.domain.ports import Catalogue, Objects
from shared.vision import signature
from shared.vision.local_features import gathered
from shared.vision.ranking import compare
from shared.vision.signature import Signature

CANDIDATES: Final = 6
"""How many nearest pictures are compared: each costs one read from S3."""


class Neighbours:
    """Looks beside a stored picture for the nearest earlier one of its collection."""

    def __init__(self, *, catalogue: Catalogue, objects: Objects, model: Callable[[], str]) -> None:
        self._catalogue = catalogue
        self._objects = objects
        self._model = model

    def nearest_earlier(self, holding: Holding) -> Neighbour | None:
        """The best match that is at least a near-duplicate, or None.

        The vector index follows the table with a delay, so two that come at the same moment may miss each other.
        """
        model = self._model()
        record = self._catalogue.find(holding.image_id, holding.collection)
        features = self._catalogue.features(holding.image_id, holding.collection, model)
        own = self._signature(model, holding.image_id)
        if record is None or features is None or own is None:
            return None  # removed meanwhile
        local = gathered(own.keypoints.descriptors)
        where = {"collection": holding.collection, "model": model}
        whole = self._catalogue.nearest(features, **where, label=None, limit=CANDIDATES + 1).found
        near = (
            self._catalogue.nearest_local(local, **where, label=None, limit=CANDIDATES + 1).found if local.any() else ()
        )
        candidates = interleaved([entry.record for entry in near], [entry.record for entry in whole])
        best: Neighbour | None = None
        for candidate in candidates[: CANDIDATES + 1]:
            if candidate.image_id == holding.image_id or candidate.created_at >= record.created_at:
                continue
            stored = self._signature(model, candidate.image_id)
            if stored is None:
                continue
            found = compare(
                own,
                stored,
                cosine=None if stored.features is None else cosine(features, stored.features),
                ranking=Ranking.FUSED,
                identical=False,
                model=model,
            )
            if found.verdict is Verdict.NEAR_DUPLICATE and (best is None or found.score > best.comparison.score):
                best = Neighbour(candidate.image_id, found)
        return best

    def _signature(self, model: str, image_id: str) -> Signature | None:
        data = self._objects.get(signature_key(model, image_id))
        return None if data is None else signature.unpack(data)
