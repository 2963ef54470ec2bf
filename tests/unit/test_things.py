"""The words for ImageNet's classes, and the tags that people decide on."""

import numpy as np
import numpy.typing as npt
import pytest

from layers.models.export import CLASSES_FILE
from shared.domain.labels import Vocabulary
from shared.domain.tags import InvalidTag, TagDecisions, TooManyTags, canonical_tag
from shared.domain.things import CLASSES, things, words


def probabilities(**shares: float) -> npt.NDArray[np.float32]:
    """Probabilities that are spread evenly over the classes of words."""
    found = np.zeros(CLASSES, np.float32)
    for word, share in shares.items():
        found[list(words()[word])] += share / len(words()[word])
    return found


def test_each_word_stands_for_classes_of_the_network() -> None:
    classes = Vocabulary.read(CLASSES_FILE).classes
    assert len(classes) == CLASSES
    assert 80 <= len(words()) <= 100
    assert len(words()["dog"]) == 118
    cats = {classes[place].name for place in words()["cat"]}
    assert cats == {"tabby", "tiger cat", "Persian cat", "Siamese cat", "Egyptian cat"}
    for word, places in words().items():
        assert canonical_tag(word) == word
        assert len(set(places)) == len(places) > 0
        assert max(places) < CLASSES
    assert set(words()["parrot"]) < set(words()["bird"])
    assert max(map(len, words().values())) < 0.2 * CLASSES  # a broader one could be told of an image of nothing


def test_a_word_is_told_from_half_on_however_many_classes_share_it() -> None:
    assert things(probabilities(dog=0.6, cat=0.3)) == ("dog",)
    assert things(probabilities(dog=0.45, parrot=0.52)) == ("bird", "parrot")
    assert things(probabilities(dog=0.499)) == ()
    assert set(things(probabilities(pizza=0.9))) == {"food", "pizza"}
    assert things(np.ones(7, np.float32)) == ()


def test_tags_have_one_form() -> None:
    assert canonical_tag("  Summer \t 2026 ") == "summer 2026"
    assert canonical_tag("STRASSE") == canonical_tag("straße")
    for wrong in ("", "  ", "a,b", "a/b", "x" * 51, "a\x00b", "a\u200eb"):
        with pytest.raises(InvalidTag):
            canonical_tag(wrong)


def test_people_decide_on_a_limited_number_of_tags() -> None:
    decisions = TagDecisions()
    for number in range(50):
        decisions = decisions.add(f"t{number}") if number % 2 else decisions.remove(f"t{number}")
    with pytest.raises(TooManyTags):
        decisions.add("one more")
    assert decisions.add("t0").of(["t2", "dog"])[-1] == "dog"
