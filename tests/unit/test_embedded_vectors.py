"""The vector index of the embedded store, on a real database and real files."""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from shared.domain.errors import IndexNotReady, PictureRefused
from shared.domain.features import FEATURE_DIMENSIONS, LOCAL_DIMENSIONS, FeatureVector, normalise
from shared.domain.images import ImageRecord, IndexedImage, Label, ObjectRef
from shared.domain.ledger import ImageKey
from shared.domain.ports.indexes import Candidates
from shared.embedded import vector_compaction, vector_file, vectors
from shared.embedded.batching import Batches
from shared.embedded.catalogue import EmbeddedCatalogue
from shared.embedded.database import Database
from shared.embedded.migrations import open_database
from shared.embedded.vectors import VectorIndex

Vectors = npt.NDArray[np.float32]


class Store:
    """A database with its index in a folder, as the local run has them."""

    def __init__(self, folder: Path) -> None:
        self.files = folder / "vectors"
        self.database: Database = open_database(folder / "pictrace.db")
        self.index = VectorIndex(self.files, self.database)
        self.catalogue = EmbeddedCatalogue(self.database, self.index)

    def add(
        self,
        features: FeatureVector,
        *,
        local: FeatureVector | None = None,
        name: str = "",
        collection: str = "default",
        label: str | None = None,
        model: str = "m",
    ) -> str:
        image_id = sha256(name.encode() or features.tobytes()).hexdigest()
        labels = [Label(label, 0.9)] if label else []
        record = ImageRecord(collection, image_id, model, 4, 3, "png", 9, "0" * 16, "2026-01-01", labels)
        self.catalogue.add(IndexedImage(record, features, local), ObjectRef("b", image_id))
        return image_id

    def add_all(self, features: Vectors) -> list[str]:
        with self.database.transaction():
            return [self.add(vector) for vector in features]

    def nearest(self, query: FeatureVector, *, collection: str = "default", label: str | None = None) -> list[str]:
        return ids(self.search(query, collection=collection, label=label))

    def search(
        self, query: FeatureVector, *, collection: str = "default", label: str | None = None, limit: int = 100
    ) -> Candidates:
        return self.index.nearest(query, collection=collection, model="m", label=label, limit=limit)

    def close(self) -> None:
        self.index.close()
        self.database.close()

    def reopened(self) -> "Store":
        """Return the store as another process finds it after a kill: nothing is saved or closed in an orderly way."""
        return Store(self.files.parent)


def ids(found: Candidates) -> list[str]:
    return [candidate.record.image_id for candidate in found.found]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path)
    yield made
    made.close()


