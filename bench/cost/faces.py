"""What the faces of an image cost, beside the image: counted from the items and calls that the program makes."""

from typing import Any, Final

import numpy as np

from bench.cost.use import GB, TABLE_SECONDS, VECTOR_SECONDS, Use
from infra import prices
from shared.aws.dynamodb import people_items
from shared.domain.ledger import ImageKey
from shared.domain.people.faces import FACE_DIMENSIONS
from shared.domain.people.records import Change, Face, ImageFaces, Person, face_id

Lines = dict[str, float]

SECONDS: Final = {0: 0.030, 1: 0.055, 10: 0.123}
"""Of a processor, to look for the faces of an image that has so many, and to describe those: `make bench-faces`."""
FACES_EXAMINED_BYTES: Final = 100_000
"""Of one search among faces, at most 50 results of 128 dimensions: taken, as `EXAMINED_BYTES` was."""
SEARCHES: Final = 2
"""Of each face: its own, and about one neighbour that is looked at again."""
TASK_REQUESTS: Final = 3
"""A message is sent, received and deleted."""
TRANSACTED: Final = 2
"""Times as many units as of a plain write: https://aws.amazon.com/dynamodb/pricing/on-demand/"""
CHECKED: Final = 2
"""Conditions of the transaction that stores faces, on the record and on the collection."""
READS_TO_LOOK: Final = 9
"""Units: whether faces are on (twice), the record (twice, of up to three units each) and the faces that are stored."""
READS_OF_A_TASK: Final = 7
READS_OF_A_FACE: Final = 6
"""A task reads the record and the faces; of each face its vector, persons near it, and the faces of its neighbours."""


def write_units(faces: int) -> float:
    """Return the units that the faces of an image take: they are stored, and each is given its person."""
    image = ImageKey("default", "0" * 64)
    rng = np.random.default_rng(0)
    found = [
        Face(
            face_id(image.image_id, "dlib-resnet-v1-f16", at),
            "dlib-resnet-v1-f16",
            (0.1234, 0.2345, 0.1, 0.2),
            0.91234,
            0.99999,
            61.23,
        )
        for at in range(faces)
    ]
    vectors = {face.face_id: rng.normal(0, 0.12, FACE_DIMENSIONS).astype(np.float32) for face in found}
    stored = ImageFaces(image, tuple(found), "v" * 32)
    person = Person("default", "a" * 32, faces=12, sample=found[0].face_id if found else None, version="v" * 32)
    changes = [(Change(ImageFaces(image), stored), vectors)] if faces else []
    for face in found:
        assigned = stored.with_face(Face(**{**_fields(face), "person": person.person_id}))
        changes += [(Change(stored, assigned), {}), (Change(person, person.joined_by(face.face_id)), {})]
    writes = [write for change, known in changes for write in people_items.writes(change, known)]
    return TRANSACTED * sum(_units(write) for write in writes)


def looking(use: Use, images: float, faces: int) -> Lines:
    """Everything that images with so many faces cost more in a collection that has faces on."""
    vector_bytes = 4 * FACE_DIMENSIONS + 300
    task_seconds = (READS_OF_A_TASK + faces * READS_OF_A_FACE) * TABLE_SECONDS / 2 + faces * SEARCHES * VECTOR_SECONDS
    seconds = SECONDS[faces] + (task_seconds if faces else 0)
    reads = READS_TO_LOOK + (READS_OF_A_TASK + faces * READS_OF_A_FACE if faces else 0)
    checked = CHECKED if faces else 0
    each = {
        "Lambda: computing": seconds * use.ingest_gb * prices.LAMBDA_GB_SECOND,
        "DynamoDB: records": reads * prices.TABLE_READ
        + (write_units(faces) + TRANSACTED * checked) * prices.TABLE_WRITE,
        "DynamoDB: vectors": faces * vector_bytes / GB * prices.VECTOR_WRITE_GB
        + faces * SEARCHES * FACES_EXAMINED_BYTES / GB * prices.VECTOR_SEARCH_GB,
        "SQS and events": (TASK_REQUESTS * prices.SQS_FIFO_REQUEST + prices.BUS_EVENT) if faces else 0.0,
    }
    return {name: images * dollars for name, dollars in each.items()}


def _fields(face: Face) -> dict[str, Any]:
    return {name: getattr(face, name) for name in Face.__dataclass_fields__}


def _units(write: dict[str, Any]) -> int:
    """Return the units of a write; a deletion is counted as one."""
    item = write["Put"]["Item"] if "Put" in write else {}
    return max(1, -(-sum(len(name) + _bytes(value) for name, value in item.items()) // 1024))


def _bytes(value: dict[str, Any]) -> int:
    """Return the size of a text, a whole number or a list of these, as DynamoDB counts it.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """
    [(kind, content)] = value.items()
    if kind == "L":
        return 3 + sum(1 + _bytes(each) for each in content)
    return -(-len(content.lstrip("-")) // 2) + 1 + content.startswith("-") if kind == "N" else len(content)
