"""The stores of a simulation: the adapters of DynamoDB over a table in memory, and those of the embedded store.

Each calls `before_call` where its adapters do, and shows what is stored.
"""

import atexit
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final, Protocol

from shared.aws.dynamodb import item_keys
from shared.aws.dynamodb.catalogue import DynamoCatalogue
from shared.aws.dynamodb.ledger import DynamoLedger
from shared.aws.dynamodb.refusals import DynamoRefusals
from shared.aws.dynamodb.trash import DynamoTrash
from shared.aws.dynamodb.uploads import DynamoUploads
from shared.domain.errors import PictureRefused
from shared.domain.ledger import ImageKey
from shared.domain.ports.catalogue import Catalogue
from shared.domain.ports.collections import Trash
from shared.domain.ports.uploads import Ledger, Uploads
from shared.embedded.catalogue import EmbeddedCatalogue
from shared.embedded.database import Database
from shared.embedded.ledger import EmbeddedLedger
from shared.embedded.migrations import MIGRATIONS
from shared.embedded.refusals import EmbeddedRefusals
from shared.embedded.trash import EmbeddedTrash
from shared.embedded.uploads import EmbeddedUploads
from tests.faults.fakes import MemoryTable

BeforeCall = Callable[[str], None]


class SimulatedStore(Protocol):
    """A store whose calls can be interrupted.

    Attributes:
        add_call, change_call: the calls by which vectors of a secondary model are added, and the ledger is changed.
    """

    add_call: str
    change_call: str
    catalogue: Catalogue
    ledger: Ledger
    uploads: Uploads
    trash: Trash

    def refuse(self, image_key: ImageKey, model: str, refused: PictureRefused) -> None: ...

    def sources(self) -> dict[str, set[str]]:
        """The keys of each image's sources."""
        ...

    def recorded(self) -> set[str]:
        """The images that have a record."""
        ...

    def described(self) -> set[tuple[str, str]]:
        """The images with each model that has described them."""
        ...

    def forget_secondary(self) -> str:
        """Delete the vectors of the only image's only secondary model; return the model."""
        ...

    def refusal(self, image_key: ImageKey, model: str) -> tuple[str, str]:
        """The code and reason of a refusal."""
        ...


class DynamoStore:
    """Implements `SimulatedStore`."""

    add_call = "put_item"
    change_call = "transact_write_items"

    def __init__(self, before_call: BeforeCall) -> None:
        self._table = MemoryTable(before_call)
        table: Any = self._table
        self.catalogue: Catalogue = DynamoCatalogue(table, "t")
        self.ledger: Ledger = DynamoLedger(table, "t")
        self.uploads: Uploads = DynamoUploads(table, "t")
        self.trash: Trash = DynamoTrash(table, "t")
        self.refuse = DynamoRefusals(table, "t").put

    def sources(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for image_id, item in self._of_images():
            if not item_keys.is_record(item) and not item_keys.is_vectors(item):
                found.setdefault(image_id, set()).add(item["key"]["S"])
        return found

    def recorded(self) -> set[str]:
        return {image_id for image_id, item in self._of_images() if item_keys.is_record(item)}

    def described(self) -> set[tuple[str, str]]:
        return {(image_id, item["model"]["S"]) for image_id, item in self._of_images() if "model" in item}

    def forget_secondary(self) -> str:
        [secondary] = [key for key, item in self._table.items.items() if item_keys.is_vectors(item)]
        return str(self._table.items.pop(secondary)["model"]["S"])

    def refusal(self, image_key: ImageKey, model: str) -> tuple[str, str]:
        item = self._table.items[f"refusal#{image_key.image_id}", f"model#{image_key.collection}#{model}"]
        return item["code"]["S"], item["reason"]["S"]

    def _of_images(self) -> Iterator[tuple[str, Any]]:
        for (pk, _), item in self._table.items.items():
            if pk.startswith("image#"):
                yield pk.removeprefix("image#"), item


class InterruptedDatabase(Database):
    """A database that calls `before_call` before each read and transaction."""

    before_call: BeforeCall

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        self._interrupt("read")
        with super().read() as connection:
            yield connection

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        self._interrupt("transaction")
        with super().transaction() as connection:
            yield connection

    def _interrupt(self, name: str) -> None:
        if self._owner is None:
            self.before_call(name)


@cache
def _database() -> InterruptedDatabase:
    """A database of this process that no disk slows down."""
    memory = Path("/dev/shm")  # noqa: S108 - a folder of its own is made in it
    folder = tempfile.mkdtemp(dir=memory if memory.is_dir() else None)
    atexit.register(shutil.rmtree, folder)
    InterruptedDatabase.before_call = staticmethod(lambda _: None)
    database = InterruptedDatabase(Path(folder) / "pictrace.sqlite", MIGRATIONS)
    database._writer.execute("PRAGMA synchronous = OFF")
    return database


class EmbeddedStore:
    """Implements `SimulatedStore`; a new one empties the database of the one before."""

    add_call = change_call = "transaction"

    def __init__(self, before_call: BeforeCall) -> None:
        self._database = _database()
        self._database.before_call = lambda _: None
        with self._database.transaction() as connection:
            for table in ("images", "trashed_images", "sources", "objects", "uploads", "refusals", "vector_deletions"):
                connection.execute(f"DELETE FROM {table}")  # noqa: S608
        self._database.before_call = before_call
        search: Any = None  # nothing is searched for
        self.catalogue: Catalogue = EmbeddedCatalogue(self._database, search)
        self.ledger: Ledger = EmbeddedLedger(self._database)
        self.uploads: Uploads = EmbeddedUploads(self._database)
        self.trash: Trash = EmbeddedTrash(self._database)
        self._refusals = EmbeddedRefusals(self._database)
        self.refuse = self._refusals.put

    def sources(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for image_id, key in self._rows("SELECT image_id, key FROM sources"):
            found.setdefault(image_id, set()).add(key)
        return found

    def recorded(self) -> set[str]:
        return {image_id for (image_id,) in self._rows("SELECT image_id FROM images")}

    def described(self) -> set[tuple[str, str]]:
        described = set(self._rows("SELECT image_id, model FROM descriptions"))
        assert described == set(self._rows("SELECT image_id, model FROM vectors")), "vectors without a description"
        return described

    def forget_secondary(self) -> str:
        [(image_id, model)] = self._rows(
            "SELECT image_id, descriptions.model FROM descriptions JOIN images USING (image_id, collection)"
            " WHERE descriptions.model <> images.model"
        )
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM descriptions WHERE image_id = ? AND model = ?", (image_id, model))
        return str(model)

    def refusal(self, image_key: ImageKey, model: str) -> tuple[str, str]:
        (found,) = [one for one in self._refusals.list_all() if (one.image_key, one.model) == (image_key, model)]
        return found.code, found.reason

    def _rows(self, query: str) -> list[Any]:
        with self._database.read() as connection:
            return connection.execute(query).fetchall()


MakeStore = Callable[[BeforeCall], SimulatedStore]
STORES: Final[tuple[MakeStore, ...]] = (DynamoStore, EmbeddedStore)
