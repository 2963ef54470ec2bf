"""Signatures of another model are kept for as long as their image can be restored."""

from pathlib import Path
from typing import Any

from infra.local.model_change import ModelChange
from shared.domain.images import ObjectRef, signature_key
from shared.domain.ledger import ImageKey
from shared.embedded.catalogue import EmbeddedCatalogue
from shared.embedded.links import Links
from shared.embedded.migrations import open_database
from shared.embedded.objects import BUCKET, FolderObjects
from shared.embedded.queue import Queue
from shared.embedded.trash import EmbeddedTrash
from tests.contract.stores.conftest import make_image


def test_signatures_of_trashed_images_are_kept_until_they_are_purged(tmp_path: Path) -> None:
    database = open_database(tmp_path / "db")
    objects = FolderObjects(tmp_path / "objects", database, Queue(database), Links(database, lambda: "http://x"))
    no_search: Any = None
    catalogue, trash = EmbeddedCatalogue(database, no_search), EmbeddedTrash(database)
    images = [make_image("c", model="old").record for _ in range(3)]
    shown, trashed, purged = (ImageKey("c", record.image_id) for record in images)
    for record in images:
        image = make_image("c", model="old", image_id=record.image_id)
        catalogue.add(image, ObjectRef(BUCKET, record.image_id))
        objects.write(signature_key("old", record.image_id), b"signature", "application/octet-stream")
    trash.put(trashed, "2026-11-28T12:00:00.000000+00:00")
    catalogue.delete_record(purged)
    ModelChange(database, objects, "new").sweep()
    assert [objects.exists(signature_key("old", key.image_id)) for key in (shown, trashed, purged)] == [
        True,
        True,
        False,
    ]
