"""The vector index gives the same results as a brute-force search over all of its vectors."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from infra.local.moto_vectors.conditions import And, Condition, Not, Or, between, comparison, one_of
from infra.local.moto_vectors.vector_index import Entry, VectorIndex

DIMENSIONS = 4
DISTANCES = ["COSINE", "EUCLIDEAN", "DOT_PRODUCT"]

vectors = arrays(np.float32, DIMENSIONS, elements=st.floats(-8, 8, width=32).map(lambda value: round(value, 2)))
keys = st.integers(0, 30)
colours = st.sampled_from([None, "red", "green"])

RED, GREEN, BLUE = (("S", colour) for colour in ("red", "green", "blue"))
Meaning = Callable[[str | None], bool]
CONDITIONS: list[tuple[Condition | None, Meaning]] = [
    (None, lambda _: True),
    (comparison("colour", "=", RED), lambda colour: colour == "red"),
    (comparison("colour", "=", BLUE), lambda _: False),
    (comparison("colour", "<>", RED), lambda colour: colour != "red"),
    (comparison("colour", ">", GREEN), lambda colour: colour == "red"),
    (comparison("colour", "<=", GREEN), lambda colour: colour == "green"),
    (between("colour", BLUE, GREEN), lambda colour: colour == "green"),
    (one_of("colour", [RED, BLUE]), lambda colour: colour == "red"),
    (Not(one_of("colour", [RED, GREEN])), lambda colour: colour is None),
    (Or([comparison("colour", "=", RED), comparison("colour", "=", GREEN)]), lambda colour: colour is not None),
    (And([comparison("size", "<>", RED), Not(comparison("colour", ">=", RED))]), lambda colour: colour != "red"),
]
"""Conditions, and whether an item with a colour and no size fulfils them."""


@dataclass(frozen=True)
class StoredVector:
    """An item of the index, as the test remembers it."""

    vector: Any
    partition: str
    colour: str | None


def true_scores(distance: str, known: list[StoredVector], query: Any) -> list[float]:
    """The scores of all items, most similar first, computed from the definitions in f64."""
    scores = []
    for one in known:
        a, b = one.vector.astype(np.float64), query.astype(np.float64)
        if distance == "EUCLIDEAN":
            scores.append(float(np.sqrt(((a - b) ** 2).sum())))
        elif distance == "DOT_PRODUCT":
            scores.append(float((a * b).sum()))
        else:
            lengths = np.sqrt((a**2).sum()) * np.sqrt((b**2).sum())
            scores.append(float(1 - (a * b).sum() / lengths) if lengths else 1.0)
    return sorted(scores, reverse=distance == "DOT_PRODUCT")


class VectorIndexMachine(RuleBasedStateMachine):
    """Put, move and delete items in any order; every search must agree with the brute-force search."""

    distance = "COSINE"

    def __init__(self) -> None:
        super().__init__()
        self.index = VectorIndex(dimensions=DIMENSIONS, distance=self.distance, filters=["size", "colour"])
        self.known: dict[int, StoredVector] = {}

    @rule(key=keys, vector=vectors, partition=st.sampled_from("pq"), colour=colours)
    def put(self, key: int, vector: Any, partition: str, colour: str | None) -> None:
        self.index.put(key, Entry(vector, partition, [None, ("S", colour) if colour else None], key))
        self.known[key] = StoredVector(vector, partition, colour)

    @rule(key=keys)
    def delete(self, key: int) -> None:
        self.index.put(key, None)
        self.known.pop(key, None)

    @rule(
        query=vectors,
        partition=st.sampled_from("pqr"),
        asked=st.sampled_from(CONDITIONS),
        top_k=st.integers(1, 40),
    )
    def search(self, query: Any, partition: str, asked: tuple[Condition | None, Meaning], top_k: int) -> None:
        condition, fulfils = asked
        hits, examined = self.index.search(query, partition, condition, top_k)
        wanted = {key: one for key, one in self.known.items() if one.partition == partition and fulfils(one.colour)}
        assert examined == len(wanted) * DIMENSIONS * 4
        assert len({hit.item for hit in hits}) == len(hits)
        for hit in hits:
            assert np.array_equal(hit.vector, wanted[hit.item].vector)
            assert true_scores(self.distance, [wanted[hit.item]], query) == pytest.approx([hit.score], abs=1e-5)
        expected = true_scores(self.distance, list(wanted.values()), query)[:top_k]
        assert [hit.score for hit in hits] == pytest.approx(expected, rel=1e-6, abs=1e-5)

    @invariant()
    def counts(self) -> None:
        assert len(self.index) == len(self.known)
        assert self.index.size_bytes == len(self.known) * DIMENSIONS * 4


@pytest.mark.parametrize("distance", DISTANCES)
def test_searches_after_any_sequence_of_changes_match_brute_force(distance: str) -> None:
    machine = type("VectorIndexMachine", (VectorIndexMachine,), {"distance": distance})
    run_state_machine_as_test(machine, settings=settings(max_examples=40, stateful_step_count=40, deadline=None))


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(1, 300),
    top_k=st.integers(1, 100),
    distance=st.sampled_from(DISTANCES),
    query_is_stored=st.booleans(),
)
def test_searches_over_many_vectors_match_brute_force(
    seed: int, count: int, top_k: int, distance: str, query_is_stored: bool
) -> None:
    random = np.random.default_rng(seed)
    stored = random.normal(size=(count, 64)).astype(np.float32)
    query = stored[0] if query_is_stored else random.normal(size=64).astype(np.float32)
    index = VectorIndex(dimensions=64, distance=distance, filters=[])
    for key, vector in enumerate(stored):
        index.put(key, Entry(vector, (), [], key))
    hits, _ = index.search(query, (), None, top_k)
    expected = true_scores(distance, [StoredVector(vector, "", None) for vector in stored], query)[:top_k]
    assert [hit.score for hit in hits] == pytest.approx(expected, rel=1e-6, abs=1e-6)
    if query_is_stored and distance != "DOT_PRODUCT":
        assert (hits[0].item, hits[0].score) == (0, 0.0)


def test_near_ties_are_ordered_by_exact_scores() -> None:
    random = np.random.default_rng(7)
    query = random.normal(size=512).astype(np.float32)
    stored = (query + random.normal(size=(60, 512)) * 1e-4).astype(np.float32)
    index = VectorIndex(dimensions=512, distance="COSINE", filters=[])
    for key, vector in enumerate(stored):
        index.put(key, Entry(vector, (), [], key))
    hits, _ = index.search(query, (), None, 28)
    expected = true_scores("COSINE", [StoredVector(vector, "", None) for vector in stored], query)[:28]
    assert [hit.score for hit in hits] == pytest.approx(expected, rel=1e-6)


def test_a_vector_has_distance_zero_from_itself() -> None:
    """Exactly zero, without a rounding error."""
    random = np.random.default_rng(3)
    for dimensions in range(1, 200):
        index = VectorIndex(dimensions=dimensions, distance="COSINE", filters=[])
        vector = random.normal(size=dimensions).astype(np.float32)
        index.put("a", Entry(vector, (), [], "a"))
        assert index.search(vector, (), None, 1)[0][0].score == 0.0


def test_putting_an_item_again_moves_it() -> None:
    index = VectorIndex(dimensions=1, distance="EUCLIDEAN", filters=[])
    for partition in ("p", "q", "p"):
        index.put("key", Entry(np.array([1], np.float32), partition, [], partition))
    assert len(index) == 1
    assert index.search(np.array([1], np.float32), "q", None, 5) == ([], 0)
    assert [hit.item for hit in index.search(np.array([1], np.float32), "p", None, 5)[0]] == ["p"]
