"""Convert faces and persons to response models."""

from collections.abc import Sequence

from functions.api import people_finder
from functions.api.schemas import people
from functions.api.schemas.common import Box
from functions.api.services import Services
from shared.domain.images import THUMBNAIL_TYPE, thumbnail_key
from shared.domain.people.records import image_of

DIGITS = 4


def face(shown: people_finder.ShownFace, services: Services) -> people.Face:
    found = shown.face
    image_id = image_of(found.face_id)
    return people.Face(
        face_id=found.face_id,
        image_id=image_id,
        collection=shown.collection,
        box=box(found.box),
        score=round(found.score, DIGITS),
        eye_distance=round(found.eye_distance, 1),
        person_id=found.person,
        confirmed=found.confirmed,
        thumbnail_url=services.objects.lasting_link(thumbnail_key(shown.collection, image_id), THUMBNAIL_TYPE),
    )


def faces(found: Sequence[people_finder.ShownFace], services: Services) -> list[people.Face]:
    return [face(one, services) for one in found]


def person(shown: people_finder.ShownPerson, services: Services) -> people.Person:
    found = shown.person
    cover = people_finder.ShownFace(found.collection, shown.cover) if shown.cover else None
    return people.Person(
        person_id=found.person_id,
        collection=found.collection,
        name=found.name,
        hidden=found.hidden,
        faces=found.faces,
        cover=face(cover, services) if cover else None,
        merged=sorted(found.merged),
        created_at=found.created_at,
    )


def persons(found: Sequence[people_finder.ShownPerson], services: Services) -> list[people.Person]:
    return [person(one, services) for one in found]


def near(found: Sequence[people_finder.NearPerson], services: Services) -> list[people.NearPerson]:
    return [
        people.NearPerson(person=person(one.person, services), distance=round(one.distance, DIGITS)) for one in found
    ]


def pairs(found: Sequence[people_finder.Pair], services: Services) -> list[people.Pair]:
    return [people.Pair(person=person(one.person, services), other=near([one.other], services)[0]) for one in found]


def recognised(found: Sequence[people_finder.Recognised], services: Services) -> list[people.QueryFace]:
    return [
        people.QueryFace(
            box=box(one.face.box),
            score=round(one.face.score, DIGITS),
            person=person(one.person, services) if one.person else None,
            near=near(one.near, services),
        )
        for one in found
    ]


def box(sides: tuple[float, float, float, float]) -> Box:
    """Return a box, kept within the image."""
    left, top, width, height = sides
    left, top = min(max(left, 0.0), 1.0), min(max(top, 0.0), 1.0)
    return Box(
        left=round(left, DIGITS),
        top=round(top, DIGITS),
        width=round(min(width, 1 - left), DIGITS),
        height=round(min(height, 1 - top), DIGITS),
    )
