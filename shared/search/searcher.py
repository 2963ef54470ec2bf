"""The search use case: features, candidates, a first look and, where nothing near is found, a closer one."""

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from shared.domain.errors import NotFound
from shared.domain.features import FeatureVector
from shared.domain.images import ImageRecord, signature_key
from shared.domain.matches import SAFE_TO_ACT_ON, Comparison, Effort, Ranking, Verdict, at_least
from shared.domain.ports import SearchIndex, Signatures
from shared.search.budget import (
    CLOSER_LOOK,
    CLOSER_LOOK_THOROUGH,
    FIRST_GLANCE,
    FIRST_LOOK,
    JUDGED,
    JUDGED_THOROUGH,
    ROUNDS,
)
from shared.search.candidates import CandidateFinder, SearchScope, ViewedCandidate
from shared.search.comparison import compare_with_stored, deserves_details
from shared.search.description import analyse
from shared.search.timings import Stopwatch
from shared.vision import cpu, signature, views
from shared.vision.decode.decoding import decode
from shared.vision.embedding import Embedder
from shared.vision.keypoints import QUERY_KEYPOINTS
from shared.vision.pixels import Pixels
from shared.vision.ranking import conclude
from shared.vision.signature import Signature
from shared.vision.views import View

SIGNATURES_KEPT: Final = 512
"""Unpacked signatures that a process keeps, about 133 KB each."""


@dataclass(frozen=True, slots=True)
class Described:
    """An image, ready to be compared.

    Attributes:
        image_id: the SHA-256 of its bytes.
        signature: with up to `QUERY_KEYPOINTS` of an image that came with the request.
        pixels: of such an image, as they were decoded; None for a stored one, of which only the signature is read.
    """

    image_id: str
    features: FeatureVector
    signature: Signature
    pixels: Pixels | None = None


@dataclass(frozen=True, slots=True)
class ScoredMatch:
    record: ImageRecord
    comparison: Comparison


@dataclass(frozen=True, slots=True)
class SearchResult:
    """A search's answer, best match first.

    Attributes:
        gathered: every candidate in the order in which they were to be compared.
        candidates: how many were.
    """

    matches: Sequence[ScoredMatch]
    gathered: Sequence[str]
    candidates: int
    bytes_examined: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRequest:
    """What a search is asked for.

    Attributes:
        labels: in canonical form; only images that have one of them are found.
        exclude: an image_id that is left out.
    """

    collection: str
    k: int
    ranking: Ranking
    effort: Effort = Effort.BALANCED
    min_score: float = 0.0
    min_verdict: Verdict = Verdict.UNRELATED
    labels: frozenset[str] | None = None
    exclude: str | None = None


_FIRST: Final = {Effort.FAST: FIRST_GLANCE, Effort.BALANCED: FIRST_LOOK, Effort.THOROUGH: FIRST_LOOK}
_JUDGED: Final = {Effort.FAST: JUDGED, Effort.BALANCED: JUDGED, Effort.THOROUGH: JUDGED_THOROUGH}
NEAR: Final = 0.7
"""Coarse probability of images that are likely of one base: where strangers follow them, there are no more."""
EXPLAINED: Final = 0.6
"""The share of a query that a found copy must show; what is left may be another image."""
_CLOSER: Final = {Effort.BALANCED: CLOSER_LOOK, Effort.THOROUGH: CLOSER_LOOK_THOROUGH}


def _mirrored(query: Described) -> list[View]:
    """The mirror image of an image that came with the request; of a stored one there is none."""
    if query.pixels is None:
        return []
    return [views.whole(views.mirror(query.pixels, query.signature), mirrored=True)]


def _looks_closer(wanted: SearchRequest, scored: Sequence[ScoredMatch]) -> bool:
    """`classic` and `cosine` are what others do, so they never look closer."""
    if wanted.effort is Effort.FAST or wanted.ranking is not Ranking.FUSED:
        return False
    return wanted.effort is Effort.THOROUGH or not any(_explains(match.comparison) for match in scored)


def _explains(found: Comparison) -> bool:
    """Whether the query is a copy, and this is of what."""
    shown = 1.0 if found.overlap is None else found.overlap[0]
    return found.verdict in SAFE_TO_ACT_ON and shown >= EXPLAINED


def _may_stop_early(wanted: SearchRequest) -> bool:
    return wanted.effort is Effort.BALANCED and wanted.ranking is Ranking.FUSED


