"""Words that people type are matched to a model's classes."""

from functools import cache

import pytest

from layers.models.export import CLASSES_FILE
from shared.domain.images import ImageRecord, Label
from shared.domain.labels import ClassName, UnknownLabel, Vocabulary, canonical


@cache
def imagenet() -> Vocabulary:
    return Vocabulary.read(CLASSES_FILE)


def test_classes_are_in_the_order_of_the_networks_outputs() -> None:
    """The order that `keras.applications.imagenet_utils.decode_predictions` documents: sorted by WordNet id."""
    names = [each.name for each in imagenet().classes]
    assert len(names) == 1000
    known = {0: "tench", 1: "goldfish", 285: "Egyptian cat", 340: "zebra", 967: "espresso", 999: "toilet tissue"}
    assert {place: names[place] for place in known} == known
    assert not [name for name in names if "_" in name]


@pytest.mark.parametrize(
    "words", ["Egyptian cat", "egyptian cat", "Egyptian_cat", "EGYPTIAN-CATS", " egyptian  cat ", "egyptian"]
)
def test_case_punctuation_and_plural_are_ignored(words: str) -> None:
    assert imagenet().matching(words) == {"egyptian cat"}


@pytest.mark.parametrize(
    ("words", "some", "without"),
    [
        ("cat", {"egyptian cat", "tabby", "siamese cat", "lion"}, {"catamaran", "german shepherd"}),
        ("dogs", {"beagle", "german shepherd", "pug"}, {"hotdog", "dogsled"}),
        ("car", {"convertible", "cab", "sports car"}, {"carton"}),
        ("tabby cat", {"tabby"}, {"egyptian cat"}),
        ("wolves", {"timber wolf"}, {"wolf spider"}),
        ("buses", {"school bus", "minibus"}, set()),
        ("sunglasses", {"sunglasses"}, {"cup"}),
        ("strawberries", {"strawberry"}, set()),
        ("wine", {"red wine"}, {"swine"}),
        ("cell phones", {"cellular telephone"}, {"pay phone"}),
        ("Lap-top", {"laptop"}, {"desktop computer"}),
        ("trafficlight", {"traffic light"}, {"spotlight"}),
    ],
)
def test_a_category_matches_its_classes(words: str, some: set[str], without: set[str]) -> None:
    found = imagenet().matching(words)
    assert some <= found
    assert not without & found


def test_an_exact_name_takes_precedence_over_names_that_contain_it() -> None:
    vocabulary = Vocabulary([ClassName("dog"), ClassName("dog sled"), ClassName("sled")])
    assert vocabulary.matching("dog") == {"dog"}
    assert vocabulary.matching("sled") == {"sled"}
    assert vocabulary.matching("dog sled") == {"dog sled"}
    with pytest.raises(UnknownLabel):
        vocabulary.matching("led")


@pytest.mark.parametrize(
    ("words", "suggested"), [("elefant", "elephant"), ("golden retreiver", "golden retriever"), ("Catt", "cat")]
)
def test_a_misspelt_word_is_refused_with_suggestions(words: str, suggested: str) -> None:
    with pytest.raises(UnknownLabel, match=f"No class of the model is called '{words}'. Did you mean") as refused:
        imagenet().matching(words)
    assert refused.value.suggestions[0].casefold() == suggested
    assert len(refused.value.suggestions) <= 5
    for word in refused.value.suggestions:
        assert imagenet().matching(word)


@pytest.mark.parametrize("words", ["", " ", "___", "?!", "xqzzyv", "\N{GRINNING FACE}", "x" * 100])
def test_text_that_matches_no_class_is_refused(words: str) -> None:
    with pytest.raises(UnknownLabel, match="No class of the model is called"):
        imagenet().matching(words)


def test_an_image_matches_any_of_its_labels() -> None:
    image = ImageRecord(
        "c", "i", "m", 1, 1, "png", 1, "0", "2026", labels=(Label("tabby", 0.6), Label("Sofa_bed", 0.3))
    )
    assert image.label == "tabby"
    assert image.has_any({canonical("sofa bed")})
    assert image.has_any({"tabby", "x"})
    assert not image.has_any({"sofa"})
    assert not image.has_any(set())
