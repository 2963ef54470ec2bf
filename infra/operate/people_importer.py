"""Restore who is in the images of an exported collection, before the images are sent."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final

from infra.operate.collection_client import ChangeRefused, CollectionClient
from infra.operate.collection_folder import CollectionFolder, Contents
from infra.operate.manifest_lines import PersonLine
from infra.operate.parallel import in_parallel

PERSONS_AT_ONCE: Final = 50
FACES_AT_ONCE: Final = 50
"""In one call, which must end within the 30 s of API Gateway: each image is one transaction."""


class PeopleImporter:
    """Imports the people of one folder.

    The target stores whose a face will be before it has the image; when it finds the face, in that place, it follows.

    Args:
        overwrite: replace what somebody decided in the target.
    """

    def __init__(self, client: CollectionClient, folder: CollectionFolder, *, parallel: int, overwrite: bool) -> None:
        self._client = client
        self._folder = folder
        self._parallel = parallel
        self._overwrite = overwrite

    def restore(self, contents: Contents) -> Iterator[str]:
        """Turn faces on, and restore persons and faces; yield a sentence if that cannot be."""
        if not contents.about.faces:
            return
        try:
            self._client.turn_faces_on()
        except ChangeRefused as refused:
            yield f"People and faces were not imported: {refused}"
            return
        self._send({"persons": lines} for lines in _chunks(_without_merges(contents.persons), PERSONS_AT_ONCE))
        for lines in _chunks(_merged(contents.persons), PERSONS_AT_ONCE):
            self._restore({"persons": lines})  # one after the other: their order counts
        faces = (line.model_dump(exclude={"type"}) for line in self._folder.faces())
        self._send({"faces": lines} for lines in _chunks(faces, FACES_AT_ONCE))

    def _send(self, parts: Iterable[dict[str, Any]]) -> None:
        for _ in in_parallel(self._restore, parts, self._parallel, stop=self._client.stop):
            pass

    def _restore(self, part: dict[str, Any]) -> None:
        self._client.restore_people({**part, "overwrite": self._overwrite})


def _without_merges(persons: Sequence[PersonLine]) -> Iterator[dict[str, Any]]:
    return (one.model_dump(exclude={"type"}) | {"into": None} for one in persons)


def _merged(persons: Sequence[PersonLine]) -> Iterator[dict[str, Any]]:
    """Yield those that were merged, each before the person that it was merged into."""
    into = {one.person_id: one.into for one in persons}

    def depth(one: PersonLine) -> int:
        passed, following = {one.person_id}, one.into
        while following and following not in passed:
            passed.add(following)
            following = into.get(following)
        return len(passed)

    merged = sorted((one for one in persons if one.into), key=depth, reverse=True)
    return (one.model_dump(exclude={"type"}) for one in merged)


def _chunks(items: Iterable[dict[str, Any]], size: int) -> Iterator[list[dict[str, Any]]]:
    remaining = iter(items)
    while chunk := list(islice(remaining, size)):
        yield chunk
