"""Show, name, merge and hide persons, and say whose faces are whose."""

from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Query, Response
from starlette.convertors import StringConvertor, register_url_convertor

from functions.api import people_presenters, query_image
from functions.api.auth import ADMIN, BOTH, SEARCH, WRITE, AuthenticatedRoute, KnownCaller
from functions.api.dependencies import Needs, OneCollection, PageCursor
from functions.api.problems import Problem, problem_responses
from functions.api.query_content import query_bytes
from functions.api.routes.collections import NamedCollection
from functions.api.schemas import people
from functions.api.schemas.bodies import IMAGE_BODY
from shared.domain.images import IMAGE_ID_PATTERN
from shared.domain.limits import DEFAULT_PAGE, MAX_PAGE
from shared.domain.people.records import FACE_ID_PATTERN, PERSON_ID_PATTERN
from shared.vision.decode.decoding import SANDBOX, decode


class PersonConvertor(StringConvertor):
    """Takes what may be a person's id, so that other methods of calls such as `suggestions` are refused as such."""

    regex = "(?!(?:suggestions|search|records)(?:/|$))[^/]+"


register_url_convertor("person", PersonConvertor())

router = APIRouter(prefix="/v1", route_class=AuthenticatedRoute, tags=["people"])

SUGGESTED_AT_ONCE: Final = 10

PersonId = Annotated[
    str, Path(description="the person's id", pattern=f"^{PERSON_ID_PATTERN}$", examples=[people.EXAMPLE_PERSON])
]
FaceId = Annotated[
    str, Path(description="the face's id", pattern=f"^{FACE_ID_PATTERN}$", examples=[people.EXAMPLE_FACE])
]
Limit = Annotated[int, Query(ge=1, le=MAX_PAGE, description="maximum number on a page")]


@router.get(
    "/people",
    summary="The persons of a collection",
    responses=problem_responses("invalid-cursor"),
    dependencies=[SEARCH],
)
def list_people(
    services: Needs,
    collection: OneCollection,
    hidden: Annotated[bool, Query(description="those who are hidden, instead of those who are not")] = False,
    limit: Limit = DEFAULT_PAGE,
    cursor: PageCursor = None,
) -> people.PersonPage:
    """Those with a name first, then by their number of faces. Follow `cursor` until it is null."""
    found, following = services.people.page(collection, hidden=hidden, limit=limit, cursor=cursor)
    return people.PersonPage(people=people_presenters.persons(found, services), cursor=following)


@router.patch(
    "/people",
    summary="Hide or show several persons",
    responses=problem_responses("malformed-body", "not-found"),
    dependencies=[BOTH],
)
def change_people(change: people.PeopleChange, services: Needs, collection: OneCollection) -> people.People:
    """Hidden persons are in no list but their own, and are not suggested. Their faces still join them."""
    for person_id in change.people:
        services.people_decisions.hide(collection, person_id, hidden=change.hidden)
    found = [services.people.person(collection, person_id) for person_id in change.people]
    return people.People(people=people_presenters.persons(found, services))


@router.get(
    "/people/suggestions",
    summary="Persons who may be the same",
    responses=problem_responses("invalid-cursor"),
    dependencies=[SEARCH],
)
def list_pairs(
    services: Needs,
    collection: OneCollection,
    limit: Annotated[int, Query(ge=1, le=SUGGESTED_AT_ONCE, description="about how many pairs")] = SUGGESTED_AT_ONCE,
    cursor: PageCursor = None,
) -> people.PairPage:
    """Confirm a pair by merging them, or reject it with `apart`. A page may be empty and still have a next one."""
    pairs, following = services.people.pairs(collection, limit=limit, cursor=cursor)
    return people.PairPage(pairs=people_presenters.pairs(pairs, services), cursor=following)


@router.post(
    "/people/search",
    summary="Who is in a picture",
    responses=problem_responses(
        "malformed-body",
        "not-found",
        "unsupported-media-type",
        "undecodable-picture",
        "unfetchable-url",
        "upload-pending",
        "upload-rejected",
        "faces-unavailable",
    ),
    openapi_extra=IMAGE_BODY,
    dependencies=[SEARCH],
)
def search_people(
    caller: KnownCaller,
    services: Needs,
    collection: OneCollection,
    query: Annotated[query_image.Query, Depends(query_image.read_image)],
) -> people.PeopleAnswer:
    """The faces of the picture, with the person whom each would join, and others whom it may be.

    The picture is sent as for `/v1/search`. Nothing of it is stored.
    """
    if services.face_finder is None:
        raise Problem("faces-unavailable", "This deployment has no networks for faces.")
    SANDBOX.start()
    faces = services.face_finder.find(decode(query_bytes(services, caller, query)).rgb)
    found = services.people.recognise(collection, services.face_finder.face_model, faces)
    return people.PeopleAnswer(faces=people_presenters.recognised(found, services))


@router.get(
    "/people/{person_id:person}", summary="One person", responses=problem_responses("not-found"), dependencies=[SEARCH]
)
def get_person(person_id: PersonId, services: Needs, collection: OneCollection) -> people.Person:
    """Also under an id that was merged into another, whose person is returned."""
    return people_presenters.person(services.people.person(collection, person_id), services)


@router.patch(
    "/people/{person_id:person}",
    summary="Name a person, hide them, or choose their cover",
    responses=problem_responses("malformed-body", "not-found"),
    dependencies=[BOTH],
)
def change_person(
    person_id: PersonId, change: people.PersonChange, services: Needs, collection: OneCollection
) -> people.Person:
    """Only what is given changes; an empty name or cover removes it. All of it outlives the person's images."""
    decisions, given = services.people_decisions, change.model_fields_set
    if "name" in given:
        decisions.rename(collection, person_id, (change.name or "").strip() or None)
    if change.hidden is not None:
        decisions.hide(collection, person_id, hidden=change.hidden)
    if "cover" in given:
        decisions.show_by(collection, person_id, change.cover or None)
    return get_person(person_id, services, collection)


