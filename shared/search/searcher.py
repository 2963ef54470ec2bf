"""Search a collection: describe the query, find and compare candidates, and if none is near, search its parts."""

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Final

import numpy as np

from shared.domain.errors import NotFound
from shared.domain.images import ImageRecord
from shared.domain.matches import SCORE_DIGITS, Comparison, Effort, Ranking, Verdict, at_least
from shared.domain.ports.indexes import SearchIndex
from shared.domain.ports.objects import Signatures
from shared.search.budget import (
    FAST_PASS,
    FIRST_BATCH,
    FIRST_PASS,
    FIRST_PASS_THOROUGH,
    JUDGED,
    JUDGED_THOROUGH,
    LONG_JUDGED,
    PANE_CANDIDATES,
    ROUNDS,
    SECOND_PASS,
    SECOND_PASS_THOROUGH,
    SIGNATURES_KEPT,
)
from shared.search.candidates import CandidateFinder, SearchScope, ViewedCandidate
from shared.search.comparison import compare_with_stored, conclude, worth_details
from shared.search.description import analyse
from shared.search.look_alikes import shared_labels
from shared.search.passes import ends_with_strangers, may_stop_early, needs_second_pass
from shared.search.request import Described, ScoredMatch, SearchRequest, SearchResult
from shared.search.signature_cache import SignatureCache
from shared.search.timings import Stopwatch
from shared.vision import cpu, views
from shared.vision.decode.decoding import decode
from shared.vision.embedding import Embedder
from shared.vision.evidence.fine import decode_fine, encode_fine
from shared.vision.evidence.geometry import CERTAIN_INLIERS
from shared.vision.keypoints import QUERY_KEYPOINTS
from shared.vision.pixels import Pixels
from shared.vision.ranking import NEAR_DUPLICATE_FROM, VARIANT_FROM
from shared.vision.resizing import is_long
from shared.vision.sheets import Page
from shared.vision.signature import Signature
from shared.vision.views import View

_FIRST: Final = {Effort.FAST: FAST_PASS, Effort.BALANCED: FIRST_PASS, Effort.THOROUGH: FIRST_PASS_THOROUGH}
_JUDGED: Final = {Effort.FAST: JUDGED, Effort.BALANCED: JUDGED, Effort.THOROUGH: JUDGED_THOROUGH}
INVERTED: Final = 2.0
"""What the score of a near-duplicate exceeds its least one by counts so much for an inverted version of the image."""
_SECOND: Final = {Effort.BALANCED: SECOND_PASS, Effort.THOROUGH: SECOND_PASS_THOROUGH}


def _mirrored(query: Described) -> list[View]:
    """Return the view of the query's mirror image; none for a stored image, whose pixels are not read."""
    if query.pixels is None:
        return []
    return [views.mirror(query.pixels, query.signature)]


def _inverted(query: Described) -> list[View]:
    """Return the view of a drawing with its brightness inverted; none for an image that is no drawing."""
    shown = _shown(query)
    found = None if shown is None else views.inverted(shown, query.signature)
    return [] if found is None else [found]


def _shown(query: Described) -> Pixels | None:
    """Return the query's pixels, those of a stored image as its signature has them; None if it has none."""
    if query.pixels is not None or not query.signature.fine:
        return query.pixels
    return np.ascontiguousarray(decode_fine(query.signature.fine)[:, :, ::-1])


def _settled(query: Described, coarse: Comparison, stored: Signature, ranking: Ranking) -> Comparison:
    """Return the comparison with the verdict that its details support; inverted versions are at most variants."""
    shown = _shown(query) if coarse.inverted else None
    if shown is None:
        return conclude(coarse, query.signature, stored, ranking)
    inverted = replace(query.signature, fine=encode_fine(255 - shown))
    found = replace(conclude(coarse, inverted, stored, ranking), inverted=True)
    if found.verdict is not Verdict.NEAR_DUPLICATE:
        return found
    score = (
        found.score if ranking is not Ranking.FUSED else VARIANT_FROM + INVERTED * (found.score - NEAR_DUPLICATE_FROM)
    )
    return replace(found, verdict=Verdict.VARIANT, score=score)


