"""What becomes of a transaction that is cancelled: whoever was overtaken retries, and nothing else passes for that."""

from collections.abc import Callable
from typing import Any, Final

import pytest
from botocore.exceptions import ClientError

from shared.aws.dynamodb.albums import MAX_ROUNDS, DynamoAlbums
from shared.aws.dynamodb.catalogue import DynamoCatalogue
from shared.domain.albums import Album, AlbumKey
from shared.domain.annotations import NO_ANNOTATIONS, Annotations
from shared.domain.images import IndexedImage, ObjectRef
from shared.domain.ledger import ConflictError
from shared.domain.tags import TagDecisions
from tests.contract.stores.conftest import key_of, make_image
from tests.faults.fakes import MemoryTable, client_error

ALBUM: Final = AlbumKey("c", "0" * 32)
REX: Final = Annotations(tags=TagDecisions(frozenset({"rex"})))


class CancellingTable(MemoryTable):
    """A table in memory that cancels each transaction for a reason."""

    class exceptions(MemoryTable.exceptions):  # noqa: N801 - boto3's name
        TransactionCanceledException = ClientError

    def __init__(self) -> None:
        super().__init__()
        self.reason: str | None = None
        self.cancelled = 0

    def transact_write_items(self, **request: Any) -> Any:
        if self.reason is None:
            return super().transact_write_items(**request)
        self.cancelled += 1
        reasons = [{"Code": "None"}, {"Code": self.reason}]
        raise client_error("TransactWriteItems", "TransactionCanceledException", CancellationReasons=reasons)


def add(table: Any, image: IndexedImage) -> None:
    DynamoAlbums(table, "t").add(ALBUM, [image.record.image_id])


def decide(table: Any, image: IndexedImage) -> None:
    DynamoCatalogue(table, "t").annotate(key_of(image), NO_ANNOTATIONS, REX)


@pytest.mark.parametrize(("change", "rounds"), [(add, MAX_ROUNDS), (decide, 1)])
@pytest.mark.parametrize(
    "reason", ["TransactionConflict", "ConditionalCheckFailed", "ThrottlingError", "ValidationError"]
)
def test_only_who_was_overtaken_is_told_of_a_conflict(
    change: Callable[[Any, IndexedImage], None], rounds: int, reason: str
) -> None:
    table: Any = CancellingTable()
    image = make_image("c")
    DynamoCatalogue(table, "t").add(image, ObjectRef("images", "a"))
    DynamoAlbums(table, "t").create(Album(ALBUM, "title", None, None, 0, "2026-11-28T12:00:00+00:00"))
    table.reason = reason
    overtaken = reason in {"TransactionConflict", "ConditionalCheckFailed"}
    with pytest.raises(ConflictError if overtaken else ClientError):
        change(table, image)
    assert table.cancelled == (rounds if overtaken else 1)
