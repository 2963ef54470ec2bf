"""The bench's growing collection, small: what is measured here says nothing, but what is found does."""

from pathlib import Path

import pytest

from bench.speed import growth
from bench.speed.collection import GrowingCollection
from bench.speed.images import recompressed, synthetic_image
from tests.conftest import PicTrace


@pytest.fixture(scope="module")
def growing(running: PicTrace, model_dir: Path) -> GrowingCollection:
    return GrowingCollection(
        running.cloud, running.url, [synthetic_image(seed) for seed in (80_000, 80_001, 80_002)], model_dir, "growing"
    )


def test_every_size_is_measured(growing: GrowingCollection, running: PicTrace) -> None:
    ingest, searches = growth.measure(growing, running.url, 1, sizes=(3, 8))
    assert ingest.figures["local_ingest_per_second"] == pytest.approx(3 / growing.seconds)
    assert [row[0] for row in searches.rows] == ["3", "8"]
    assert all(len(row) == len(searches.columns) for row in searches.rows)
    assert {floor.what.split(" at ")[0] for floor in searches.floors} == {"search", "SearchVectors"}
    assert len(growing.keys()) == 3


def test_copies_are_found_with_their_originals(growing: GrowingCollection, running: PicTrace) -> None:
    growing.grow(8)
    query = {"file": ("query.jpg", recompressed(growing.images[1]))}
    answer = running.client.post("/v1/search", params={"collection": growing.name, "k": "8"}, files=query).json()
    assert answer["candidates"] == 8
    near = [match for match in answer["matches"] if match["verdict"] == "near-duplicate"]
    assert len(near) == 3
    assert len({match["image_id"] for match in near}) == 3
