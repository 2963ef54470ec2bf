"""The results of several vector searches are merged into one list of candidates."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, cast

import numpy as np

from shared.domain.features import FEATURE_DIMENSIONS, LOCAL_DIMENSIONS, FeatureVector, LocalVector
from shared.domain.images import ImageRecord, Label
from shared.domain.labels import canonical
from shared.domain.ports.catalogue import Catalogue
from shared.domain.ports.indexes import Candidate, Candidates
from shared.search.budget import LABEL_SEARCHES, SEARCHED
from shared.search.candidates import CandidateFinder, SearchScope
from shared.vision import views
from shared.vision.signature import extract
from tests.images import pixels

QUERY = views.whole(extract(pixels("chelsea.png")))


def view(number: int, keypoints: int = 400) -> views.View:
    vector = np.zeros(LOCAL_DIMENSIONS, np.float32)
    vector[number] = 1
    return views.View(QUERY.signature, QUERY.keypoints.select(np.arange(keypoints)), vector)


def record(name: str) -> ImageRecord:
    return ImageRecord("c", name, "m", 1, 1, "png", 1, "0" * 16, "2026")


Images = dict[str, tuple[float, tuple[str, ...]]]
"""The cosine and the labels of each image by name, the most probable label first."""


class FakeCatalogue:
    """A catalogue that answers the search for view N with the Nth list of names and cosines."""

    def __init__(self, *lists: dict[str, float]) -> None:
        self.lists = lists

    def nearest(self, features: FeatureVector, **_: Any) -> Candidates:
        raise AssertionError("only searches by views are expected")

    def nearest_local(self, local: LocalVector, **_: Any) -> Candidates:
        found = self.lists[int(local.argmax())]
        records = [
            (ImageRecord("c", name, "m", 1, 1, "png", 1, "0" * 16, "2026"), near) for name, near in found.items()
        ]
        return Candidates([Candidate(record, near) for record, near in records], bytes_examined=10)


def test_the_first_result_of_every_search_precedes_any_second() -> None:
    """Regardless of cosines, which are high for views with few keypoints; candidates keep the view that found them."""
    catalogue = FakeCatalogue({"a": 0.9, "b": 0.8, "c": 0.7}, {"d": 0.3, "c": 0.2, "a": 0.1})
    whole, part = view(0), view(1, keypoints=50)
    assert find_by_views(catalogue, whole, part) == [("a", False), ("d", True), ("b", False), ("c", True)]


def test_among_views_with_equally_many_keypoints_the_nearest_has_the_largest_cosine() -> None:
    """If an image has many copies, some rank higher in the search for its mirror image, which matches none of them."""
    catalogue = FakeCatalogue({"a": 0.9, "b": 0.8, "c": 0.7}, {"d": 0.3, "c": 0.2, "b": 0.1})
    found = find_by_views(catalogue, view(0), view(1))
    assert found == [("a", False), ("d", True), ("b", False), ("c", False)]


class LabelledCatalogue:
    """A catalogue of images with labels that filters as the index does, by the most probable class only.

    Attributes:
        asked: the classes of the searches.
    """

    def __init__(self, images: Images) -> None:
        self.images = images
        self.asked: list[str | None] = []

    def nearest(self, _: object, *, label: str | None, limit: int, **__: Any) -> Candidates:
        self.asked.append(label)
        found = [
            Candidate(replace(record(name), labels=[Label(each, 0.3) for each in labels]), near)
            for name, (near, labels) in self.images.items()
            if label is None or (labels and canonical(labels[0]) == label)
        ]
        best = sorted(found, key=lambda candidate: -candidate.cosine)[:limit]
        return Candidates(best, bytes_examined=10)

    def nearest_local(self, _: object, **__: Any) -> Candidates:
        return self.nearest(None, label=None, limit=SEARCHED)


def test_nearby_images_match_by_any_label_and_distant_ones_by_their_first() -> None:
    near: Images = {f"dog {number}": (0.9, ("Great Dane",)) for number in range(SEARCHED)}
    far: Images = {
        "cat": (0.1, ("Egyptian cat",)),
        "tiger": (0.2, ("tiger_cat", "Egyptian cat")),
        "cup": (0.3, ("cup",)),
    }
    cats = frozenset({"egyptian cat", "tiger cat"})
    catalogue = LabelledCatalogue(near | far | {"a cat second": (0.95, ("sofa", "tiger cat")), "nothing": (0.99, ())})
    assert find_by_features(catalogue, cats) == ["a cat second", "tiger", "cat"]
    assert sorted(catalogue.asked, key=str) == [None, "egyptian cat", "tiger cat"]


def test_a_category_of_many_classes_filters_the_nearest_images() -> None:
    images: Images = {f"dog {number}": (0.5, (f"dog {number}",)) for number in range(LABEL_SEARCHES + 1)}
    catalogue = LabelledCatalogue(images | {"cup": (0.9, ("cup",))})
    assert sorted(find_by_features(catalogue, frozenset(images))) == sorted(images)
    assert catalogue.asked == [None]


def test_candidates_found_by_keypoints_are_filtered_by_label_too() -> None:
    catalogue = LabelledCatalogue({"cat": (0.9, ("tabby",)), "cup": (0.95, ("cup",))})
    with ThreadPoolExecutor(2) as threads:
        where = SearchScope(collection="c", model="m", labels=frozenset({"tabby"}))
        finder = CandidateFinder(cast(Catalogue, catalogue), threads, where)
        finder.search_by_views([view(0)])
        assert [entry.record.image_id for entry in finder.found(view(0))] == ["cat"]


def test_images_that_share_a_label_with_the_query_take_turns_with_the_nearest() -> None:
    images: Images = {"near": (0.5, ()), "nearer": (0.6, ("sofa",)), "kind": (0.4, ("cup",)), "far": (0.3, ())}
    with ThreadPoolExecutor(2) as threads:
        finder = CandidateFinder(
            cast(Catalogue, LabelledCatalogue(images)), threads, SearchScope(collection="c", model="m", labels=None)
        )
        finder.search_by_features(np.zeros(FEATURE_DIMENSIONS, np.float32), [Label("cup", 0.9)])
        found = [entry.record.image_id for entry in finder.found(view(0))]
    assert found == ["nearer", "kind", "near", "far"]


def find_by_features(catalogue: LabelledCatalogue, labels: frozenset[str]) -> list[str]:
    """The candidates of a search by features, in order."""
    with ThreadPoolExecutor(2) as threads:
        finder = CandidateFinder(
            cast(Catalogue, catalogue), threads, SearchScope(collection="c", model="m", labels=labels)
        )
        finder.search_by_features(np.zeros(FEATURE_DIMENSIONS, np.float32))
        found = [entry.record.image_id for entry in finder.found(view(0))]
    assert finder.bytes_examined == 10 * len(catalogue.asked)
    return found


def find_by_views(catalogue: FakeCatalogue, first: views.View, second: views.View) -> list[tuple[str, bool]]:
    """The candidates of a search by two views, in order, and whether the second view is the nearest."""
    with ThreadPoolExecutor(2) as threads:
        finder = CandidateFinder(
            cast(Catalogue, catalogue), threads, SearchScope(collection="c", model="m", labels=None)
        )
        finder.search_by_views([first, second])
        found = [(one.record.image_id, one.view is second) for one in finder.found(first)]
    assert finder.bytes_examined == 20
    return found
