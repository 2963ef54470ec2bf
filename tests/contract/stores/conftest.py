"""The stores that must behave the same: the embedded one, and DynamoDB in an emulator."""

import hashlib
import itertools
import os
import re
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import boto3
import numpy as np
import pytest
from botocore.config import Config

from infra.app import template
from shared.aws.dynamodb.album_trash import DynamoAlbumTrash
from shared.aws.dynamodb.albums import DynamoAlbums
from shared.aws.dynamodb.api_keys import DynamoApiKeys
from shared.aws.dynamodb.catalogue import DynamoCatalogue
from shared.aws.dynamodb.collections import DynamoCollections
from shared.aws.dynamodb.duplicates import DynamoDuplicates
from shared.aws.dynamodb.ledger import DynamoLedger
from shared.aws.dynamodb.people import DynamoPeople
from shared.aws.dynamodb.shares import DynamoShares
from shared.aws.dynamodb.trash import DynamoTrash
from shared.aws.dynamodb.uploads import DynamoUploads
from shared.aws.dynamodb.vector_serializer import install_vector_serializer
from shared.domain.api_keys import StoredApiKeys
from shared.domain.capture import NOTHING
from shared.domain.features import FEATURE_DIMENSIONS, LOCAL_DIMENSIONS, normalise
from shared.domain.images import ImageRecord, IndexedImage, Label, ObjectRef
from shared.domain.ledger import ImageKey, ObjectState, ObjectStatus
from shared.domain.people.ports import PeopleStore
from shared.domain.ports.albums import Albums, AlbumTrash, Shares
from shared.domain.ports.catalogue import Catalogue
from shared.domain.ports.collections import Collections, Trash
from shared.domain.ports.duplicates import Duplicates
from shared.domain.ports.uploads import Ledger, Uploads
from shared.embedded.album_trash import EmbeddedAlbumTrash
from shared.embedded.albums import EmbeddedAlbums, EmbeddedShares
from shared.embedded.api_keys import EmbeddedApiKeys
from shared.embedded.catalogue import EmbeddedCatalogue
from shared.embedded.collections import EmbeddedCollections
from shared.embedded.database import Database
from shared.embedded.duplicates import EmbeddedDuplicates
from shared.embedded.ledger import EmbeddedLedger
from shared.embedded.migrations import MIGRATIONS
from shared.embedded.people import EmbeddedPeople
from shared.embedded.trash import EmbeddedTrash
from shared.embedded.uploads import EmbeddedUploads
from shared.embedded.vectors import VectorIndex
from tests.ministack.conftest import EXECUTABLE, ministack
from tests.ministack.deployment import create_table

__all__ = ["ministack"]

EMULATOR: Final = "ministack" if EXECUTABLE in os.environ else "moto"
SCANNED: Final = ("SELECT * FROM api_keys", "SELECT key_id, ", "SELECT id FROM vector_deletions")
"""How statements begin that may read a whole table: of keys, which are few, and of deletions, which are forgotten."""
_times = itertools.count(1_800_000_000)


@dataclass(frozen=True)
class Store:
    """The adapters of one store.

    Attributes:
        keys: returns the keys as another process sees them, by two clocks.
        text: returns everything of keys that is stored, as text.
    """

    catalogue: Catalogue
    collections: Collections
    duplicates: Duplicates
    people: PeopleStore
    trash: Trash
    albums: Albums
    album_trash: AlbumTrash
    shares: Shares
    ledger: Ledger
    uploads: Uploads
    keys: Callable[[Callable[[], float], Callable[[], float]], StoredApiKeys]
    text: Callable[[], str]

    def hold(self, key: ImageKey, *names: str, bucket: str = "images") -> list[ObjectRef]:
        """Enter objects that hold an image into the ledger."""
        sources = [ObjectRef(bucket, f"{key.collection}/{name}") for name in names]
        for source in sources:
            self.ledger.change(self.ledger.find(source), ObjectState(source, ObjectStatus.HELD, key))
        return sources


