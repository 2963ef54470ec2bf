"""Does a new picture nearly repeat an earlier one?"""

from collections.abc import Callable
from typing import Final

from shared.domain.images import signature_key
from shared.domain.ledger import Holding
from shared.domain.matches import Ranking, Verdict
from shared.domain.outcomes import Neighbour
from shared.domain.ports import Catalogue, Objects
from shared.vision import signature
from shared.vision.ranking import compare
from shared.vision.signature import Signature

CANDIDATES: Final = 5
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
        candidates = self._catalogue.nearest(
            features, collection=holding.collection, model=model, label=None, limit=CANDIDATES + 1
        )
        best: Neighbour | None = None
        for candidate in candidates.found:
            if candidate.record.image_id == holding.image_id or candidate.record.created_at >= record.created_at:
                continue
            stored = self._signature(model, candidate.record.image_id)
            if stored is None:
                continue
            found = compare(
                own,
                stored,
                cosine=candidate.cosine,
                ranking=Ranking.FUSED,
                identical=False,
                model=model,
            )
            if found.verdict is Verdict.NEAR_DUPLICATE and (best is None or found.score > best.comparison.score):
                best = Neighbour(candidate.record.image_id, found)
        return best

    def _signature(self, model: str, image_id: str) -> Signature | None:
        data = self._objects.get(signature_key(model, image_id))
        return None if data is None else signature.unpack(data)
