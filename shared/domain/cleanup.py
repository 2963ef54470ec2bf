"""What happens to an image when an object no longer holds it."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.domain.images import ObjectRef, signature_key, thumbnail_key
from shared.domain.ledger import ImageKey
from shared.domain.ports import Catalogue, Objects


@dataclass(frozen=True, slots=True)
class CleanupResult:
    """How a release ended.

    Attributes:
        gone: the collection no longer has the image.
        orphans: sources that came meanwhile and find no record, or not every model's vector, one a collection; the
            caller stores the image again.
    """

    gone: bool
    orphans: Sequence[tuple[str, ObjectRef]] = ()


def collect_garbage(
    image_key: ImageKey, *, catalogue: Catalogue, objects: Objects, models: Sequence[str]
) -> CleanupResult:
    """Remove record and thumbnail of an image that has no source left, and its signatures once no collection has one.

    Whoever removes reads the sources again afterwards, and whoever adds a source looks for the record afterwards.
    So of two that meet, at least one sees the other. It may be repeated after a crash at any point.
    """
    now = catalogue.occurrences(image_key.image_id)
    cleared = not now.of(image_key.collection).sources
    if cleared:
        catalogue.delete_record(image_key)
        if not now.sources:
            for model in models:
                objects.delete(signature_key(model, image_key.image_id))
        objects.delete(thumbnail_key(image_key.collection, image_key.image_id))
        now = catalogue.occurrences(image_key.image_id)
    orphaned = dict(now.sources)
    if orphaned and all(objects.exists(signature_key(model, image_key.image_id)) for model in models):
        orphaned = {
            name: source
            for name, source in orphaned.items()
            if name not in now.collections
            or (cleared and name == image_key.collection)  # the thumbnail that came with it may just have been removed
            or (len(models) > 1 and not catalogue.described(ImageKey(name, image_key.image_id), models))
        }
    return CleanupResult(gone=image_key.collection not in now.collections, orphans=tuple(orphaned.items()))
