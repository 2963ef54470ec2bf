"""Find a person under the ids that it had before merges, and try changes again that others were faster than."""

from collections.abc import Callable
from typing import Final, TypeVar

from shared.domain.errors import NotFound
from shared.domain.ledger import ConflictError
from shared.domain.people.ports import PeopleStore
from shared.domain.people.records import Face, Person

ATTEMPTS: Final = 8
MAX_MERGES: Final = 50
"""Maximum number of merges, each into the next person, that are followed."""

T = TypeVar("T")


def repeated(change: Callable[[], T]) -> T:
    """Return the result of a change that reads what it changes; it is tried again if somebody else was faster.

    Raises:
        ConflictError: it failed in every attempt.
    """
    for _ in range(ATTEMPTS - 1):
        try:
            return change()
        except ConflictError:
            continue
    return change()


def resolve(store: PeopleStore, collection: str, person_id: str) -> Person | None:
    """Return the person that an id stands for now; None if there is none."""
    for _ in range(MAX_MERGES):
        person = store.person(collection, person_id)
        if person is None or person.into is None:
            return person
        person_id = person.into
    return None


def existing_person(store: PeopleStore, collection: str, person_id: str) -> Person:
    """Return the person that an id stands for now.

    Raises:
        NotFound: there is none.
    """
    person = resolve(store, collection, person_id)
    if person is None:
        raise NotFound("There is no person with this id.")
    return person


def home(store: PeopleStore, collection: str, face: Face) -> tuple[Person, tuple[str, ...]] | None:
    """Return the person that a face belongs to by what it was and by the merges since, but for those undone.

    Returns:
        The person, and those from which merges have moved the face there; None if the person is gone.
    """
    belongs = face.person or face.recalled
    if belongs is None:
        return None
    path = (*face.former, belongs)
    for number, following in enumerate(path[1:]):
        person = store.person(collection, path[number])
        if person and person.into != following:
            return _followed(store, person, path[:number])
    person = store.person(collection, belongs)
    return _followed(store, person, face.former) if person else None


def _followed(store: PeopleStore, person: Person, former: tuple[str, ...]) -> tuple[Person, tuple[str, ...]] | None:
    """Return the person that another was merged into, and the former persons with those passed on the way."""
    for _ in range(MAX_MERGES):
        if person.into is None:
            return person, former
        former = (*former, person.person_id)
        following = store.person(person.collection, person.into)
        if following is None:
            return None
        person = following
    return None


def is_barred(face: Face, person: Person) -> bool:
    """Return whether somebody said that a face is not this person, or one that was merged into it."""
    return not face.rejected.isdisjoint(person.known_as)
