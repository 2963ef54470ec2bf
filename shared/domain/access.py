"""Who may do what: modes, scopes, callers."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from shared.domain.errors import CollectionNeeded, Forbidden
from shared.domain.limits import DEFAULT_COLLECTION


class Access(StrEnum):
    """How the API learns who calls. `OPEN` lets everyone in and is for one's own machine only."""

    KEYS = "keys"
    JWT = "jwt"
    OPEN = "open"


class Scope(StrEnum):
    """`SEARCH` reads, `WRITE` brings and removes images, `ADMIN` implies both."""

    SEARCH = "search"
    WRITE = "write"
    ADMIN = "admin"


EVERY_COLLECTION: Final = "*"


@dataclass(frozen=True, slots=True)
class Caller:
    """Someone whose right to call has been checked.

    Attributes:
        name: a key's id or a token's subject, for logs; never a secret.
        collections: the only ones that exist for this caller, or None for every one.
    """

    name: str
    scopes: frozenset[Scope]
    collections: frozenset[str] | None

    def has(self, scope: Scope) -> bool:
        return scope in self.scopes or Scope.ADMIN in self.scopes

    def sees(self, collection: str) -> bool:
        return self.collections is None or collection in self.collections

    def may(self, scope: Scope, collection: str) -> bool:
        return self.has(scope) and self.sees(collection)

    def collection(self, named: str | None) -> str:
        """The one collection that a call is about: the one named, else `default`, else the caller's only one.

        Raises:
            Forbidden: it is not the caller's, whether or not it exists.
            CollectionNeeded: none is named and the caller has several, `default` not among them.
        """
        if named is not None:
            if not self.sees(named):
                raise Forbidden("The credentials do not reach the collection that was named.")
            return named
        if self.sees(DEFAULT_COLLECTION):
            return DEFAULT_COLLECTION
        match sorted(self.collections or ()):
            case [only]:
                return only
            case []:
                raise Forbidden("The credentials reach no collection.")
            case several:
                raise CollectionNeeded(f"Name a collection, one of {', '.join(several)}.")

    def reach(self, named: str | None) -> Sequence[str] | None:
        """The collections that a call about an id looks into, `default` first; None for every one.

        Raises:
            Forbidden: the one named is not the caller's, whether or not it exists.
        """
        if named is not None:
            return (self.collection(named),)
        if self.collections is None:
            return None
        return sorted(self.collections, key=lambda name: (name != DEFAULT_COLLECTION, name))

    def everywhere(self) -> Sequence[str] | None:
        """Every collection of the caller, for what is to be done in all of them at once; None for every one.

        Raises:
            Forbidden: the scope `admin` is missing.
        """
        if not self.has(Scope.ADMIN):
            raise Forbidden("The credentials lack the scope admin, which `collections=all` needs.")
        return self.reach(None)


EVERYONE: Final = Caller("anyone", frozenset({Scope.ADMIN}), None)
"""The caller of an open API."""
