"""List the near-duplicates of a collection, and act on them."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Response

from functions.api import duplicate_presenters
from functions.api.auth import BOTH, SEARCH, WRITE, AuthenticatedRoute, KnownCaller
from functions.api.dependencies import ImageIdPath, Needs, OneCollection, PageCursor, SeenAs
from functions.api.problems import problem_responses
from functions.api.schemas.duplicates import (
    DecidedPair,
    DecisionPage,
    DuplicateCheckState,
    DuplicateDecision,
    DuplicateGroup,
    DuplicatePage,
    DuplicateResolution,
    KeptImage,
    ResolvedDuplicates,
)
from shared.domain.cursors import encode_group
from shared.domain.errors import NotFound
from shared.domain.limits import DEFAULT_PAGE, MAX_PAGE

router = APIRouter(prefix="/v1/duplicates", tags=["duplicates"], route_class=AuthenticatedRoute)

RESOLVED_AT_ONCE: Final = 24
"""Maximum number of groups that one call resolves."""


@router.get(
    "", summary="Groups of near-duplicates", responses=problem_responses("invalid-cursor"), dependencies=[SEARCH]
)
def list_duplicates(
    services: Needs,
    collection: OneCollection,
    view: SeenAs,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE, description="maximum number of groups")] = DEFAULT_PAGE,
    cursor: PageCursor = None,
) -> DuplicatePage:
    """Images with those that are near-duplicates of them, the best first, with the reason in words.

    Follow `cursor` until it is null; a page may be short and still have a next one. Groups are formed when images are
    indexed, so this call compares nothing and costs little more than a page of a listing.
    """
    page = services.duplicates.page(collection, limit=limit, cursor=cursor)
    groups = [duplicate_presenters.group(found, view) for found in page.groups]
    return DuplicatePage(groups=groups, cursor=page.cursor)


@router.get(
    "/check",
    summary="The progress of comparing a collection again",
    responses=problem_responses("not-found"),
    dependencies=[SEARCH],
)
def check_state(services: Needs, collection: OneCollection) -> DuplicateCheckState:
    """`running` until every image that the collection had has been compared again, then `done`.

    `failed` if it was given up, after the same page failed five times or no vector index was ready for 12 hours. What
    was compared by then stays; start it again.
    """
    found = services.scans.find(collection)
    if found is None:
        raise NotFound("The collection has not been compared again yet.")
    return duplicate_presenters.scan(found)


@router.post(
    "/check",
    status_code=202,
    summary="Compare a collection again",
    responses=problem_responses(),
    dependencies=[WRITE],
)
def check(services: Needs, collection: OneCollection) -> DuplicateCheckState:
    """Compares every image of the collection with its nearest ones again, for example those stored by an older version.

    The ingest function does it, newest first, at the cost of two searches for each image. A check that is running is
    replaced.
    """
    images, _ = services.catalogue.count(collection)
    return duplicate_presenters.scan(services.scans.start(collection, images))


@router.post(
    "/decisions",
    status_code=204,
    summary="Decide on two images",
    responses=problem_responses("malformed-body", "not-found"),
    response_class=Response,
    dependencies=[WRITE],
)
def decide(caller: KnownCaller, wanted: DuplicateDecision, services: Needs) -> None:
    """Remembers for ever, even if they are deleted and uploaded again, that two images are not to be grouped.

    `different`: they are no near-duplicates. `both-kept`: they are, but both are wanted. null forgets it.
    """
    collection = caller.collection(wanted.collection)
    services.groups.decide(collection, wanted.images[0], wanted.images[1], wanted.decision, absent=wanted.absent)


@router.get(
    "/decisions",
    summary="What was decided on pairs of images",
    responses=problem_responses("invalid-cursor"),
    dependencies=[SEARCH],
)
def list_decisions(
    services: Needs,
    collection: OneCollection,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE, description="maximum number of decisions")] = DEFAULT_PAGE,
    cursor: PageCursor = None,
) -> DecisionPage:
    """All decisions of the collection, ordered by the ids of the images. Follow `cursor` until it is null."""
    page = services.duplicates.decided(collection, limit=limit, cursor=cursor)
    decided = [DecidedPair(images=list(one.images), decision=one.decision) for one in page.decided]
    return DecisionPage(decisions=decided, cursor=page.cursor)


@router.post(
    "/resolve",
    summary="Keep one image of each group, and delete the others",
    responses=problem_responses("malformed-body", "invalid-cursor", "not-found"),
    dependencies=[BOTH],
)
def resolve(caller: KnownCaller, wanted: DuplicateResolution, services: Needs) -> ResolvedDuplicates:
    """Moves all but the kept images of groups into the trash, from which they can be restored.

    Each is compared again with those that are kept, and stays if it is no near-duplicate of any of them.

    With `dry_run`, which is the default, nothing is changed, and the answer says what would be. Without `groups`, those
    of the collection are resolved, each with its best image kept; repeat with `cursor` until it is null. A call ends
    once it has compared about 100 images: if the answer has fewer of the named `groups`, send those after them again.

    Needs the scopes `search` and `write`, since it says which images the collection has.
    """
    collection = caller.collection(wanted.collection)
    following = None
    if wanted.groups:
        chosen = [(services.groups.group(collection, group.group_id), group.keep) for group in wanted.groups]
    else:
        page = services.duplicates.page(collection, limit=RESOLVED_AT_ONCE, cursor=wanted.cursor)
        chosen, following = [(group, list[str]()) for group in page.groups], page.cursor
    resolutions = services.groups.resolve_first(chosen, dry_run=wanted.dry_run)
    if not wanted.groups and len(resolutions) < len(chosen):
        following = encode_group(collection, resolutions[-1].group_id)
    return ResolvedDuplicates(
        dry_run=wanted.dry_run,
        groups=[duplicate_presenters.resolution(one) for one in resolutions],
        deleted=sum(len(one.deleted) for one in resolutions),
        cursor=following,
    )


@router.get(
    "/{image_id}",
    summary="The group of an image",
    responses=problem_responses("not-found"),
    dependencies=[SEARCH],
)
def group_of_image(image_id: ImageIdPath, services: Needs, collection: OneCollection, view: SeenAs) -> DuplicateGroup:
    """The group that has the image, or that has this id."""
    return duplicate_presenters.group(services.groups.group(collection, image_id), view)


@router.put(
    "/{image_id}/kept",
    summary="Keep another image of a group",
    responses=problem_responses("malformed-body", "not-found"),
    dependencies=[BOTH],
)
def choose(
    image_id: ImageIdPath, wanted: KeptImage, services: Needs, collection: OneCollection, view: SeenAs
) -> DuplicateGroup:
    """Keeps an image whatever its quality. The group then has its id, and its other images are compared with it.

    Needs the scopes `search` and `write`.
    """
    return duplicate_presenters.group(services.groups.choose(collection, image_id, wanted.image_id), view)
