"""Which images' faces are found and stored, and what a scan of a collection asks for."""

import hashlib
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from functions.ingest.face_indexer import PAGE, FaceIndexer
from shared.domain.collections import CollectionEntry
from shared.domain.errors import PictureRefused
from shared.domain.events import FaceScan, FindFaces
from shared.domain.images import ImageRecord, ObjectRef, Page
from shared.domain.ledger import ImageKey
from shared.domain.people.faces import DetectedFace
from shared.domain.ports.objects import Fetched
from shared.vision.embedding import Embedder
from shared.vision.faces.finder import FaceFinder
from shared.vision.opencv import cv2
from tests.images import encoded, pixels

ASTRONAUT = encoded(pixels("astronaut.png"), ".png")
LARGE = encoded(
    np.asarray(cv2.resize(pixels("astronaut.png"), (2048, 2048), interpolation=cv2.INTER_CUBIC), dtype=np.uint8), ".jpg"
)


def image_key(data: bytes, collection: str = "family") -> ImageKey:
    return ImageKey(collection, hashlib.sha256(data).hexdigest())


class World:
    """A collection with faces on, `family`, and another; images by their bytes; and what was stored and asked for."""

    def __init__(self, *images: bytes, side: int = 512, intact: float = 1.0) -> None:
        self.data = {image_key(data).image_id: data for data in images}
        self.side = side
        self.intact = intact
        self.faces: list[tuple[str, str, str, Sequence[DetectedFace]]] = []
        self.messages: list[FindFaces | FaceScan] = []
        self.reads = 0

    def find(self, first: Any, collection: str = "") -> Any:
        if isinstance(first, Collection) and not isinstance(first, str):
            return [CollectionEntry(name, faces=name == "family") for name in first]
        return self.record(first, collection) if first in self.data else None

    def record(self, image_id: str, collection: str) -> ImageRecord:
        return ImageRecord(
            collection, image_id, "m", self.side, self.side, "png", 1, "0" * 16, "2026", intact=self.intact,
            sources=[ObjectRef("b", image_id)],
        )  # fmt: skip

    def page(self, collection: str, *, cursor: str | None, **_: Any) -> Page:
        return Page([self.record(image_id, collection) for image_id in self.data], None if cursor else "next")

    def read(self, source: ObjectRef, *_: Any) -> Fetched:
        self.reads += 1
        if source.key not in self.data:
            raise PictureRefused("gone", "It was removed.")
        return Fetched(self.data[source.key], "e", "v")

    def add(self, collection: str, image_id: str, face_model: str, faces: Sequence[DetectedFace]) -> None:
        self.faces.append((collection, image_id, face_model, faces))

    def find_faces(self, event: FindFaces | FaceScan) -> None:
        self.messages.append(event)


@pytest.fixture(scope="module")
def finder(faces_dir: Path) -> FaceFinder:
    return FaceFinder(faces_dir)


@pytest.fixture(scope="module")
def embedder(model_dir: Path) -> Embedder:
    return Embedder(model_dir)


def indexer(world: Any, finder: FaceFinder | None, embedder: Embedder | None = None) -> FaceIndexer:
    return FaceIndexer(
        finder=finder,
        embedder=lambda: embedder or pytest.fail("no face here needs the model"),
        faces=world,
        collections=world,
        catalogue=world,
        objects=world,
        messages=world,
    )


def test_the_faces_of_an_image_are_stored_with_the_model_that_embedded_them(finder: FaceFinder) -> None:
    world = World(ASTRONAUT)
    outcome = indexer(world, finder).index(image_key(ASTRONAUT), pixels("astronaut.png"))
    [(collection, image_id, face_model, [face])] = world.faces
    assert ImageKey(collection, image_id) == image_key(ASTRONAUT)
    assert face_model == finder.face_model
    assert face.eye_distance == pytest.approx(43, abs=2)
    assert outcome.reason == "found 1 faces"
    assert world.reads == 0