def _ends_with_strangers(scored: Sequence[ScoredMatch]) -> bool:
    """Whether near-duplicates were found, and all of them before the last half: candidates come nearest first."""
    near = [place for place, match in enumerate(scored) if match.comparison.agreement >= NEAR]
    return bool(near) and near[-1] < len(scored) // 2


def _others(found: Sequence[ViewedCandidate], wanted: SearchRequest) -> list[ViewedCandidate]:
    return [entry for entry in found if entry.record.image_id != wanted.exclude]


def _rank(match: ScoredMatch) -> tuple[float, bool, float]:
    found = match.comparison
    return -found.score, found.low_information, -(found.cosine or 0.0)


class Searcher:
    """Compares images, and finds the nearest ones of a collection."""

    def __init__(
        self, *, index: SearchIndex, signatures: Signatures, embedder: Callable[[], Embedder], model: str
    ) -> None:
        self._index = index
        self._signatures = signatures
        self._embedder = embedder
        self._model = model
        self._threads = ThreadPoolExecutor(max_workers=16, thread_name_prefix="search")
        self._comparing = ThreadPoolExecutor(cpu.available_cpus(), thread_name_prefix="compare")
        self._kept = lru_cache(maxsize=SIGNATURES_KEPT)(self._read_signature)

    def describe(self, data: bytes, watch: Stopwatch) -> Described:
        """Features and signature of an image's bytes.

        Raises:
            PictureRefused: the bytes are no image that we decode.
        """
        with watch.stage("decode"):
            rgb = decode(data).rgb
        return self.describe_pixels(hashlib.sha256(data).hexdigest(), rgb, watch)

    def describe_pixels(self, image_id: str, rgb: Pixels, watch: Stopwatch) -> Described:
        """The same of decoded pixels: upright RGB, uint8, height x width x 3."""
        described, embedding = analyse(
            rgb, self._embedder, threads=self._threads, keypoints=QUERY_KEYPOINTS, watch=watch
        )
        return Described(image_id, embedding.features, described, rgb)

    def recall(self, record: ImageRecord, watch: Stopwatch) -> Described:
        """Features and signature of a stored image.

        Raises:
            NotFound: it was removed meanwhile, or another model indexed it.
        """
        with watch.stage("recall"):
            features = self._index.features(record.image_id, record.collection, self._model)
            described = self._signature(record)
        if features is None or described is None:
            raise NotFound("The image is not indexed under this model. Upload it again.")
        return Described(record.image_id, features, described)

    def search(self, query: Described, wanted: SearchRequest, watch: Stopwatch) -> SearchResult:
        """The `wanted.k` best matches, reranked from stored signatures."""
        where = SearchScope(collection=wanted.collection, model=self._model, labels=wanted.labels)
        finder = CandidateFinder(self._index, self._threads, where)
        finder.search_by_features(query.features)
        with watch.stage("views"):
            whole = [views.whole(query.signature)]
            if wanted.ranking is not Ranking.COSINE:
                finder.search_by_views(whole)
                if wanted.effort is not Effort.FAST:
                    whole += _mirrored(query)
                    finder.search_by_views(whole[1:])
        with watch.stage("candidates"):
            found = _others(finder.found(whole[0]), wanted)
        first, scored = self._first_look(query, found, wanted, watch)
        scored = self._judged(query, scored, wanted, watch)
        if _looks_closer(wanted, scored):
            with watch.stage("views"):
                sides = whole if wanted.effort is Effort.THOROUGH else whole[:1]
                closer = [view for side in sides for view in views.closer(query.pixels, side)]
                finder.search_by_views(closer)
            with watch.stage("candidates"):
                nearer = _others(finder.found(whole[0], closer=True), wanted)
            seen = {entry.record.image_id: entry.view for entry in first}
            fresh = [entry for entry in nearer if seen.get(entry.record.image_id) is not entry.view]
            found = [*first, *fresh]
            more = self._compared(query, fresh[: _CLOSER[wanted.effort]], wanted.ranking, watch)
            scored += self._judged(query, more, wanted, watch)
        best: dict[str, ScoredMatch] = {}
        for match in sorted(scored, key=_rank):
            best.setdefault(match.record.image_id, match)
        matches = [
            match
            for match in best.values()
            if match.comparison.score >= wanted.min_score and at_least(match.comparison.verdict, wanted.min_verdict)
        ]
        with watch.stage("check"):
            standing = self._existing(matches, wanted)
        gathered = list(dict.fromkeys(entry.record.image_id for entry in found))
        return SearchResult(standing, gathered, len(best), finder.bytes_examined)

    def _first_look(
        self, query: Described, found: Sequence[ViewedCandidate], wanted: SearchRequest, watch: Stopwatch
    ) -> tuple[list[ViewedCandidate], list[ScoredMatch]]:
        """The nearest candidates, compared; few of them are enough where strangers already follow the copies."""
        most = max(0 if wanted.ranking is Ranking.COSINE else _FIRST[wanted.effort], wanted.k)
        glance = max(FIRST_GLANCE, wanted.k) if _may_stop_early(wanted) else most
        scored = self._compared(query, found[:glance], wanted.ranking, watch)
        if glance < most and not _ends_with_strangers(scored):
            scored += self._compared(query, found[glance:most], wanted.ranking, watch)
            glance = most
        return list(found[:glance]), scored

    def _existing(self, matches: Sequence[ScoredMatch], wanted: SearchRequest) -> list[ScoredMatch]:
        """The first `wanted.k` that are still there: the vector index may not know yet what was removed."""
        standing: list[ScoredMatch] = []
        at = 0
        while at < len(matches) and len(standing) < wanted.k:
            batch = matches[at : at + wanted.k - len(standing)]
            at += len(batch)
            there = self._index.existing([match.record.image_id for match in batch], wanted.collection)
            standing += [match for match in batch if match.record.image_id in there]
        return standing

    def compare(self, a: Described, b: Described, ranking: Ranking) -> Comparison:
        """Every score of two images."""
        sides = [views.whole(a.signature), *_mirrored(a)]
        compared = [self._compare(a, view, b.image_id, b.signature, ranking) for view in sides]
        best = max(compared, key=lambda comparison: comparison.score)
        return conclude(best, a.signature, b.signature, ranking)

    def _judged(
        self, query: Described, scored: Sequence[ScoredMatch], wanted: SearchRequest, watch: Stopwatch
    ) -> list[ScoredMatch]:
        """The same, the details of the most promising ones compared; of more where those are all of one base."""
        order = sorted(scored, key=lambda match: (-match.comparison.orb.inliers, -match.comparison.agreement))
        promising = [match for match in order if deserves_details(match.comparison)]
        chosen = list({match.record.image_id: match for match in reversed(promising)}.values())[::-1]
        count = _JUDGED[wanted.effort]
        found: dict[str, ScoredMatch] = {}
        with watch.stage("details"):
            for at in range(0, ROUNDS * count, count):
                batch = chosen[at : at + count]
                concluded = list(self._comparing.map(lambda one: self._conclude(query, one, wanted.ranking), batch))
                found |= {match.record.image_id: match for match in concluded}
                if not all(at_least(match.comparison.verdict, Verdict.VARIANT) for match in concluded):
                    break
        return [found.get(match.record.image_id, match) for match in scored]

    def _conclude(self, query: Described, match: ScoredMatch, ranking: Ranking) -> ScoredMatch:
        stored = self._signature(match.record)
        if stored is None:
            return match
        return replace(match, comparison=conclude(match.comparison, query.signature, stored, ranking))

    def _compared(
        self, query: Described, candidates: Sequence[ViewedCandidate], ranking: Ranking, watch: Stopwatch
    ) -> list[ScoredMatch]:
        """Those that are still there; each is compared as soon as its signature is read, on every processor."""
        reading = self._threads.map(self._signature, [entry.record for entry in candidates])
        submit = self._comparing.submit
        with watch.stage("signatures"):
            comparing = [
                (entry.record, submit(self._compare, query, entry.view, entry.record.image_id, stored, ranking))
                for entry, stored in zip(candidates, reading, strict=True)
                if stored is not None
            ]
        with watch.stage("rerank"):
            return [ScoredMatch(record, compared.result()) for record, compared in comparing]

    def _compare(self, query: Described, view: View, image_id: str, stored: Signature, ranking: Ranking) -> Comparison:
        compared = compare_with_stored(
            view.signature,
            query.features,
            stored,
            model=self._model,
            ranking=ranking,
            identical=image_id == query.image_id,
        )
        return replace(compared, mirrored=view.mirrored)

    def _signature(self, record: ImageRecord) -> Signature | None:
        try:
            return self._kept(record.collection, record.image_id)
        except KeyError:
            return None

    def _read_signature(self, _collection: str, image_id: str) -> Signature:
        """Kept for each collection apart: how quickly one is answered must not tell what another has asked for."""
        data = self._signatures.get(signature_key(self._model, image_id))
        if data is None:
            raise KeyError(image_id)  # not kept: it may come
        return signature.unpack(data)
