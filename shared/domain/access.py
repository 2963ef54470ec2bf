"""Who may do what: modes, scopes, callers."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from shared.domain.errors import CollectionNeeded, Forbidden
from shared.domain.limits import DEFAULT_COLLECTION


class Access(StrEnum):
    """How the API authenticates callers. `OPEN` admits everyone and is for a run on one's own machine only."""

    KEYS = "keys"
    JWT = "jwt"
    OPEN = "open"


class Scope(StrEnum):
    """`SEARCH` reads, `WRITE` adds and removes images, `ADMIN` implies both."""

    SEARCH = "search"
    WRITE = "write"
    ADMIN = "admin"


EVERY_COLLECTION: Final = "*"


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated caller.

    Attributes:
        name: a key's id or a token's subject, for logs; never a secret.
        collections: the collections that the caller can access; None for all of them.
    """

    name: str
    scopes: frozenset[Scope]
    collections: frozenset[str] | None

    def has(self, scope: Scope) -> bool:
        return scope in self.scopes or Scope.ADMIN in self.scopes

    def can_access(self, collection: str) -> bool:
        return self.collections is None or collection in self.collections

    def may(self, scope: Scope, collection: str) -> bool:
        return self.has(scope) and self.can_access(collection)

    def collection(self, named: str | None) -> str:
        """Return the collection that a call applies to: the one named, else `default`, else the caller's only one.

        Raises:
            Forbidden: the caller cannot access it, whether or not it exists.
            CollectionNeeded: none is named, and the caller can access several but not `default`.
        """
        if named is not None:
            if not self.can_access(named):
                raise Forbidden("The credentials do not allow access to this collection.")
            return named
        if self.can_access(DEFAULT_COLLECTION):
            return DEFAULT_COLLECTION
        match sorted(self.collections or ()):
            case [only]:
                return only
            case []:
                raise Forbidden("The credentials do not allow access to any collection.")
            case several:
                raise CollectionNeeded(f"Name the collection: one of {', '.join(several)}.")

    def reach(self, named: str | None) -> Sequence[str] | None:
        """Return the collections in which a call looks for an id, `default` first; None for all of them.

        Raises:
            Forbidden: the caller cannot access the one named, whether or not it exists.
        """
        if named is not None:
            return (self.collection(named),)
        if self.collections is None:
            return None
        return sorted(self.collections, key=lambda name: (name != DEFAULT_COLLECTION, name))

    def everywhere(self) -> Sequence[str] | None:
        """Return all collections of the caller, for a call that changes all of them; None for every collection.

        Raises:
            Forbidden: the caller lacks the scope `admin`.
        """
        if not self.has(Scope.ADMIN):
            raise Forbidden("The credentials lack the scope admin, which `collections=all` needs.")
        return self.reach(None)


EVERYONE: Final = Caller("anyone", frozenset({Scope.ADMIN}), None)
"""The caller of an open API."""
