"""Find the classes of a model by the words that people use for them."""

import difflib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Final, Self

MAX_SUGGESTIONS: Final = 5
MIN_SIMILARITY: Final = 0.7
"""Minimum `difflib.SequenceMatcher.ratio`, 0 to 1, of a misspelt word and a suggestion."""

_WORD: Final = re.compile(r"[^\W_]+")
_PLURALS: Final = {"s": ("",), "es": ("",), "ies": ("y",), "ves": ("f", "fe")}


class UnknownLabel(ValueError):  # noqa: N818
    """No class of the model matches a label.

    Attributes:
        suggestions: similar words that the model knows, best first.
    """

    def __init__(self, message: str, suggestions: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.suggestions = suggestions


@dataclass(frozen=True, slots=True)
class ClassName:
    """A class of a network.

    Attributes:
        name: the label of images of this class.
        also: its synonyms, and the broader kinds that include it.
    """

    name: str
    also: Sequence[str] = ()


@dataclass(frozen=True)
class Vocabulary:
    """The classes of a model, in the order of its outputs."""

    classes: Sequence[ClassName]

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return the classes in the labels file of an export.

        The file is `{"kinds": [[word, ...]], "classes": [...]}`; each class has a `name`, synonyms `also`, and `kinds`
        as indexes of the first list.
        """
        content = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            [
                ClassName(
                    entry["name"],
                    [*entry["also"], *(word for index in entry["kinds"] for word in content["kinds"][index])],
                )
                for entry in content["classes"]
            ]
        )

    def matching(self, words: str) -> frozenset[str]:
        """Return the names of the classes that match `words`, in canonical form.

        Case, punctuation and plural endings are ignored. Words that equal a whole name, synonym or kind (`cat`, `dog`),
        with or without its spaces (`cell phone`), match only the classes that have it; other words match the classes in
        whose terms they occur as a phrase (`egyptian`).

        Raises:
            UnknownLabel: no class matches.
        """
        wanted = canonical(words)
        forms = set(_forms(wanted)) if wanted else set()
        whole = [self._terms[form] for form in forms if form in self._terms]
        whole = whole or [self._joined[joined] for form in forms if (joined := _joined(form)) in self._joined]
        inside = whole or [
            names for term, names in self._terms.items() if any(f" {form} " in f" {term} " for form in forms)
        ]
        if inside:
            return frozenset().union(*inside)
        near = self._suggestions(wanted)
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        raise UnknownLabel(f"No class of the model is called {words!r}.{hint}", near)

    @cached_property
    def _terms(self) -> Mapping[str, frozenset[str]]:
        """The names of the classes by each of their terms, all in canonical form."""
        found: dict[str, set[str]] = {}
        for each in self.classes:
            for term in (each.name, *each.also):
                found.setdefault(canonical(term), set()).add(canonical(each.name))
        return {term: frozenset(names) for term, names in found.items()}

    @cached_property
    def _joined(self) -> Mapping[str, frozenset[str]]:
        """The same by each term without its spaces."""
        found: dict[str, frozenset[str]] = {}
        for term, names in self._terms.items():
            found[_joined(term)] = found.get(_joined(term), frozenset()) | names
        return found

    @cached_property
    def _spellings(self) -> Mapping[str, str]:
        """The usual spelling of each term, by its canonical form."""
        return {canonical(term): term for each in reversed(self.classes) for term in (*each.also, each.name)}

    def _suggestions(self, wanted: str) -> list[str]:
        near = difflib.get_close_matches(wanted, self._spellings, MAX_SUGGESTIONS, MIN_SIMILARITY)
        return [self._spellings[term] for term in near]


@lru_cache(maxsize=16_384)
def canonical(words: str) -> str:
    """Return words in canonical form, case-folded and separated by one space: `Egyptian_cat` becomes `egyptian cat`."""
    return " ".join(_WORD.findall(words.casefold()))


def _joined(words: str) -> str:
    return words.replace(" ", "")


def _forms(words: str) -> Iterator[str]:
    """Yield words unchanged, then with the last one in the plural and in every possible singular."""
    yield words
    yield f"{words}s"
    for plural, singulars in _PLURALS.items():
        if words.endswith(plural):
            yield from (words.removesuffix(plural) + singular for singular in singulars)
