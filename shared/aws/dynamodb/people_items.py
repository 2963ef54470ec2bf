"""Items of faces and persons.

The faces of an image are one item, `faces#<collection>#<first two digits of the image's id>` with `image#<image_id>`,
and each has an item `vector#<face_id>` next to it, which is in the vector index while it has `collection`. A
collection's persons, `person#<person_id>`, and one link to each live face, `face#<person_id>#<face_id>`, are in the
partition `people#<collection>`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from uuid import uuid4

import numpy as np

from shared.domain.features import require_finite
from shared.domain.ledger import ImageKey
from shared.domain.people.codec import decode_faces, decode_person, encode_faces, encode_person
from shared.domain.people.faces import FaceVector
from shared.domain.people.records import Change, Face, FaceState, ImageFaces, Person, image_of
from shared.domain.table_schema import FACE_ATTRIBUTE, LISTING_PARTITION

Item = Mapping[str, Any]
FACE_SCALE: Final = 10_000
"""The integer that a component of 1 is stored as. Distances are multiplied by it too."""
PERSON_PREFIX: Final = "person#"
_FACES, _PEOPLE, _IMAGE, _VECTOR, _LINK = "faces#", "people#", "image#", "vector#", "face#"
_NOBODY: Final = "-"
"""In place of a person, in the links to faces without one."""


def people_partition(collection: str) -> dict[str, Any]:
    return {"S": _PEOPLE + collection}


def faces_partitions(collection: str) -> Iterator[dict[str, Any]]:
    """Yield every partition with faces of a collection."""
    return (_partition(collection, f"{number:02x}") for number in range(256))


def images_after(collection: str, image_id: str | None) -> Iterator[tuple[dict[str, Any], str, str]]:
    """Yield each partition that may have faces of later images, with its first and its last possible sort key."""
    for number in range(int(image_id[:2], 16) if image_id else 0, 256):
        digits = f"{number:02x}"
        begun = image_id is not None and image_id.startswith(digits)
        yield _partition(collection, digits), _IMAGE + (f"{image_id}~" if begun else ""), f"{_IMAGE}~"


def _partition(collection: str, image_id: str) -> dict[str, Any]:
    return {"S": f"{_FACES}{collection}#{image_id[:2]}"}


def faces_key(image: ImageKey) -> dict[str, Any]:
    return {"pk": _partition(image.collection, image.image_id), "sk": {"S": _IMAGE + image.image_id}}


def vector_key(collection: str, face_id: str) -> dict[str, Any]:
    return {"pk": _partition(collection, image_of(face_id)), "sk": {"S": _VECTOR + face_id}}


def person_key(collection: str, person_id: str) -> dict[str, Any]:
    return {"pk": people_partition(collection), "sk": {"S": PERSON_PREFIX + person_id}}


def link_prefix(person_id: str | None) -> str:
    return f"{_LINK}{person_id or _NOBODY}#"


def is_faces(item: Item) -> bool:
    return bool(item["sk"]["S"].startswith(_IMAGE))


def to_faces(item: Item) -> ImageFaces:
    collection = item["pk"]["S"].split("#")[1]
    image = ImageKey(collection, item["sk"]["S"].removeprefix(_IMAGE))
    return ImageFaces(image, decode_faces(item["faces"]["S"]), item["version"]["S"])


def to_person(item: Item) -> Person:
    collection, person_id = item["pk"]["S"].removeprefix(_PEOPLE), item["sk"]["S"].removeprefix(PERSON_PREFIX)
    return decode_person(collection, person_id, item["version"]["S"], item["record"]["S"])


def to_numbers(vector: FaceVector) -> list[dict[str, str]]:
    """Return a vector as DynamoDB numbers.

    Raises:
        PictureRefused: see `shared.domain.features.require_finite`.
    """
    return [{"N": str(value)} for value in np.rint(require_finite(vector) * FACE_SCALE).astype(int).tolist()]


def to_vector(item: Item) -> tuple[str, FaceVector]:
    numbers = [float(number["N"]) for number in item[FACE_ATTRIBUTE]["L"]]
    return item["face_id"]["S"], (np.array(numbers) / FACE_SCALE).astype(np.float32)


def writes(change: Change, vectors: Mapping[str, FaceVector]) -> Iterator[dict[str, Any]]:
    """Yield the writes of a transaction that make a change."""
    before, after = change.before, change.after
    if isinstance(before, Person):
        content = {"record": {"S": encode_person(after)}} if isinstance(after, Person) else None
        yield _replace(person_key(before.collection, before.person_id), before.version, content)
        return
    faces = after.faces if isinstance(after, ImageFaces) else ()
    yield _replace(faces_key(before.image), before.version, {"faces": {"S": encode_faces(faces)}} if faces else None)
    yield from _links(before.image.collection, before.faces, faces)
    yield from _vectors(before, faces, vectors)


def _replace(key: dict[str, Any], version: str, content: dict[str, Any] | None) -> dict[str, Any]:
    condition: dict[str, Any] = (
        {"ConditionExpression": "version = :version", "ExpressionAttributeValues": {":version": {"S": version}}}
        if version
        else {"ConditionExpression": "attribute_not_exists(pk)"}
    )
    if content is None:
        return {"Delete": {"Key": key, **condition}}
    return {"Put": {"Item": key | content | {"version": {"S": uuid4().hex}}, **condition}}


def _links(collection: str, before: Sequence[Face], after: Sequence[Face]) -> Iterator[dict[str, Any]]:
    old = {link_prefix(face.person) + face.face_id for face in before if face.is_live}
    new = {link_prefix(face.person) + face.face_id for face in after if face.is_live}
    for link in sorted(old ^ new):
        key = {"pk": people_partition(collection), "sk": {"S": link}}
        yield {"Put": {"Item": key}} if link in new else {"Delete": {"Key": key}}


def _vectors(before: ImageFaces, faces: Sequence[Face], vectors: Mapping[str, FaceVector]) -> Iterator[dict[str, Any]]:
    collection = before.image.collection
    old = {face.face_id: face.state for face in before.faces}
    new = {face.face_id: face for face in faces}
    for face_id in sorted(old.keys() | new.keys()):
        state = new[face_id].state if face_id in new else FaceState.GONE
        if state is old.get(face_id, FaceState.GONE):
            continue
        key, shown = vector_key(collection, face_id), state is FaceState.LIVE
        if state is FaceState.GONE:
            yield {"Delete": {"Key": key}}
        elif face_id in vectors:
            yield {
                "Put": {
                    "Item": {
                        **key,
                        **({LISTING_PARTITION: {"S": collection}} if shown else {}),
                        "face_id": {"S": face_id},
                        "face_model": {"S": new[face_id].face_model},
                        FACE_ATTRIBUTE: {"L": to_numbers(vectors[face_id])},
                    }
                }
            }
        else:
            values = {"ExpressionAttributeValues": {":collection": {"S": collection}}} if shown else {}
            yield {
                "Update": {
                    "Key": key,
                    "UpdateExpression": "SET #collection = :collection" if shown else "REMOVE #collection",
                    "ConditionExpression": "attribute_exists(pk)",
                    "ExpressionAttributeNames": {"#collection": LISTING_PARTITION},
                    **values,
                }
            }
