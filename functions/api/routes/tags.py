"""List the tags of a collection."""

from fastapi import APIRouter

from functions.api.auth import SEARCH, AuthenticatedRoute
from functions.api.dependencies import Needs, OneCollection
from functions.api.problems import problem_responses
from functions.api.schemas.collections import TagCount, TagList

router = APIRouter(prefix="/v1/tags", tags=["tags"], route_class=AuthenticatedRoute)


@router.get("", summary="The tags of a collection", responses=problem_responses(), dependencies=[SEARCH])
def list_tags(services: Needs, collection: OneCollection) -> TagList:
    """With the number of images that have each, the most frequent first.

    Tags are what people gave to images, and everyday words for what the network sees in them. In a deployment, the
    newest 30,000 images or so are counted, and `exact` is false if there are more.
    """
    found = services.catalogue.tag_counts(collection)
    ordered = sorted(found.counts.items(), key=lambda entry: (-entry[1], entry[0]))
    return TagList(
        tags=[TagCount(tag=tag, images=images) for tag, images in ordered],
        images=found.images,
        exact=found.exact,
    )
