"""What callers note about an image: an id of their own, a note, a few named strings, tags, and that they like it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import EllipsisType
from typing import Final

from shared.domain.limits import MAX_FIELDS
from shared.domain.tags import NO_TAGS, TagDecisions

KEEP: Final = ...
"""Stands for a value that a change leaves as it is."""


@dataclass(frozen=True, slots=True)
class Annotations:
    """The annotations of one image in one collection; they say nothing about its pixels.

    Attributes:
        external_id: the caller's id of the image.
        fields: at most `MAX_FIELDS` values by name.
        favourite: whether it is one of the favourites of the collection.
        tags: decisions on its tags; they outlive the image, and hold again if it comes back.
    """

    external_id: str | None = None
    note: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    favourite: bool = False
    tags: TagDecisions = NO_TAGS

    def __bool__(self) -> bool:
        return bool(self.external_id or self.note or self.fields or self.favourite or self.tags)


NO_ANNOTATIONS: Final = Annotations()


@dataclass(frozen=True, slots=True)
class AnnotationChange:
    """A change of annotations in the manner of a JSON merge patch (RFC 7396): None removes a value."""

    external_id: str | EllipsisType | None = KEEP
    note: str | EllipsisType | None = KEEP
    fields: Mapping[str, str | None] = field(default_factory=dict)
    favourite: bool | EllipsisType | None = KEEP
    tags: Mapping[str, bool | None] = field(default_factory=dict)
    """Of each tag whether the image has it, or None if nobody decides that any more."""

    def apply(self, before: Annotations) -> Annotations:
        """Return the changed annotations.

        Raises:
            TooManyFields: they would have more than `MAX_FIELDS` fields.
            TooManyTags: see `TagDecisions`.
        """
        merged = {**before.fields, **self.fields}
        fields = {name: value for name, value in merged.items() if value is not None}
        if len(fields) > MAX_FIELDS:
            raise TooManyFields
        return replace(
            before,
            external_id=before.external_id if self.external_id is KEEP else self.external_id or None,
            note=before.note if self.note is KEEP else self.note or None,
            fields=fields,
            favourite=before.favourite if self.favourite is KEEP else bool(self.favourite),
            tags=before.tags.merged(self.tags),
        )


@dataclass(frozen=True, slots=True)
class TagChange:
    """A decision on a tag, in canonical form."""

    tag: str
    wanted: bool

    def apply(self, before: Annotations) -> Annotations:
        """Return the changed annotations.

        Raises:
            TooManyTags: see `TagDecisions`.
        """
        tags = before.tags.add(self.tag) if self.wanted else before.tags.remove(self.tag)
        return replace(before, tags=tags)


class TooManyFields(Exception):  # noqa: N818 - a refusal, named as the other refusals
    """An image would have more than `MAX_FIELDS` fields."""
