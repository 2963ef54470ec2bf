"""Faces and persons as text, in which every store keeps them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from shared.domain.people.records import Face, FaceState, Person

_DIGITS: Final = 5
"""Of boxes and scores; the side of an image has fewer pixels."""


def encode_faces(faces: Sequence[Face]) -> str:
    """Return faces as JSON, without what is as usual."""
    return _text([_without_defaults(asdict(face), _FACE) for face in faces])


def decode_faces(text: str) -> tuple[Face, ...]:
    return tuple(
        Face(
            **{
                **_FACE,
                **one,
                "box": tuple(one["box"]),
                "state": FaceState(one.get("state", FaceState.LIVE)),
                "rejected": frozenset(one.get("rejected", ())),
                "former": tuple(one.get("former", ())),
            }
        )
        for one in json.loads(text)
    )


def encode_person(person: Person) -> str:
    """Return a person as JSON, without ids and version, and without what is as usual."""
    fields = {name: value for name, value in asdict(person).items() if name not in _KEY}
    return _text(_without_defaults(fields, _PERSON))


def decode_person(collection: str, person_id: str, version: str, text: str) -> Person:
    fields = json.loads(text)
    sets = {name: frozenset(fields.get(name, ())) for name in ("merged", "apart")}
    return Person(**{"collection": collection, "person_id": person_id, "version": version, **fields, **sets})


_KEY: Final = ("collection", "person_id", "version")
_FACE: Final[Mapping[str, Any]] = {
    name: value
    for name, value in asdict(Face("", "", (0, 0, 0, 0), 0, 0, 0)).items()
    if name not in ("face_id", "face_model", "box", "score", "presence", "eye_distance")
}
_PERSON: Final[Mapping[str, Any]] = asdict(Person("", ""))


def _without_defaults(fields: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in defaults or value != defaults[name]}


def _text(value: Any) -> str:
    return json.dumps(_plain(value), separators=(",", ":"), ensure_ascii=False)


def _plain(value: Any) -> Any:
    match value:
        case dict():
            return {name: _plain(one) for name, one in value.items()}
        case frozenset():
            return sorted(value)
        case list() | tuple():
            return [_plain(one) for one in value]
        case float():
            return round(value, _DIGITS)
    return value
