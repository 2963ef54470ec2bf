"""List, create, name, set and remove collections."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Query, Response

from functions.api.auth import ADMIN, SEARCH, WRITE, AuthenticatedRoute, KnownCaller
from functions.api.dependencies import Needs, PageCursor
from functions.api.problems import Problem, problem_responses
from functions.api.schemas.collections import CollectionChange, CollectionPage, CollectionSettings, CollectionState
from functions.api.services import Services
from shared.domain.collections import CollectionEntry
from shared.domain.events import FaceScan
from shared.domain.images import COLLECTION_PATTERN
from shared.domain.limits import DEFAULT_COLLECTION

router = APIRouter(prefix="/v1/collections", tags=["collections"], route_class=AuthenticatedRoute)

MAX_COLLECTIONS: Final = 50
"""Maximum number of collections on a page; each is counted, at the cost of up to ten reads."""
COUNTING: Final = ThreadPoolExecutor(8, "count")


async def named_collection(
    caller: KnownCaller,
    collection: Annotated[
        str, Path(pattern=COLLECTION_PATTERN, description="name of the collection", examples=[DEFAULT_COLLECTION])
    ],
) -> str:
    return caller.collection(collection)


NamedCollection = Annotated[str, Depends(named_collection)]


@router.get(
    "", summary="The collections of the caller", responses=problem_responses("invalid-cursor"), dependencies=[SEARCH]
)
def list_collections(
    caller: KnownCaller,
    services: Needs,
    limit: Annotated[
        int, Query(ge=1, le=MAX_COLLECTIONS, description="maximum number of collections")
    ] = MAX_COLLECTIONS,
    cursor: PageCursor = None,
) -> CollectionPage:
    """`default` first, then ordered by name, with the number of their images. Follow `cursor` until it is null.

    A key that is limited to some collections sees all of these and no others, whether or not they have been used.
    """
    if caller.collections is not None:
        return CollectionPage(collections=_states(services, _of(services, caller.collections)), cursor=None)
    page = services.collections.page(limit=limit, cursor=cursor)
    entries = [entry for entry in page.entries if entry.name != DEFAULT_COLLECTION]
    if cursor is None:
        entries = [*_of(services, [DEFAULT_COLLECTION]), *entries]
    return CollectionPage(collections=_states(services, entries), cursor=page.cursor)


@router.get("/{collection}", summary="One collection", responses=problem_responses("not-found"), dependencies=[SEARCH])
def get_collection(collection: NamedCollection, services: Needs) -> CollectionState:
    """The number of its images, and whether their faces are found."""
    (state,) = _states(services, _of(services, [collection]))
    if not (state.images or state.created_at or collection == DEFAULT_COLLECTION):
        raise Problem("not-found", f"There is no collection {collection}.")
    return state


@router.put(
    "/{collection}",
    summary="Create or name a collection",
    responses=problem_responses("malformed-body"),
    dependencies=[WRITE],
)
def put_collection(collection: NamedCollection, change: CollectionChange, services: Needs) -> CollectionState:
    """Creates the collection if it does not exist, and sets its title. An upload creates its collection too."""
    (state,) = _states(services, [services.collections.put(collection, (change.title or "").strip() or None)])
    return state


@router.patch(
    "/{collection}",
    summary="Turn faces on or off",
    responses=problem_responses("malformed-body", "faces-unavailable"),
    dependencies=[ADMIN],
)
def change_collection(collection: NamedCollection, change: CollectionSettings, services: Needs) -> CollectionState:
    """With faces on, the faces of all its images are found, those of images that it has already in the background.

    Each is stored as a place in the image and 128 numbers by which faces of one person are near each other. Turning
    faces off finds no more of them; what is stored stays until it is erased. Creates the collection if it does not
    exist.
    """
    if change.faces and services.face_finder is None:
        raise Problem("faces-unavailable", "Set face_model, and deploy again; a local run needs `make faces`.")
    entry = services.collections.set_faces(collection, on=change.faces)
    if change.faces:
        services.messages.find_faces(FaceScan(collection))
    (state,) = _states(services, [entry])
    return state


@router.delete(
    "/{collection}",
    status_code=204,
    summary="Remove an empty collection",
    responses=problem_responses("collection-not-empty"),
    response_class=Response,
    dependencies=[WRITE],
)
def remove_collection(collection: NamedCollection, services: Needs) -> None:
    """Removes the collection from the list. Its images are removed one by one before, and purged from its trash."""
    if not services.trash.is_empty(collection):
        raise Problem("collection-not-empty", f"Restore or purge its deleted images first: {collection} has some.")
    images, _ = services.catalogue.count(collection)
    if images:
        raise Problem("collection-not-empty", f"Remove its images first: {collection} has {images:,} of them.")
    services.collections.remove(collection)


def _of(services: Services, names: Sequence[str] | frozenset[str]) -> list[CollectionEntry]:
    """Return the entries of these collections, ordered by name, whether or not they are registered."""
    ordered = sorted(names)
    known = {
        entry.name: entry
        for at in range(0, len(ordered), 100)
        for entry in services.collections.find(ordered[at : at + 100])
    }
    return [known.get(name, CollectionEntry(name)) for name in ordered]


def _states(services: Services, entries: Sequence[CollectionEntry]) -> list[CollectionState]:
    counts = COUNTING.map(services.catalogue.count, [entry.name for entry in entries])
    return [
        CollectionState(
            collection=entry.name,
            title=entry.title,
            images=images,
            exact=exact,
            created_at=entry.created_at,
            faces=entry.faces,
        )
        for entry, (images, exact) in zip(entries, counts, strict=True)
    ]
