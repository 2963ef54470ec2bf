"""A data folder of an earlier format becomes one of this version, and nothing in it is lost."""

import json
from pathlib import Path
from typing import Any

from infra.local.model_change import ModelChange
from shared.domain.albums import AlbumKey
from shared.domain.capture import Capture
from shared.domain.filters import EVERYTHING, ImageFilter, Sort
from shared.domain.ledger import ImageKey
from shared.domain.perceptual_hashes import Pdq
from shared.embedded.album_trash import EmbeddedAlbumTrash
from shared.embedded.albums import EmbeddedAlbums
from shared.embedded.catalogue import EmbeddedCatalogue
from shared.embedded.database import Database
from shared.embedded.migrations import MIGRATIONS, open_database
from shared.embedded.queue import Queue
from shared.embedded.trash import EmbeddedTrash

CREATED = "2026-11-27T12:00:00.000000+00:00"
ROW = (
    "INSERT INTO {table} (image_id, collection, model, width, height, format, bytes, phash, created_at,"
    " folded_filename, low_information, sharpness, first_source{more}) VALUES"
    " (?, 'c', 'm', 640, 480, 'jpeg', 1, '0123456789abcdef', ?, '', 0, 1.5, 's'{values})"
)
DESCRIPTION = "INSERT INTO {table} (image_id, collection, model, labels) VALUES (?, 'c', 'm', '[]')"
SHOWN, TRASHED = "a" * 64, "b" * 64


def earlier(path: Path) -> None:
    """Write a database of format 1 with an image, and one in the trash."""
    database = Database(path, MIGRATIONS[:1])
    with database.transaction() as connection:
        connection.execute(ROW.format(table="images", more="", values=""), (SHOWN, CREATED))
        connection.execute(DESCRIPTION.format(table="descriptions"), (SHOWN,))
        at = f", '{CREATED}'"
        connection.execute(ROW.format(table="trashed_images", more=", trashed_at", values=at), (TRASHED, CREATED))
        connection.execute(DESCRIPTION.format(table="trashed_descriptions"), (TRASHED,))
    database.close()


def test_images_of_format_1_are_listed_by_arrival_until_they_are_dated(tmp_path: Path) -> None:
    earlier(tmp_path / "db")
    database = open_database(tmp_path / "db")
    unused: Any = None
    catalogue, trash, queue = EmbeddedCatalogue(database, unused), EmbeddedTrash(database), Queue(database)

    def taken(wanted: ImageFilter = EVERYTHING) -> list[str]:
        page = catalogue.page("c", wanted=wanted, sort=Sort.TAKEN, limit=9, cursor=None)
        return [record.image_id for record in page.records]

    assert taken() == taken(ImageFilter(taken_from="2026-11-27T12:00:00.000000")) == [SHOWN]
    assert trash.take_out(ImageKey("c", TRASHED))
    assert sorted(taken(ImageFilter(taken_to="2026-11-27T12:00:00.000000"))) == [SHOWN, TRASHED]

    catalogue.set_capture(ImageKey("c", TRASHED), Capture("2019-12-24T20:00:00"))
    catalogue.set_things(ImageKey("c", TRASHED), [])
    assert taken() == [SHOWN, TRASHED]
    ModelChange(database, unused, "m").begin()
    ModelChange(database, unused, "m").begin()
    queued = queue.receive()
    assert queued is not None
    assert json.loads(queued.body) == {"image_id": SHOWN, "collection": "c", "model": "m"}
    assert queue.receive() is None
    catalogue.set_capture(ImageKey("c", SHOWN), Capture())
    catalogue.set_things(ImageKey("c", SHOWN), ["dog"])
    ModelChange(database, unused, "m").begin()
    assert queue.receive() is None


def test_images_of_earlier_formats_get_a_pdq_hash_if_each_shall_have_one(tmp_path: Path) -> None:
    database = Database(tmp_path / "db", MIGRATIONS[:5])
    with database.transaction() as connection:
        more, values = ", capture_read, things", ", 1, '[]'"
        connection.execute(ROW.format(table="images", more=more, values=values), (SHOWN, CREATED))
        connection.execute(DESCRIPTION.format(table="descriptions"), (SHOWN,))
    database.close()
    database = open_database(tmp_path / "db")
    unused: Any = None
    catalogue, queue = EmbeddedCatalogue(database, unused), Queue(database)
    ModelChange(database, unused, "m").begin()
    assert queue.receive() is None
    ModelChange(database, unused, "m", pdq=True).begin()
    queued = queue.receive()
    assert queued is not None
    assert json.loads(queued.body)["image_id"] == SHOWN
    catalogue.set_pdq(ImageKey("c", SHOWN), Pdq("0f" * 32, 90))
    ModelChange(database, unused, "m", pdq=True).begin()
    assert queue.receive() is None


def test_albums_of_format_6_are_shown_and_can_be_trashed(tmp_path: Path) -> None:
    database = Database(tmp_path / "db", MIGRATIONS[:6])
    key = AlbumKey("c", "1" * 32)
    with database.transaction() as connection:
        connection.execute(
            "INSERT INTO albums (collection, album_id, title, created_at) VALUES ('c', ?, 'Rome', ?)",
            (key.album_id, CREATED),
        )
    database.close()
    database = open_database(tmp_path / "db")
    albums, trash = EmbeddedAlbums(database), EmbeddedAlbumTrash(database)
    assert [album.title for album in albums.page("c", limit=9, cursor=None).albums] == ["Rome"]
    assert trash.page("c", limit=9, cursor=None).albums == []
    assert trash.put(key, CREATED)
    assert albums.find(key) is None
    assert trash.take_out(key)
