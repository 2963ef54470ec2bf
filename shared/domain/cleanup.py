"""What happens to a picture when an object no longer holds it."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.domain.images import ObjectRef, signature_key, thumbnail_key
from shared.domain.ledger import Holding
from shared.domain.ports import Catalogue, Objects


@dataclass(frozen=True, slots=True)
class Released:
    """How a release ended.

    Attributes:
        gone: the collection no longer has the picture.
        orphans: sources that came meanwhile and find no record, or not every model's vector, one a collection; the
            caller stores the picture again.
    """

    gone: bool
    orphans: Sequence[tuple[str, ObjectRef]] = ()


def release(holding: Holding, *, catalogue: Catalogue, objects: Objects, models: Sequence[str]) -> Released:
    """Remove record and thumbnail of a picture that has no source left, and its signatures once no collection has one.

    Whoever removes reads the sources again afterwards, and whoever adds a source looks for the record afterwards.
    So of two that meet, at least one sees the other. It may be repeated after a crash at any point.
    """
    now = catalogue.occurrences(holding.image_id)
    if not now.of(holding.collection).sources:
        catalogue.hide(holding)
        if not now.sources:
            for model in models:
                objects.delete(signature_key(model, holding.image_id))
        objects.delete(thumbnail_key(holding.collection, holding.image_id))
        now = catalogue.occurrences(holding.image_id)
    orphaned = dict(now.sources)
    if orphaned and all(objects.exists(signature_key(model, holding.image_id)) for model in models):
        orphaned = {
            name: source
            for name, source in orphaned.items()
            if name not in now.collections
            or (len(models) > 1 and not catalogue.described(Holding(name, holding.image_id), models))
        }
    return Released(gone=holding.collection not in now.collections, orphans=tuple(orphaned.items()))
