"""Remove what is stored of an image that no object holds any more."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.domain.images import ObjectRef, preview_key, signature_key, thumbnail_key
from shared.domain.ledger import ImageKey
from shared.domain.people.faces import Faces
from shared.domain.ports.catalogue import Catalogue
from shared.domain.ports.objects import Objects


@dataclass(frozen=True, slots=True)
class CleanupResult:
    """The result of `collect_garbage`.

    Attributes:
        gone: whether the collection no longer has the image.
        orphans: one source for each collection in which the image has a source but no record, or lacks the vector of a
            model, because the source was added during the removal. The caller must store the image again.
    """

    gone: bool
    orphans: Sequence[tuple[str, ObjectRef]] = ()


def collect_garbage(
    image_key: ImageKey, *, catalogue: Catalogue, objects: Objects, faces: Faces, models: Sequence[str]
) -> CleanupResult:
    """Delete the record, thumbnail and faces of an image without sources, and its signatures if no collection has one.

    A removal reads the sources again after deleting, and whatever adds a source checks the record after adding. So if
    the two run at the same time, at least one of them notices the other. The call may be repeated after a crash at any
    point.
    """
    now = catalogue.occurrences(image_key.image_id)
    if not now.of(image_key.collection).sources:
        catalogue.delete_record(image_key)
        if not now.sources:
            for model in models:
                objects.delete(signature_key(model, image_key.image_id))
        objects.delete(thumbnail_key(image_key.collection, image_key.image_id))
        objects.delete(preview_key(image_key.collection, image_key.image_id))
        faces.remove(image_key.collection, image_key.image_id)
        now = catalogue.occurrences(image_key.image_id)
    orphaned = dict(now.sources)
    if orphaned and all(objects.exists(signature_key(model, image_key.image_id)) for model in models):
        orphaned = {
            name: source
            for name, source in orphaned.items()
            if name not in now.collections
            # A removal, this one or one that found the source of another object, may have deleted its new thumbnail.
            or (name == image_key.collection and not objects.exists(thumbnail_key(name, image_key.image_id)))
            or (len(models) > 1 and not catalogue.described(ImageKey(name, image_key.image_id), models))
        }
    return CleanupResult(gone=image_key.collection not in now.collections, orphans=tuple(orphaned.items()))