@router.get(
    "/people/{person_id:person}/faces",
    summary="The faces of a person",
    responses=problem_responses("not-found", "invalid-cursor"),
    dependencies=[SEARCH],
)
def list_person_faces(
    person_id: PersonId,
    services: Needs,
    collection: OneCollection,
    limit: Limit = DEFAULT_PAGE,
    cursor: PageCursor = None,
) -> people.FacePage:
    """Follow `cursor` until it is null."""
    found, following = services.people.faces(collection, person_id, limit=limit, cursor=cursor)
    return people.FacePage(faces=people_presenters.faces(found, services), cursor=following)


@router.get(
    "/people/{person_id:person}/suggestions",
    summary="Persons and faces who may be the same as a person",
    responses=problem_responses("not-found"),
    dependencies=[SEARCH],
)
def list_suggestions(person_id: PersonId, services: Needs, collection: OneCollection) -> people.Suggestions:
    """Persons, and faces that belong to nobody, too far to be assigned and near enough to ask: nearest first."""
    near, faces = services.people.suggestions(collection, person_id)
    return people.Suggestions(
        people=people_presenters.near(near, services), faces=people_presenters.faces(faces, services)
    )


@router.post(
    "/people/{person_id:person}/merge",
    summary="Merge a person into another",
    responses=problem_responses("malformed-body", "not-found"),
    dependencies=[BOTH],
)
def merge(person_id: PersonId, wanted: people.Merge, services: Needs, collection: OneCollection) -> people.Person:
    """Returns the other, who has all faces within seconds, but for those that are not them, as somebody said."""
    services.people_merger.merge(collection, person_id, wanted.into)
    return get_person(wanted.into, services, collection)


@router.post(
    "/people/{person_id:person}/unmerge",
    summary="Undo the merge of a person",
    responses=problem_responses("not-found"),
    dependencies=[BOTH],
)
def unmerge(person_id: PersonId, services: Needs, collection: OneCollection) -> people.Person:
    """Returns the person, who gets back the faces that the merge moved within seconds."""
    services.people_merger.unmerge(collection, person_id)
    return get_person(person_id, services, collection)


@router.post(
    "/people/{person_id:person}/apart",
    status_code=204,
    summary="Say that two persons are not the same",
    responses=problem_responses("malformed-body", "not-found"),
    response_class=Response,
    dependencies=[WRITE],
)
def separate(person_id: PersonId, wanted: people.Apart, services: Needs, collection: OneCollection) -> None:
    """It is not suggested again that they are."""
    services.people_decisions.separate(collection, person_id, wanted.person_id)


@router.get(
    "/faces",
    summary="The faces of an image, or those that belong to nobody",
    responses=problem_responses("invalid-cursor"),
    dependencies=[SEARCH],
)
def list_faces(
    services: Needs,
    collection: OneCollection,
    image_id: Annotated[
        str | None, Query(pattern=IMAGE_ID_PATTERN, description="the image; without it, faces without a person")
    ] = None,
    limit: Limit = DEFAULT_PAGE,
    cursor: PageCursor = None,
) -> people.FacePage:
    """All faces of the image on one page. Of those without a person, follow `cursor` until it is null."""
    if image_id:
        found = services.people.of_image(collection, image_id)
        return people.FacePage(faces=people_presenters.faces(found, services), cursor=None)
    found, following = services.people.faces(collection, None, limit=limit, cursor=cursor)
    return people.FacePage(faces=people_presenters.faces(found, services), cursor=following)


@router.put(
    "/faces/{face_id}/person",
    summary="Say who a face is",
    responses=problem_responses("malformed-body", "not-found"),
    dependencies=[BOTH],
)
def confirm(face_id: FaceId, wanted: people.FaceOwner, services: Needs, collection: OneCollection) -> people.Face:
    """Give the id of a person, or the name of a new one. It is kept whatever becomes of the image."""
    name = (wanted.name or "").strip()
    if (wanted.person_id is None) == (not name):
        raise Problem("invalid-request", "Send either `person_id` or `name`.")
    if wanted.person_id:
        services.people_decisions.confirm(collection, face_id, wanted.person_id)
    else:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        services.people_decisions.start(collection, face_id, name, now)
    return people_presenters.face(services.people.face(collection, face_id), services)


@router.delete(
    "/faces/{face_id}/person",
    summary="Say who a face is not",
    responses=problem_responses("not-found"),
    dependencies=[BOTH],
)
def reject(
    face_id: FaceId,
    services: Needs,
    collection: OneCollection,
    person_id: Annotated[
        str | None,
        Query(pattern=f"^{PERSON_ID_PATTERN}$", description="who it is not; by default the person whom it belongs to"),
    ] = None,
) -> people.Face:
    """The face is never assigned to that person again, and another one is looked for."""
    services.people_decisions.reject(collection, face_id, person_id)
    return people_presenters.face(services.people.face(collection, face_id), services)


@router.delete(
    "/collections/{collection}/faces",
    status_code=202,
    summary="Erase all faces and persons of a collection",
    responses=problem_responses(),
    dependencies=[ADMIN],
)
def erase(collection: NamedCollection, services: Needs) -> people.Erased:
    """Turns faces off, and erases what is stored of them for ever: faces, persons, names and all decisions.

    What does not fit into one call is erased within minutes; turn faces on again only after that. The images stay.
    """
    services.collections.set_faces(collection, on=False)
    return people.Erased(faces=services.face_keeper.erase(collection))