def test_without_pixels_the_image_is_read_again(finder: FaceFinder) -> None:
    world = World(ASTRONAUT)
    indexer(world, finder).find(FindFaces(image_key(ASTRONAUT)))
    assert [len(faces) for *_, faces in world.faces] == [1]
    assert world.reads == 1


def test_an_image_without_faces_is_stored_without_any(finder: FaceFinder) -> None:
    world = World(ASTRONAUT)
    indexer(world, finder).index(image_key(ASTRONAUT), pixels("coffee.png"))
    assert [len(faces) for *_, faces in world.faces] == [0]


def test_nothing_is_found_unless_the_collection_and_the_deployment_have_faces(finder: FaceFinder) -> None:
    world = World(ASTRONAUT)
    for image, finds in ((image_key(ASTRONAUT, "other"), finder), (image_key(ASTRONAUT), None)):
        indexer(world, finds).index(image, pixels("astronaut.png"))
        indexer(world, finds).find(FindFaces(image))
        indexer(world, finds).scan(FaceScan(image.collection))
    assert (world.faces, world.messages, world.reads) == ([], [], 0)


def test_an_image_that_is_gone_or_cannot_be_read_has_no_faces(finder: FaceFinder) -> None:
    world = World()
    assert indexer(world, finder).find(FindFaces(image_key(ASTRONAUT))).reason == "the image had been removed"
    world = World(b"not an image")
    assert indexer(world, finder).find(FindFaces(image_key(b"not an image"))).code
    assert world.faces == []


def test_distances_are_in_pixels_of_the_image_before_it_was_reduced(finder: FaceFinder) -> None:
    world = World(LARGE, side=2048)
    indexer(world, finder).find(FindFaces(image_key(LARGE)))
    [(*_, [face])] = world.faces
    assert face.eye_distance == pytest.approx(4 * 43, rel=0.05)


def test_places_in_a_file_that_was_cut_off_are_shares_of_the_whole_image(finder: FaceFinder) -> None:
    whole, half = World(ASTRONAUT), World(ASTRONAUT, intact=0.5)
    rows = pixels("astronaut.png")
    indexer(whole, finder).index(image_key(ASTRONAUT), rows)
    indexer(half, finder).index(image_key(ASTRONAUT), np.ascontiguousarray(rows[:256]))
    [(*_, [expected])], [(*_, [face])] = whole.faces, half.faces
    assert face.box == pytest.approx(expected.box, abs=0.01)


def test_a_face_whose_place_is_an_animals_is_not_stored(
    finder: FaceFinder, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    covered = np.concatenate([np.full((105, 512, 3), 40, dtype=np.uint8), pixels("astronaut.png")[105:]])
    for probability, found in ((0.1, 1), (0.9, 0)):
        monkeypatch.setattr(embedder, "animal_probability", lambda _, known=probability: known)
        world = World(ASTRONAUT)
        indexer(world, finder, embedder).index(image_key(ASTRONAUT), covered)
        assert [len(faces) for *_, faces in world.faces] == [found]


def test_the_model_tells_animals_from_people(embedder: Embedder) -> None:
    assert embedder.animal_probability(pixels("chelsea.png")) > 0.9
    assert embedder.animal_probability(np.ascontiguousarray(pixels("astronaut.png")[60:190, 150:290])) < 0.3


def test_a_scan_asks_for_the_faces_of_each_image_and_goes_on(finder: FaceFinder) -> None:
    images = [bytes([number]) for number in range(3)]
    world = World(*images)
    indexer(world, finder).scan(FaceScan("family"))
    asked = [FindFaces(image_key(data)) for data in images]
    assert world.messages == [*asked, FaceScan("family", "next")]
    world.messages.clear()
    indexer(world, finder).scan(FaceScan("family", "next"))
    assert world.messages == asked
    assert len(images) < PAGE
