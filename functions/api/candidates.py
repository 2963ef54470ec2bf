"""The pictures that are worth comparing with a query: several searches of the vector indexes, as one list."""

from collections.abc import Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field

from shared.domain.features import FeatureVector
from shared.domain.images import ImageRecord
from shared.domain.limits import SEARCHED
from shared.domain.merging import interleaved, reciprocal
from shared.domain.ports import Candidates, Catalogue
from shared.vision.views import View


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """What is searched; `label`: only pictures whose most probable class this is."""

    collection: str
    model: str
    label: str | None


@dataclass(frozen=True, slots=True)
class Viewed:
    """A candidate with the view of the query that it is nearest to."""

    record: ImageRecord
    view: View


@dataclass(slots=True)
class Finder:
    """Finds the candidates of one query; every further view adds to what was found before.

    Searches begin when they are asked for, all at once, and `found` waits for them. `bytes_examined` is what those cost
    that it has waited for, None where one did not report it.
    """

    catalogue: Catalogue
    threads: Executor
    where: Where
    bytes_examined: int | None = 0
    _whole: list[ImageRecord] = field(default_factory=list)
    _nearest: dict[str, tuple[tuple[int, float], Viewed]] = field(default_factory=dict)
    _begun: list[tuple[View | None, Future[Candidates]]] = field(default_factory=list)

    def by_features(self, features: FeatureVector) -> None:
        """Search by the features of the whole picture."""
        search = self.threads.submit(
            self.catalogue.nearest,
            features,
            collection=self.where.collection,
            model=self.where.model,
            label=self.where.label,
            limit=SEARCHED,
        )
        self._begun.append((None, search))

    def by_views(self, views: Sequence[View]) -> None:
        """Search by the local features of these views."""
        self._begun += [(view, self.threads.submit(self._local, view)) for view in views if view.vector.any()]

    def found(self, otherwise: View, *, closer: bool = False) -> list[Viewed]:
        """All candidates so far, best first; those that no view found are seen by `otherwise`.

        Args:
            closer: whether nothing near has been found by the best of each search, so that what several found comes
                first now.
        """
        self._wait()
        merged = reciprocal if closer else interleaved
        local = sorted(self._nearest.values(), key=lambda entry: entry[0], reverse=True)
        return [
            self._nearest[record.image_id][1] if record.image_id in self._nearest else Viewed(record, otherwise)
            for record in merged([viewed.record for _, viewed in local], self._whole)
        ]

    def _wait(self) -> None:
        begun, self._begun = self._begun, []
        for view, search in begun:
            found = search.result()
            self._pay(found)
            if view is None:
                self._whole = [candidate.record for candidate in found.found]
                continue
            for place, candidate in enumerate(found.found):
                # By place first: a view with few keypoints has high cosines with everything.
                near = (-place, candidate.cosine)
                known = self._nearest.get(candidate.record.image_id)
                if known is None or near > known[0]:
                    self._nearest[candidate.record.image_id] = (near, Viewed(candidate.record, view))

    def _local(self, view: View) -> Candidates:
        return self.catalogue.nearest_local(
            view.vector,
            collection=self.where.collection,
            model=self.where.model,
            label=self.where.label,
            limit=SEARCHED,
        )

    def _pay(self, found: Candidates) -> None:
        known = self.bytes_examined is not None and found.bytes_examined is not None
        self.bytes_examined = (self.bytes_examined or 0) + (found.bytes_examined or 0) if known else None