class TracedDatabase(Database):
    """A database that remembers its statements, so that those of all tests can be checked for their use of indexes."""

    def __init__(self, path: Path) -> None:
        self.statements: set[str] = set()
        super().__init__(path, MIGRATIONS)
        self.statements.clear()

    def _connect(self, *, reads_only: bool = False) -> sqlite3.Connection:
        connection = super()._connect(reads_only=reads_only)
        connection.set_trace_callback(self.statements.add)
        return connection

    def without_index(self) -> list[str]:
        """Return statements that read a whole table, or sort what they read, with their plans: one for each plan."""
        found: dict[str, str] = {}
        with self.transaction() as connection:
            connection.set_trace_callback(None)
            for statement in sorted(self.statements):
                if statement.startswith(("SELECT", "UPDATE", "DELETE", "INSERT")) and not statement.startswith(SCANNED):
                    plan = [step for *_, step in connection.execute(f"EXPLAIN QUERY PLAN {statement}")]
                    if any(
                        "TEMP B-TREE" in step or re.match("SCAN (?!json_each|sqlite_sequence)", step) for step in plan
                    ):
                        found["\n    ".join(plan)] = statement
        return [f"{statement}\n    {plan}" for plan, statement in found.items()]


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TracedDatabase]:
    opened = TracedDatabase(tmp_path_factory.mktemp("store") / "pictrace.sqlite")
    yield opened
    slow = opened.without_index()
    opened.close()
    assert not slow, "\n".join(slow)


@pytest.fixture(scope="session")
def vectors(database: TracedDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[VectorIndex]:
    index = VectorIndex(tmp_path_factory.mktemp("vectors"), database)
    yield index
    index.close()


@pytest.fixture(params=["embedded", EMULATOR])
def store(request: pytest.FixtureRequest) -> Store:
    if request.param == "embedded":
        return _embedded(request.getfixturevalue("database"), request.getfixturevalue("vectors"))
    if request.param == "ministack":
        ministack_store: Store = request.getfixturevalue("ministack_store")
        return ministack_store
    return _dynamo(request.getfixturevalue("running").cloud.outputs["TableName"])


@pytest.fixture(scope="session")
def ministack_store(ministack: Any) -> Store:
    """A store in ministack, whose client stays when other tests start moto and make it the default endpoint."""
    return _dynamo(create_table(template({}), "stores"))


def _embedded(database: TracedDatabase, vectors: VectorIndex) -> Store:
    def text() -> str:
        with database.read() as connection:
            return str(connection.execute("SELECT * FROM api_keys").fetchall())

    return Store(
        catalogue=EmbeddedCatalogue(database, vectors),
        collections=EmbeddedCollections(database),
        duplicates=EmbeddedDuplicates(database),
        people=EmbeddedPeople(database),
        trash=EmbeddedTrash(database),
        albums=EmbeddedAlbums(database),
        album_trash=EmbeddedAlbumTrash(database),
        shares=EmbeddedShares(database),
        ledger=EmbeddedLedger(database),
        uploads=EmbeddedUploads(database),
        keys=lambda clock, monotonic: EmbeddedApiKeys(database, clock, monotonic),
        text=text,
    )


def _dynamo(table: str) -> Store:
    patient = Config(connect_timeout=30, read_timeout=60)  # an emulator on a busy machine
    client = install_vector_serializer(boto3.client("dynamodb", config=patient))

    def text() -> str:
        pages = client.get_paginator("scan").paginate(TableName=table)
        return str([item for page in pages for item in page["Items"] if not item["pk"]["S"].startswith("image#")])

    return Store(
        catalogue=DynamoCatalogue(client, table),
        collections=DynamoCollections(client, table),
        duplicates=DynamoDuplicates(client, table),
        people=DynamoPeople(client, table),
        trash=DynamoTrash(client, table),
        albums=DynamoAlbums(client, table),
        album_trash=DynamoAlbumTrash(client, table),
        shares=DynamoShares(client, table),
        ledger=DynamoLedger(client, table),
        uploads=DynamoUploads(client, table),
        keys=lambda clock, monotonic: DynamoApiKeys(client, table, clock, monotonic),
        text=text,
    )


def make_image(collection: str, *, model: str = "m", **changes: Any) -> IndexedImage:
    """An image that no other test has, newer than the one made before."""
    image_id = hashlib.sha256(uuid.uuid4().bytes).hexdigest()
    rng = np.random.default_rng(int(image_id[:8], 16))
    record = ImageRecord(
        collection=collection,
        image_id=image_id,
        model=model,
        width=640,
        height=480,
        format="jpeg",
        bytes=12_345,
        phash="0123456789abcdef",
        created_at=f"2026-11-28T12:00:00.{next(_times)}+00:00",
        labels=(Label("Egyptian_cat", 0.5), Label("lynx", 0.25)),
        capture=NOTHING,
    )
    return IndexedImage(
        replace(record, **changes),
        normalise(np.abs(rng.normal(size=FEATURE_DIMENSIONS))),
        normalise(rng.normal(size=LOCAL_DIMENSIONS)),
    )


def described_by(image: IndexedImage, model: str, *labels: Label) -> IndexedImage:
    """The same image, described by another model."""
    other = make_image(image.record.collection)
    return replace(other, record=replace(image.record, model=model, labels=labels))


def key_of(image: IndexedImage) -> ImageKey:
    return ImageKey(image.record.collection, image.record.image_id)
