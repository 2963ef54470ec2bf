"""Signatures of another model are kept for as long as their image can be restored."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infra.local import commands
from infra.local.data_folder import DATABASE_FILE
from infra.local.model_change import ModelChange
from shared.domain.errors import PictureRefused
from shared.domain.images import ObjectRef, signature_key
from shared.domain.ledger import ImageKey
from shared.embedded.catalogue import EmbeddedCatalogue
from shared.embedded.links import Links
from shared.embedded.migrations import open_database
from shared.embedded.objects import BUCKET, FolderObjects
from shared.embedded.queue import Queue
from shared.embedded.refusals import EmbeddedRefusals
from shared.embedded.trash import EmbeddedTrash
from tests.contract.stores.conftest import make_image


def test_images_that_the_model_could_not_describe_are_listed_until_it_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    database = open_database(tmp_path / DATABASE_FILE)
    no_search: Any = None
    catalogue, refusals = EmbeddedCatalogue(database, no_search), EmbeddedRefusals(database)
    image = make_image("c", model="old")
    key = ImageKey("c", image.record.image_id)
    catalogue.add(image, ObjectRef(BUCKET, "k"))
    refusals.put(key, "new", PictureRefused("undescribable", "It has no\x1b features."))
    refusals.put(replace(key, image_id="f" * 64), "new", PictureRefused("gone", "It was removed."))
    assert commands.main(["refusals", "--data", str(tmp_path)]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith(f"c  {key.image_id}  ")
    assert second == "    new: It has no\\x1b features. (undescribable)"
    catalogue.add_secondary(make_image("c", model="new", image_id=key.image_id))
    assert commands.main(["refusals", "--data", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "every image could be described\n"
    database.close()


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
