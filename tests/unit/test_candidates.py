"""Several searches of the vector indexes as one list."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from shared.domain.features import LOCAL_DIMENSIONS, FeatureVector, LocalVector
from shared.domain.images import ImageRecord
from shared.domain.ports import Candidate, Candidates
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


def searched(answers: Answers, first: views.View, second: views.View) -> list[tuple[str, bool]]:
    """Candidates in order, and whether the second view is the nearest."""
    with ThreadPoolExecutor(2) as threads:
        finder = CandidateFinder(answers, threads, SearchScope(collection="c", model="m", label=None))
        finder.search_by_views([first, second])
        found = [(one.record.image_id, one.view is second) for one in finder.found(first)]
    assert finder.bytes_examined == 20
    return found
