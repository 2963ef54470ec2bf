"""Find the images worth comparing with a query, by several searches of the vector indexes."""

from collections.abc import Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import Final

from shared.domain.features import FeatureVector
from shared.domain.filters import EVERYTHING, ImageFilter
from shared.domain.images import ImageRecord, Label
from shared.domain.ports.indexes import Candidate, Candidates, SearchIndex
from shared.search.budget import FIRST_BATCH, LABEL_SEARCHES, SEARCHED
from shared.search.look_alikes import shared_labels
from shared.search.rank_fusion import alternating, in_turns, reciprocal
from shared.vision.ranking import fit_for
from shared.vision.views import View

COMPARABLE: Final = 1.5
"""Maximum ratio between the keypoint counts of two views whose cosines can be compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchScope:
    """The images that are searched.

    Attributes:
        labels: in canonical form; only images that have one of them are found.
        annotations: conditions on annotations, which are read of every candidate because the vector indexes have none.
    """

    collection: str
    model: str
    labels: frozenset[str] | None
    annotations: ImageFilter = EVERYTHING


@dataclass(frozen=True, slots=True)
class ViewedCandidate:
    """A candidate, and the view of the query that it is nearest to."""

    record: ImageRecord
    view: View


@dataclass(frozen=True, slots=True)
class _Nearest:
    """The best rank of a candidate in any search, and the view that it is nearest to."""

    place: int
    cosine: float
    viewed: ViewedCandidate

    def or_nearer(self, other: "_Nearest") -> "_Nearest":
        """Return the better rank of both, with the view of the larger cosine.

        If one view has far fewer keypoints, the view of the better rank is taken: such a view has high cosines with
        everything.
        """
        own, others = len(self.viewed.view.keypoints), len(other.viewed.view.keypoints)
        comparable = own <= COMPARABLE * others and others <= COMPARABLE * own
        nearer = other.cosine > self.cosine if comparable else other.place < self.place
        chosen = other if nearer else self
        return _Nearest(min(self.place, other.place), chosen.cosine, chosen.viewed)


def _records(candidates: Sequence[Candidate]) -> list[ImageRecord]:
    return [candidate.record for candidate in candidates]


@dataclass(slots=True)
class CandidateFinder:
    """Finds the candidates of one query; each further view adds candidates.

    Searches start immediately and run concurrently; `found` waits for them.

    Attributes:
        bytes_examined: total of the searches that have finished; None if one of them did not report it.
    """

    index: SearchIndex
    threads: Executor
    where: SearchScope
    bytes_examined: int | None = 0
    _labels: Sequence[Label] = ()
    _whole: list[ImageRecord] = field(default_factory=list)
    _nearest: dict[str, _Nearest] = field(default_factory=dict)
    _begun: list[tuple[View | None, Future[Candidates]]] = field(default_factory=list)

    def search_by_features(self, features: FeatureVector, query_labels: Sequence[Label] = ()) -> None:
        """Search by the features of the whole image.

        The index filters by one class at a time, and only by an image's most probable class. Therefore each class is
        searched for separately if there are few of them. In addition, the nearest images of any class are searched,
        and those without a wanted label are dropped.

        Args:
            query_labels: of the query. Of the images found, those that are the likeliest to show the same kind of thing
                take turns with the nearest ones.
        """
        self._labels = query_labels
        labels = sorted(self.where.labels or ())
        for label in (None, *(labels if len(labels) <= LABEL_SEARCHES else ())):
            search = self.threads.submit(
                self.index.nearest,
                features,
                collection=self.where.collection,
                model=self.where.model,
                label=label,
                limit=SEARCHED,
            )
            self._begun.append((None, search))

    def search_by_views(self, views: Sequence[View]) -> None:
        """Search by the local features of these views."""
        self._begun += [(view, self.threads.submit(self._local, view)) for view in views if view.vector.any()]

    def found(self, otherwise: View, *, second_pass: bool = False) -> list[ViewedCandidate]:
        """Return all candidates so far, best first.

        Args:
            otherwise: the view of candidates that only the features found.
            second_pass: whether the best of each search were not near, so that candidates that several searches found
                now come first.
        """
        self._wait()
        by_place = sorted(self._nearest.values(), key=lambda entry: (entry.place, -entry.cosine))
        local = [entry.viewed.record for entry in by_place]
        merged = reciprocal(local, self._whole) if second_pass else in_turns(local, self._whole, FIRST_BATCH)
        return [
            self._nearest[record.image_id].viewed
            if record.image_id in self._nearest
            else ViewedCandidate(record, otherwise)
            for record in merged
        ]

    def _wait(self) -> None:
        begun, self._begun = self._begun, []
        whole: dict[str, Candidate] = {}
        for view, search in begun:
            found = search.result()
            self._pay(found)
            wanted = self._wanted(found.found)
            if view is None:
                whole |= {candidate.record.image_id: candidate for candidate in wanted}
                continue
            for place, candidate in enumerate(wanted):
                seen = _Nearest(place, candidate.cosine, ViewedCandidate(candidate.record, view))
                known = self._nearest.get(candidate.record.image_id)
                self._nearest[candidate.record.image_id] = seen if known is None else known.or_nearer(seen)
        if whole:
            nearest = sorted(whole.values(), key=lambda candidate: -candidate.cosine)
            likeliest = sorted(nearest, key=self._unlikeness)
            self._whole = alternating(_records(nearest), _records(likeliest))

    def _unlikeness(self, candidate: Candidate) -> float:
        shared = shared_labels(self._labels, candidate.record.labels)
        return -fit_for(self.where.model).look_alike(candidate.cosine, shared)

    def _local(self, view: View) -> Candidates:
        return self.index.nearest_local(
            view.vector,
            collection=self.where.collection,
            model=self.where.model,
            limit=SEARCHED,
        )

    def _wanted(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        labels = self.where.labels
        wanted = [candidate for candidate in candidates if labels is None or candidate.record.has_any(labels)]
        if not self.where.annotations.needs_annotations or not wanted:
            return wanted
        found = self.index.existing([candidate.record.image_id for candidate in wanted], self.where.collection)
        return [
            candidate
            for candidate in wanted
            if (held := found.get(candidate.record.image_id)) and self.where.annotations.accepts_annotations(held)
        ]

    def _pay(self, found: Candidates) -> None:
        known = self.bytes_examined is not None and found.bytes_examined is not None
        self.bytes_examined = (self.bytes_examined or 0) + (found.bytes_examined or 0) if known else None