def _may_be_part(query: Described, match: ScoredMatch) -> bool:
    """Return whether one may show a part of the other, which is so long that few of its keypoints lie in that part."""
    return is_long(*query.signature.keypoints.size) or is_long(match.record.width, match.record.height)


def _others(found: Sequence[ViewedCandidate], wanted: SearchRequest) -> list[ViewedCandidate]:
    return [entry for entry in found if entry.record.image_id != wanted.exclude]


def _rank(match: ScoredMatch) -> tuple[float, bool, bool, float]:
    found = match.comparison
    return -found.score, not found.same_bytes, found.low_information, -(found.cosine or 0.0)


class Searcher:
    """Compares images, and finds the nearest images of a collection.

    Args:
        signatures_kept: maximum number of signatures that are cached.
    """

    def __init__(
        self,
        *,
        index: SearchIndex,
        signatures: Signatures,
        embedder: Callable[[], Embedder],
        model: str,
        signatures_kept: int = SIGNATURES_KEPT,
    ) -> None:
        self._index = index
        self._embedder = embedder
        self._model = model
        self._threads = ThreadPoolExecutor(max_workers=16, thread_name_prefix="search")
        self._comparing = ThreadPoolExecutor(cpu.available_cpus(), thread_name_prefix="compare")
        self._signatures = SignatureCache(signatures, model, signatures_kept)

    def describe(self, data: bytes, watch: Stopwatch) -> Described:
        """Compute the features and the signature of an image.

        Raises:
            PictureRefused: the bytes are not an image in a supported format, or the image exceeds a limit.
        """
        with watch.stage("decode"):
            image = decode(data)
        return self.describe_pixels(hashlib.sha256(data).hexdigest(), image.rgb, watch, image.shown)

    def describe_pixels(self, image_id: str, rgb: Pixels, watch: Stopwatch, shown: tuple[Page, ...] = ()) -> Described:
        """Compute the features and the signature of upright RGB pixels, uint8, height x width x 3.

        Args:
            shown: the pages on a sheet of several.
        """
        described, embedding = analyse(
            rgb, self._embedder, threads=self._threads, keypoints=QUERY_KEYPOINTS, watch=watch, shown=shown
        )
        return Described(image_id, embedding.features, described, embedding.labels, rgb)

    def recall(self, record: ImageRecord, watch: Stopwatch) -> Described:
        """Read the features and the signature of a stored image.

        Raises:
            NotFound: it was removed in the meantime, or indexed by another model.
        """
        with watch.stage("recall"):
            features = self._index.features(record.image_id, record.collection, self._model)
            described = self._signatures.get(record)
        if features is None or described is None:
            raise NotFound("The image is not indexed under this model. Upload it again.")
        own = replace(described)  # the cached one would keep the moments of every image that was searched by
        return Described(record.image_id, features, own, record.labels)

    def search(self, query: Described, wanted: SearchRequest, watch: Stopwatch) -> SearchResult:
        """Return the `wanted.k` best matches, reranked by their stored signatures."""
        where = SearchScope(
            collection=wanted.collection, model=self._model, labels=wanted.labels, annotations=wanted.annotations
        )
        finder = CandidateFinder(self._index, self._threads, where)
        finder.search_by_features(query.features, query.labels if wanted.ranking is Ranking.FUSED else ())
        with watch.stage("views"):
            whole, mirrored = views.whole(query.signature), list[View]()
            if wanted.ranking is not Ranking.COSINE:
                finder.search_by_views([whole])
                if wanted.effort is not Effort.FAST:
                    mirrored = [] if may_stop_early(wanted) else _mirrored(query)
                    finder.search_by_views([*mirrored, *_inverted(query)])
        with watch.stage("candidates"):
            found = _others(finder.found(whole), wanted)
        first, scored = self._first_pass(query, found, whole, wanted, watch)
        scored = self._identical(query, wanted, watch) + self._judged(query, scored, wanted, watch)
        if needs_second_pass(wanted, scored):
            with watch.stage("views"):
                late = self._comparing.submit(_mirrored, query) if may_stop_early(wanted) else None
                parts = [part for side in (whole, *mirrored) for part in views.for_second_pass(query.pixels, side)]
                finder.search_by_views([*(late.result() if late else ()), *parts])
            with watch.stage("candidates"):
                nearer = _others(finder.found(whole, second_pass=True), wanted)
            seen = {entry.record.image_id: entry.view for entry in first}
            fresh = [entry for entry in nearer if seen.get(entry.record.image_id) is not entry.view]
            found = [*first, *fresh]
            most = _SECOND[wanted.effort] + PANE_CANDIDATES * sum(part.is_pane for part in parts)
            more = self._compared(query, fresh[:most], whole, wanted.ranking, watch)
            scored += self._judged(query, more, wanted, watch)
        best: dict[str, ScoredMatch] = {}
        for match in sorted(scored, key=_rank):
            best.setdefault(match.record.image_id, match)
        matches = [
            match
            for match in best.values()
            if round(match.comparison.score, SCORE_DIGITS) >= wanted.min_score
            and at_least(match.comparison.verdict, wanted.min_verdict)
        ]
        with watch.stage("check"):
            existing = self._existing(matches, wanted)
        candidate_ids = list(dict.fromkeys(entry.record.image_id for entry in found))
        return SearchResult(existing, candidate_ids, len(best), finder.bytes_examined)

    def _identical(self, query: Described, wanted: SearchRequest, watch: Stopwatch) -> list[ScoredMatch]:
        """Return the images with the query's bytes or pixels, which an index look-up never misses.

        Their signature is the query's, so none is read.
        """
        pixels = query.signature.pixels_hash.hex()
        with watch.stage("identical"):
            found = self._index.with_pixels(pixels, collection=wanted.collection, limit=wanted.k + 1) if pixels else []
            records = {record.image_id: record for record in found}
            if query.image_id not in records and query.image_id != wanted.exclude:
                same = self._index.find(query.image_id, wanted.collection)
                records |= {same.image_id: same} if same else {}
            if records and wanted.annotations.needs_annotations:
                held = self._index.existing(list(records), wanted.collection)
                accepted = {one for one in held if wanted.annotations.accepts_annotations(held[one])}
                records = {image_id: record for image_id, record in records.items() if image_id in accepted}
        whole = views.whole(query.signature)
        return [
            ScoredMatch(record, self._compare(query, whole, record, query.signature, wanted.ranking))
            for record in records.values()
            if record.image_id != wanted.exclude and (wanted.labels is None or record.has_any(wanted.labels))
        ]

    def _first_pass(
        self, query: Described, found: Sequence[ViewedCandidate], whole: View, wanted: SearchRequest, watch: Stopwatch
    ) -> tuple[list[ViewedCandidate], list[ScoredMatch]]:
        """Compare the nearest candidates; stop after one batch if it already ends with unrelated ones."""
        most = max(0 if wanted.ranking is Ranking.COSINE else _FIRST[wanted.effort], wanted.k)
        count = max(FIRST_BATCH, wanted.k) if may_stop_early(wanted) else most
        scored = self._compared(query, found[:count], whole, wanted.ranking, watch)
        if count < most and not ends_with_strangers(scored):
            scored += self._compared(query, found[count:most], whole, wanted.ranking, watch)
            count = most
        return list(found[:count]), scored

    def _existing(self, matches: Sequence[ScoredMatch], wanted: SearchRequest) -> list[ScoredMatch]:
        """Return the first `wanted.k` that still exist; the vector index learns of removals with a delay."""
        existing: list[ScoredMatch] = []
        at = 0
        while at < len(matches) and len(existing) < wanted.k:
            batch = matches[at : at + wanted.k - len(existing)]
            at += len(batch)
            there = self._index.existing([match.record.image_id for match in batch], wanted.collection)
            existing += [
                replace(match, record=replace(match.record, annotations=there[match.record.image_id]))
                for match in batch
                if match.record.image_id in there
            ]
        return existing

    def compare(self, a: Described, b: Described, ranking: Ranking) -> Comparison:
        """Return every score of two images."""
        sides = [views.whole(a.signature), *_mirrored(a), *_inverted(a)]
        compared = [self._compare(a, view, b, b.signature, ranking) for view in sides]
        best = max(compared, key=lambda comparison: comparison.score)
        settled = _settled(a, best, b.signature, ranking)
        if best.inverted or at_least(settled.verdict, Verdict.VARIANT):
            return settled
        # Few keypoints of a plain logo are better than those of its inverted version.
        inverted = (_settled(a, one, b.signature, ranking) for one in compared if one.inverted)
        return next((one for one in inverted if at_least(one.verdict, Verdict.VARIANT)), settled)

    def _judged(
        self, query: Described, scored: Sequence[ScoredMatch], wanted: SearchRequest, watch: Stopwatch
    ) -> list[ScoredMatch]:
        """Compare the details of the most promising matches, of more while all have one base; return all matches."""
        order = sorted(scored, key=lambda match: (-match.comparison.orb.inliers, -match.comparison.agreement))
        worth = set(worth_details([match.comparison for match in order]))
        promising = [match for place, match in enumerate(order) if place in worth]
        promising += [match for match in order if _may_be_part(query, match)][:LONG_JUDGED]
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
        stored = self._signatures.get(match.record)
        if stored is None:
            return match
        return replace(match, comparison=_settled(query, match.comparison, stored, ranking))

    def _compared(
        self,
        query: Described,
        candidates: Sequence[ViewedCandidate],
        whole: View,
        ranking: Ranking,
        watch: Stopwatch,
    ) -> list[ScoredMatch]:
        """Compare the candidates that still exist, each as soon as its signature has been read, on all processors."""
        reading = self._threads.map(self._signatures.get, [entry.record for entry in candidates])
        submit = self._comparing.submit
        with watch.stage("signatures"):
            comparing = [
                (entry.record, submit(self._compare_views, query, (entry.view, whole), entry.record, stored, ranking))
                for entry, stored in zip(candidates, reading, strict=True)
                if stored is not None
            ]
        scored: list[ScoredMatch] = []
        most = 0
        with watch.stage("rerank"):
            for record, compared in comparing:
                match = ScoredMatch(record, compared.result())
                if match.comparison.orb.inliers >= CERTAIN_INLIERS > most:
                    # Its details will be compared: begin now, where a processor may be free. The result is cached.
                    self._threads.submit(self._conclude, query, match, ranking)
                most = max(most, match.comparison.orb.inliers)
                scored.append(match)
        return scored

    def _compare_views(
        self, query: Described, sides: tuple[View, View], record: ImageRecord, stored: Signature, ranking: Ranking
    ) -> Comparison:
        """Compare a candidate with the view that it is nearest to, and a long one with the whole query too.

        All cosines of the local features of a long image are small, so the mirror image may be as near by chance.
        """
        chosen = sides[:1] if sides[0] is sides[1] or not is_long(record.width, record.height) else sides
        compared = [self._compare(query, view, record, stored, ranking) for view in chosen]
        return max(compared, key=lambda found: found.agreement)

    def _compare(
        self, query: Described, view: View, other: ImageRecord | Described, stored: Signature, ranking: Ranking
    ) -> Comparison:
        compared = compare_with_stored(
            view.signature,
            query.features,
            stored,
            model=self._model,
            ranking=ranking,
            identical=other.image_id == query.image_id,
            shared_labels=shared_labels(query.labels, other.labels),
        )
        return replace(compared, mirrored=view.mirrored, inverted=view.inverted)