def made(number: int, seed: int = 0, *, dimensions: int = FEATURE_DIMENSIONS) -> Vectors:
    """Return clustered vectors: a network's outputs are not negative, and the last third of them is not used."""
    random = np.random.default_rng(seed)
    used = dimensions * 2 // 3
    centres = random.random((max(1, number // 20), used)) ** 4
    out = np.zeros((number, dimensions))
    spread = random.random((number, 1)) * random.random((number, used))
    out[:, :used] = centres[random.integers(0, len(centres), number)] + spread**2
    return np.stack([normalise(row) for row in out])


def test_nearest_equals_an_exact_search(store: Store) -> None:
    stored = made(3_000)
    names = store.add_all(stored)
    for query in (*made(20, seed=1), *stored[:20]):
        exact = stored.astype(np.float64) @ query
        found = store.search(query)
        assert [candidate.cosine for candidate in found.found] == pytest.approx(np.sort(exact)[::-1][:100])
        assert set(ids(found)) == {names[place] for place in np.argsort(-exact)[:100]}


def test_local_features_have_an_index_of_their_own(store: Store) -> None:
    local = np.random.default_rng(0).standard_normal((200, LOCAL_DIMENSIONS))
    units = [normalise(row) for row in local]
    with store.database.transaction():
        names = [store.add(made(1)[0], local=unit, name=str(number)) for number, unit in enumerate(units)]
    unknown = store.add(made(1)[0], name="without keypoints")
    found = store.index.nearest_local(units[7], collection="default", model="m", limit=100)
    assert ids(found)[0] == names[7]
    assert found.found[0].cosine == pytest.approx(1)
    assert len(found.found) == 100
    assert unknown not in ids(found)


def test_filters_by_collection_label_and_model(store: Store) -> None:
    near, other, far = made(3)
    cat = store.add(near, collection="a", label="Tabby_Cat", name="cat")
    dog = store.add(other, collection="a", label="beagle", name="dog")
    store.add(near, collection="b", label="tabby cat", name="cat")
    store.add(far, collection="a", model="another", name="far")
    assert store.nearest(near, collection="a") == [cat, dog]
    assert store.nearest(near, collection="a", label="beagle") == [dog]
    assert store.nearest(near, collection="a", label="tabby cat") == [cat]
    assert store.nearest(near, collection="c") == []


def test_a_filter_that_few_rows_of_a_file_pass(store: Store) -> None:
    stored = made(600)
    with store.database.transaction():
        names = [store.add(vector, label="common" if place % 5 else "rare") for place, vector in enumerate(stored)]
    exact = stored[::5] @ stored[3]
    assert store.nearest(stored[3], label="rare") == [names[5 * place] for place in np.argsort(-exact)[:100]]


def test_queries_at_once_are_answered_as_they_are_alone(store: Store) -> None:
    stored = made(600)
    for collection in ("default", "other"):
        with store.database.transaction():
            for number, vector in enumerate(stored[::2] if collection == "other" else stored):
                store.add(vector, name=f"{collection}{number}", collection=collection, label=("cat", None)[number % 2])
    asked = [
        (query, *which) for query in made(8, seed=1) for which in (("default", None), ("other", "cat"), ("none", None))
    ]
    alone = [ids(store.search(query, collection=name, label=label, limit=20)) for query, name, label in asked]
    with ThreadPoolExecutor(len(asked)) as threads:
        begun = [
            threads.submit(store.search, query, collection=name, label=label, limit=20) for query, name, label in asked
        ]
        assert [ids(each.result()) for each in begun] == alone
    assert [len(found) for found in alone[:3]] == [20, 20, 0]


def test_an_empty_index_and_a_limit_beyond_what_is_stored(store: Store) -> None:
    first, second = made(2)
    assert store.nearest(first) == []
    name = store.add(first)
    assert store.nearest(second) == [name]


def test_zero_vectors_have_a_cosine_of_zero(store: Store) -> None:
    zero, vector = np.zeros(FEATURE_DIMENSIONS, np.float32), made(1)[0]
    blank, photo = store.add(zero, name="blank"), store.add(vector)
    assert [(found.record.image_id, found.cosine) for found in store.search(vector).found] == [
        (photo, pytest.approx(1)),
        (blank, 0),
    ]
    assert {found.cosine for found in store.search(zero).found} == {0}
    assert len(store.search(zero).found) == 2


def test_vectors_that_are_not_finite_are_not_searched_for_or_found(store: Store) -> None:
    name = store.add(made(1)[0])
    broken = made(1)[0]
    broken[3] = np.nan
    with pytest.raises(PictureRefused):
        store.search(broken)
    with store.database.transaction() as connection:
        connection.execute(
            "UPDATE sqlite_sequence SET seq = 7 WHERE name = 'vectors'",
        )
        connection.execute(
            "INSERT INTO vectors (collection, image_id, model, kind, vector) SELECT collection, image_id, model,"
            " 'local', ? FROM vectors",
            (broken[:LOCAL_DIMENSIONS].tobytes(),),
        )
    assert ids(store.index.nearest_local(made(1)[0], collection="default", model="m", limit=5)) == []
    assert store.nearest(made(1)[0]) == [name]


def test_a_wider_vector_than_all_before_widens_the_file(store: Store) -> None:
    narrow = store.add(made(1)[0])
    store.nearest(made(1)[0])
    last = np.zeros(FEATURE_DIMENSIONS, np.float32)
    last[-1] = 1
    wide = store.add(last)
    assert store.nearest(last) == [wide, narrow]


def test_deleted_images_make_way_for_the_next_nearest(store: Store) -> None:
    stored = made(300)
    names = dict(zip(store.add_all(stored), stored, strict=True))
    before = store.nearest(stored[0])
    for image_id in before[:3]:
        store.catalogue.delete_record(ImageKey("default", image_id))
    after = store.nearest(stored[0])
    assert after[:97] == before[3:]
    assert len(after) == 100
    again = store.add(names[before[0]])
    assert store.nearest(stored[0])[0] == again


def test_many_deletions_compact_the_files(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vector_compaction, "COMPACT_ROWS", 100)
    stored = made(400)
    names = store.add_all(stored)
    store.nearest(stored[0])
    with store.database.transaction():
        for image_id in names[:200]:
            store.catalogue.delete_record(ImageKey("default", image_id))
    expected = {names[200 + place] for place in np.argsort(-(stored[200:] @ stored[0]))[:100]}
    assert set(store.nearest(stored[0])) == expected
    [entry] = json.loads((store.files / "manifest.json").read_text())["files"]
    assert entry["rows"] == 200
    assert deletions(store.database) == 0
    assert set(store.reopened().nearest(stored[0])) == expected


def deletions(database: Database) -> int:
    with database.read() as connection:
        return int(connection.execute("SELECT count(*) FROM vector_deletions").fetchone()[0])


def test_a_killed_process_loses_nothing(tmp_path: Path) -> None:
    stored = made(120)
    first = Store(tmp_path)
    names = first.add_all(stored[:60])
    first.nearest(stored[0])  # in the files, but not in the manifest
    first.index.opened.result().save()
    names += first.add_all(stored[60:])
    first.nearest(stored[0])
    first.catalogue.delete_record(ImageKey("default", names[5]))
    second = first.reopened()
    assert set(second.nearest(stored[0])) == expected_ids(names, stored, without=5)
    second.close()


def expected_ids(names: list[str], stored: Vectors, *, without: int) -> set[str]:
    left = [number for number in range(len(names)) if number != without]
    nearest = np.argsort(-(stored[left] @ stored[0]))[:100]
    return {names[left[place]] for place in nearest}


def _truncate(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(100)


def _scramble(path: Path) -> None:
    path.write_bytes(path.read_bytes()[::-1])


def _newer(path: Path) -> None:
    path.write_text(path.read_text().replace('"format": 1', '"format": 2'))


@pytest.mark.parametrize(
    ("pattern", "damage"),
    [
        ("*.codes", Path.unlink),
        ("*.codes", _truncate),
        ("*.codes", _scramble),
        ("*.rows", Path.unlink),
        ("*.rows", _truncate),
        ("*.rows", _scramble),
        ("manifest.json", Path.unlink),
        ("manifest.json", _truncate),
        ("manifest.json", _newer),
    ],
)
def test_damaged_files_are_built_again(tmp_path: Path, pattern: str, damage: Callable[[Path], None]) -> None:
    stored = made(150)
    before = Store(tmp_path)
    names = before.add_all(stored)
    wanted = before.nearest(stored[0])
    before.close()
    for path in before.files.glob(pattern):
        damage(path)
    after = before.reopened()
    assert after.nearest(stored[0]) == wanted
    assert wanted[0] == names[0]
    after.close()
    assert len(list(before.files.iterdir())) == 3, "of what was rebuilt nothing is left over"


def test_files_of_another_database_are_built_again(tmp_path: Path) -> None:
    before = Store(tmp_path)
    before.add_all(made(50))
    before.close()
    for path in tmp_path.glob("pictrace.db*"):
        path.unlink()
    after = Store(tmp_path)
    others = made(60, seed=9)
    names = after.add_all(others)
    after.close()
    (tmp_path / "vectors").rename(tmp_path / "kept")
    assert after.reopened().nearest(others[0])[0] == names[0]


def test_searches_and_a_writer_at_once(store: Store) -> None:
    stored = made(400)
    failures: list[str] = []
    ended = threading.Event()

    def search(seed: int) -> int:
        random, rounds = np.random.default_rng(seed), 0
        while not ended.is_set() or rounds < 3:
            written = len(names)
            query = stored[random.integers(0, max(1, written))]
            found = store.search(query, limit=10).found
            if written and found[0].cosine < 0.9999:
                failures.append(f"{written} images written, nearest {found[0].cosine}")
            rounds += 1
        return rounds

    names: list[str] = []
    with ThreadPoolExecutor(4) as threads:
        running = [threads.submit(search, seed) for seed in range(4)]
        for vector in stored:
            names.append(store.add(vector))
        ended.set()
    assert not failures
    assert min(future.result() for future in running) >= 3


def test_a_search_says_how_far_the_index_is_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    follow = VectorIndex._follow
    monkeypatch.setattr(vectors, "WAIT_SECONDS", 0.01)
    monkeypatch.setattr(VectorIndex, "_follow", lambda *args: (release.wait(), follow(*args)))
    store = Store(tmp_path)
    vector = made(1)[0]
    with pytest.raises(IndexNotReady, match="0% is done"):
        store.search(vector)
    release.set()
    store.index.opened.result(5)
    assert store.nearest(vector) == []
    store.close()


def test_thousands_of_equally_near_images(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vector_file, "SHORTLIST", 150)
    vector = made(1)[0]
    with store.database.transaction():
        for number in range(300):
            store.add(vector, name=str(number))
    found = store.search(vector).found
    assert len(found) == 100
    assert [candidate.cosine for candidate in found] == pytest.approx([1] * 100)


def test_waiting_requests_are_answered_together() -> None:
    sizes: list[int] = []
    begun, release = threading.Event(), threading.Event()

    def double(numbers: Sequence[int]) -> list[int]:
        sizes.append(len(numbers))
        begun.set()
        release.wait(5)
        if 13 in numbers:
            raise ValueError("13")
        return [2 * number for number in numbers]

    batches: Batches[int, int] = Batches(double)
    with ThreadPoolExecutor(8) as threads:
        first = threads.submit(batches.answer, 0)
        begun.wait(5)
        others = [threads.submit(batches.answer, number) for number in range(1, 6)]
        while len(batches._waiting) < 5:
            pass
        release.set()
        assert [first.result(), *(other.result() for other in others)] == [0, 2, 4, 6, 8, 10]
    assert sizes == [1, 5]
    with pytest.raises(ValueError, match="13"):
        batches.answer(13)
    assert batches.answer(4) == 8
