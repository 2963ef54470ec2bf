"""The classes of a model by the words that people use for them."""

import difflib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Final, Self

SUGGESTIONS: Final = 5
ALIKE: Final = 0.7
"""Least similarity (`difflib.SequenceMatcher.ratio`, 0 to 1) of what is suggested for a misspelt word."""

_WORD: Final = re.compile(r"[^\W_]+")
_PLURALS: Final = {"s": ("",), "es": ("",), "ies": ("y",), "ves": ("f", "fe")}


class UnknownLabel(ValueError):  # noqa: N818
    """No class of the model is called this.

    Attributes:
        suggestions: words that are nearly the same, best first.
    """

    def __init__(self, message: str, suggestions: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.suggestions = suggestions


@dataclass(frozen=True, slots=True)
class ClassName:
    """A class of a network.

    Attributes:
        name: what images are labelled with.
        also: its synonyms, and the kinds of thing that it is.
    """

    name: str
    also: Sequence[str] = ()


@dataclass(frozen=True)
class Vocabulary:
    """The classes of a model, in the order of its outputs."""

    classes: Sequence[ClassName]

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return the classes of an export's labels file: `{"kinds": [[word, ...]], "classes": [...]}`, where each class
        has a `name`, other words `also`, and `kinds` as places in the first list."""
        held = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            [
                ClassName(
                    entry["name"],
                    [*entry["also"], *(word for place in entry["kinds"] for word in held["kinds"][place])],
                )
                for entry in held["classes"]
            ]
        )

    def matching(self, words: str) -> frozenset[str]:
        """Return the names of the classes that `words` mean, as `canonical` writes them.

        Case, punctuation and plural endings do not count. Words that are the whole of a name, a synonym or a kind
        (`cat`, `dog`) mean the classes that have it, and no other; else they mean the classes in which they occur side
        by side (`egyptian`).

        Raises:
            UnknownLabel: there is no such class.
        """
        wanted = canonical(words)
        forms = set(_forms(wanted)) if wanted else set()
        whole = [self._terms[form] for form in forms if form in self._terms]
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
        """Names of classes by everything that they are called, all in canonical form."""
        found: dict[str, set[str]] = {}
        for each in self.classes:
            for term in (each.name, *each.also):
                found.setdefault(canonical(term), set()).add(canonical(each.name))
        return {term: frozenset(names) for term, names in found.items()}

    @cached_property
    def _written(self) -> Mapping[str, str]:
        """Every term as people write it, by its canonical form."""
        return {canonical(term): term for each in reversed(self.classes) for term in (*each.also, each.name)}

    def _suggestions(self, wanted: str) -> list[str]:
        near = difflib.get_close_matches(wanted, self._written, SUGGESTIONS, ALIKE)
        return [self._written[term] for term in near]


@lru_cache(maxsize=16_384)
def canonical(words: str) -> str:
    """Return words in lower case, with one space between: `Egyptian_cat` is `egyptian cat`."""
    return " ".join(_WORD.findall(words.casefold()))


def _forms(words: str) -> Iterator[str]:
    """Yield words as they are, with the last one in the singular by every rule of English, and in the plural."""
    yield words
    yield f"{words}s"
    for plural, singulars in _PLURALS.items():
        if words.endswith(plural):
            yield from (words.removesuffix(plural) + singular for singular in singulars)
