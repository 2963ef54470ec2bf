"""The search use case: features, candidates, rerank."""

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from shared.domain.errors import NotFound
from shared.domain.features import FeatureVector, cosine
from shared.domain.images import ImageRecord, signature_key
from shared.domain.limits import CANDIDATES
from shared.domain.matches import Comparison, Ranking
from shared.domain.ports import Candidate, Catalogue, Objects
from shared.vision import signature
from shared.vision.decoding import decode
from shared.vision.embedding import Embedder
from shared.vision.ranking import compare
from shared.vision.signature import Signature

SIGNATURES_KEPT: Final = 512
"""Unpacked signatures that a process keeps, about 90 KB each."""


class Stopwatch:
    """Wall time by stage, in milliseconds."""

    def __init__(self) -> None:
        self.took_ms: dict[str, float] = {}
        self._started = time.perf_counter()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            self.took_ms[name] = self._since(started)

    def finish(self) -> dict[str, float]:
        return self.took_ms | {"total": self._since(self._started)}

    @staticmethod
    def _since(started: float) -> float:
        return round((time.perf_counter() - started) * 1000, 2)


@dataclass(frozen=True, slots=True)
class Described:
    """A picture, ready to be compared. `image_id` is the SHA-256 of its bytes."""

    image_id: str
    features: FeatureVector
    signature: Signature


@dataclass(frozen=True, slots=True)
class Scored:
    record: ImageRecord
    comparison: Comparison


@dataclass(frozen=True, slots=True)
class Found:
    """A search's answer, best match first."""

    matches: Sequence[Scored]
    candidates: int
    bytes_examined: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a search is asked for; `exclude` is an image_id that is left out."""

    collection: str
    k: int
    ranking: Ranking
    min_score: float = 0.0
    label: str | None = None
    exclude: str | None = None


def _rank(match: Scored) -> tuple[float, bool, float]:
    found = match.comparison
    return -found.score, found.low_information, -(found.cosine or 0.0)


class Searcher:
    """Compares pictures, and finds the nearest ones of a collection."""

    def __init__(self, *, catalogue: Catalogue, objects: Objects, embedder: Callable[[], Embedder], model: str) -> None:
        self._catalogue = catalogue
        self._objects = objects
        self._embedder = embedder
        self._model = model
        self._readers = ThreadPoolExecutor(max_workers=16, thread_name_prefix="signatures")
        self._kept = lru_cache(maxsize=SIGNATURES_KEPT)(self._read_signature)

    def describe(self, data: bytes, watch: Stopwatch) -> Described:
        """Features and signature of a picture's bytes.

        Raises:
            PictureRefused: the bytes are no picture that we decode.
        """
        with watch.stage("decode"):
            picture = decode(data)
        with watch.stage("features"):
            features = self._embedder().embed(picture.rgb).features
        with watch.stage("keypoints"):
            described = signature.extract(picture.rgb)
        return Described(hashlib.sha256(data).hexdigest(), features, described)

    def recall(self, record: ImageRecord, watch: Stopwatch) -> Described:
        """Features and signature of a stored picture.

        Raises:
            NotFound: it was removed meanwhile, or another model indexed it.
        """
        with watch.stage("recall"):
            features = self._catalogue.features(record.image_id, record.collection, self._model)
            described = self._signature(record)
        if features is None or described is None:
            raise NotFound("The picture is not indexed under this model. Upload it again.")
        return Described(record.image_id, features, described)

    def search(self, query: Described, wanted: Wanted, watch: Stopwatch) -> Found:
        """The `wanted.k` best matches, reranked from stored signatures."""
        spare = 1 if wanted.exclude else 0
        cosine_only = wanted.ranking is Ranking.COSINE
        with watch.stage("candidates"):
            candidates = self._catalogue.nearest(
                query.features,
                collection=wanted.collection,
                model=self._model,
                label=wanted.label,
                limit=(wanted.k if cosine_only else max(CANDIDATES, wanted.k)) + spare,
            )
        considered = [entry for entry in candidates.found if entry.record.image_id != wanted.exclude]
        with watch.stage("signatures"):
            signatures = list(self._readers.map(self._signature, [entry.record for entry in considered]))
        with watch.stage("rerank"):
            scored = [
                self._score(query, entry, stored, wanted.ranking)
                for entry, stored in zip(considered, signatures, strict=True)
                if stored is not None  # removed between the two reads
            ]
        scored.sort(key=_rank)
        matches = [match for match in scored if match.comparison.score >= wanted.min_score]
        with watch.stage("check"):
            standing = self._standing(matches, wanted)
        return Found(standing, len(considered), candidates.bytes_examined)

    def _standing(self, matches: Sequence[Scored], wanted: Wanted) -> list[Scored]:
        """The first `wanted.k` that are still there: the vector index may not know yet what was removed."""
        standing: list[Scored] = []
        at = 0
        while at < len(matches) and len(standing) < wanted.k:
            batch = matches[at : at + wanted.k - len(standing)]
            at += len(batch)
            there = self._catalogue.standing([match.record.image_id for match in batch], wanted.collection)
            standing += [match for match in batch if match.record.image_id in there]
        return standing

    def compare(self, a: Described, b: Described, ranking: Ranking) -> Comparison:
        """Every score of two pictures."""
        return compare(
            a.signature,
            b.signature,
            cosine=cosine(a.features, b.features),
            ranking=ranking,
            identical=a.image_id == b.image_id,
            model=self._model,
        )

    def _score(self, query: Described, candidate: Candidate, stored: Signature, ranking: Ranking) -> Scored:
        comparison = compare(
            query.signature,
            stored,
            cosine=candidate.cosine,
            ranking=ranking,
            identical=candidate.record.image_id == query.image_id,
            model=self._model,
        )
        return Scored(candidate.record, comparison)

    def _signature(self, record: ImageRecord) -> Signature | None:
        try:
            return self._kept(record.collection, record.image_id)
        except KeyError:
            return None

    def _read_signature(self, _collection: str, image_id: str) -> Signature:
        """Kept for each collection apart: how quickly one is answered must not tell what another has asked for."""
        data = self._objects.get(signature_key(self._model, image_id))
        if data is None:
            raise KeyError(image_id)  # not kept: it may come
        return signature.unpack(data)
