"""Tags: words by which people find images, told by a network or given by people, whose word counts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from shared.domain.limits import MAX_TAG_LENGTH, MAX_TAGS

SEPARATOR: Final = ","
"""Separates tags in a request, and so cannot be part of one."""
_FORBIDDEN: Final = frozenset(f"{SEPARATOR}/\\")


class TagMatch(StrEnum):
    """Whether an image must have any of several tags, or all of them."""

    ANY = "any"
    ALL = "all"


class InvalidTag(ValueError):  # noqa: N818 - a refusal, named as the other refusals
    """A text is no tag; the message is an English sentence."""


class TooManyTags(Exception):  # noqa: N818 - a refusal, named as the other refusals
    """People would have decided on more than `MAX_TAGS` tags of an image."""


def canonical_tag(text: str) -> str:
    """Return a tag in canonical form: in lower case, with single spaces.

    Raises:
        InvalidTag: it is empty or too long, or has control characters, commas or slashes.
    """
    tag = " ".join(text.casefold().split())
    if not tag or len(tag) > MAX_TAG_LENGTH:
        raise InvalidTag(f"A tag has 1 to {MAX_TAG_LENGTH} characters.")
    if not tag.isprintable() or _FORBIDDEN.intersection(tag):
        raise InvalidTag("A tag has neither commas nor slashes nor control characters.")
    return tag


@dataclass(frozen=True, slots=True)
class TagDecisions:
    """What people decided on the tags of an image, whatever a network tells; all in canonical form.

    Attributes:
        added: tags that the image has.
        removed: tags that it does not have.
    """

    added: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed)

    def add(self, tag: str) -> "TagDecisions":
        """Raises TooManyTags."""
        return _limited(TagDecisions(self.added | {tag}, self.removed - {tag}))

    def remove(self, tag: str) -> "TagDecisions":
        """Raises TooManyTags."""
        return _limited(TagDecisions(self.added - {tag}, self.removed | {tag}))

    def merged(self, change: Mapping[str, bool | None]) -> "TagDecisions":
        """Return the decisions after a change of some: whether the image has the tag, or None to forget that.

        Raises:
            TooManyTags: see there.
        """
        tags = {**self.as_mapping(), **change}
        added = frozenset(tag for tag, wanted in tags.items() if wanted)
        removed = frozenset(tag for tag, wanted in tags.items() if wanted is False)
        return _limited(TagDecisions(added, removed)) if change else self

    def as_mapping(self) -> dict[str, bool]:
        """Return of each tag, in order, whether the image has it."""
        return {tag: tag in self.added for tag in sorted(self.added | self.removed)}

    def of(self, things: Sequence[str]) -> tuple[str, ...]:
        """Return the tags of an image in which a network sees `things`: those of people first."""
        told = [word for word in things if word not in self.added and word not in self.removed]
        return (*sorted(self.added), *told)


@dataclass(frozen=True, slots=True)
class TagCounts:
    """How many images of a collection have each tag.

    Attributes:
        images: number of images that were looked at.
        exact: whether these are all; otherwise they are the newest ones.
    """

    counts: Mapping[str, int]
    images: int
    exact: bool


NO_TAGS: Final = TagDecisions()


def has_tags(found: Iterable[str], wanted: frozenset[str], match: TagMatch) -> bool:
    """Return whether an image with the tags `found` has any, or all, of those wanted."""
    if match is TagMatch.ALL:
        return wanted <= frozenset(found)
    return not wanted.isdisjoint(found)


def _limited(decisions: TagDecisions) -> TagDecisions:
    if len(decisions.added) + len(decisions.removed) > MAX_TAGS:
        raise TooManyTags
    return decisions
