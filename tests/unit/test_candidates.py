"""Several searches of the vector indexes as one list."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, cast

import numpy as np

from shared.domain.features import FEATURE_DIMENSIONS, LOCAL_DIMENSIONS, FeatureVector, LocalVector
from shared.domain.images import ImageRecord, Label
from shared.domain.labels import canonical
from shared.domain.ports import Candidate, Candidates, Catalogue
from shared.search.budget import LABEL_SEARCHES, SEARCHED
from shared.search.candidates import CandidateFinder, SearchScope
from shared.vision import views
from shared.vision.signature import extract
from tests.images import pixels

QUERY = views.whole(extract(pixels("chelsea.png")))


def view(number: int, keypoints: int = 400) -> views.View:
    vector = np.zeros(LOCAL_DIMENSIONS, np.float32)
    vector[number] = 1
    return views.View(QUERY.signature, QUERY.keypoints.of(np.arange(keypoints)), vector)


def record(name: str) -> ImageRecord:
    return ImageRecord("c", name, "m", 1, 1, "png", 1, "0" * 16, "2026")


Images = dict[str, tuple[float, tuple[str, ...]]]
"""Cosine and labels of images by name, the most probable label first."""


class Answers:
    """A catalogue that answers the search of view N with the Nth list of names and cosines."""

    def __init__(self, *lists: dict[str, float]) -> None:
        self.lists = lists

    def nearest(self, features: FeatureVector, **_: Any) -> Candidates:
        raise AssertionError("only views are searched for here")

    def nearest_local(self, local: LocalVector, **_: Any) -> Candidates:
        found = self.lists[int(local.argmax())]
        records = [
            (ImageRecord("c", name, "m", 1, 1, "png", 1, "0" * 16, "2026"), near) for name, near in found.items()
        ]
        return Candidates([Candidate(record, near) for record, near in records], bytes_examined=10)


def test_the_best_of_each_search_comes_before_the_second_of_any() -> None:
    """Whatever the cosines, which are high for views with few keypoints; and each is seen by the view that found it."""
    answers = Answers({"a": 0.9, "b": 0.8, "c": 0.7}, {"d": 0.3, "c": 0.2, "a": 0.1})
    whole, part = view(0), view(1, keypoints=50)
    assert searched(answers, whole, part) == [("a", False), ("d", True), ("b", False), ("c", True)]


def test_of_views_with_as_many_keypoints_the_larger_cosine_tells_which_a_candidate_is_nearest_to() -> None:
    """Of an image with many copies some have better places in the search for its mirror image, which finds nothing."""
    answers = Answers({"a": 0.9, "b": 0.8, "c": 0.7}, {"d": 0.3, "c": 0.2, "b": 0.1})
    found = searched(answers, view(0), view(1))
    assert found == [("a", False), ("d", True), ("b", False), ("c", False)]


class Labelled:
    """A catalogue of images with labels, which answers like the index: by the most probable class only.

    Attributes:
        asked: the classes that were searched for.
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


def test_labels_are_any_of_an_images_labels_and_far_images_are_found_by_the_first() -> None:
    near: Images = {f"dog {number}": (0.9, ("Great Dane",)) for number in range(SEARCHED)}
    far: Images = {
        "cat": (0.1, ("Egyptian cat",)),
        "tiger": (0.2, ("tiger_cat", "Egyptian cat")),
        "cup": (0.3, ("cup",)),
    }
    cats = frozenset({"egyptian cat", "tiger cat"})
    catalogue = Labelled(near | far | {"a cat second": (0.95, ("sofa", "tiger cat")), "nothing": (0.99, ())})
    assert labelled(catalogue, cats) == ["a cat second", "tiger", "cat"]
    assert sorted(catalogue.asked, key=str) == [None, "egyptian cat", "tiger cat"]


def test_of_a_kind_with_many_classes_the_nearest_images_are_looked_through() -> None:
    images: Images = {f"dog {number}": (0.5, (f"dog {number}",)) for number in range(LABEL_SEARCHES + 1)}
    catalogue = Labelled(images | {"cup": (0.9, ("cup",))})
    assert sorted(labelled(catalogue, frozenset(images))) == sorted(images)
    assert catalogue.asked == [None]


def test_what_keypoints_find_has_the_labels_too() -> None:
    catalogue = Labelled({"cat": (0.9, ("tabby",)), "cup": (0.95, ("cup",))})
    with ThreadPoolExecutor(2) as threads:
        where = SearchScope(collection="c", model="m", labels=frozenset({"tabby"}))
        finder = CandidateFinder(cast(Catalogue, catalogue), threads, where)
        finder.search_by_views([view(0)])
        assert [entry.record.image_id for entry in finder.found(view(0))] == ["cat"]


def labelled(catalogue: Labelled, labels: frozenset[str]) -> list[str]:
    """Candidates by features, in order."""
    with ThreadPoolExecutor(2) as threads:
        finder = CandidateFinder(
            cast(Catalogue, catalogue), threads, SearchScope(collection="c", model="m", labels=labels)
        )
        finder.search_by_features(np.zeros(FEATURE_DIMENSIONS, np.float32))
        found = [entry.record.image_id for entry in finder.found(view(0))]
    assert finder.bytes_examined == 10 * len(catalogue.asked)
    return found


def searched(answers: Answers, first: views.View, second: views.View) -> list[tuple[str, bool]]:
    """Candidates in order, and whether the second view is the nearest."""
    with ThreadPoolExecutor(2) as threads:
        finder = CandidateFinder(answers, threads, SearchScope(collection="c", model="m", labels=None))
        finder.search_by_views([first, second])
        found = [(one.record.image_id, one.view is second) for one in finder.found(first)]
    assert finder.bytes_examined == 20
    return found
