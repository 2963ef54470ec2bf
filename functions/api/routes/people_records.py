"""Move the people of a collection to another one."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Response

from functions.api import people_records
from functions.api.auth import SEARCH, WRITE, AuthenticatedRoute
from functions.api.dependencies import Needs, OneCollection, PageCursor
from functions.api.problems import Problem, problem_responses
from shared.domain.cursors import decode_place, encode_place
from shared.domain.images import IMAGE_ID_PATTERN
from shared.domain.ledger import ImageKey
from shared.domain.limits import DEFAULT_PAGE, MAX_PAGE
from shared.domain.people.moving import FACES_THEN, PERSONS_FIRST, FacesOff
from shared.domain.people.records import PERSON_ID_PATTERN

router = APIRouter(prefix="/v1/people/records", route_class=AuthenticatedRoute, tags=["people"])

_IMAGE: Final = IMAGE_ID_PATTERN.strip("^$")
_PLACE: Final = f"{PERSONS_FIRST}{PERSON_ID_PATTERN}|{FACES_THEN}({_IMAGE})?"


@router.get(
    "",
    summary="What is known of people, to be moved",
    responses=problem_responses("invalid-cursor"),
    dependencies=[SEARCH],
)
def list_records(
    services: Needs,
    collection: OneCollection,
    limit: Annotated[
        int, Query(ge=1, le=MAX_PAGE, description="maximum number of persons, or of images with faces")
    ] = DEFAULT_PAGE,
    cursor: PageCursor = None,
) -> people_records.PeopleRecords:
    """All persons, then the faces that belong to one or of which somebody decided something.

    Also those of images that are in the trash or gone. The numbers by which faces are compared are not there. Follow
    `cursor` until it is null; a page may be empty and still have a next one.
    """
    after = decode_place(cursor, collection, _PLACE) if cursor else None
    persons, faces, following = services.people_mover.page(collection, limit=limit, after=after)
    return people_records.PeopleRecords(
        persons=[people_records.person_record(one) for one in persons],
        faces=[people_records.face_record(one) for one in faces],
        cursor=encode_place(collection, following) if following else None,
    )


@router.post(
    "",
    status_code=204,
    summary="Restore what is known of people",
    responses=problem_responses("malformed-body", "faces-off"),
    response_class=Response,
    dependencies=[WRITE],
)
def restore(wanted: people_records.PeopleRestoration, services: Needs, collection: OneCollection) -> None:
    """Adds persons and whose faces are whose to a collection that has faces on. A repetition changes nothing.

    Faces may be those of images that the collection does not have yet: they get their persons when it does. What
    somebody decided here stays, unless `overwrite` is true; persons here who have no name get the one that is given.
    A merge is made if both persons are there: send all persons first without `into`, then those that were merged,
    those merged into somebody who was merged in turn before the latter.
    """
    try:
        for person in wanted.persons:
            given = people_records.to_person(person, collection)
            services.people_mover.restore_person(given, overwrite=wanted.overwrite)
        for image_id, faces in people_records.to_faces(wanted.faces).items():
            image = ImageKey(collection, image_id)
            services.people_mover.restore_faces(image, faces, overwrite=wanted.overwrite)
    except FacesOff:
        raise Problem("faces-off", f"Turn faces on for the collection {collection} first.") from None
