"""How much of the table a purge of the trash reads."""

import itertools
from typing import Any, Final

from shared.aws.dynamodb.trash import DynamoTrash
from shared.domain.ledger import ImageKey
from tests.faults.fakes import MemoryTable

LIMIT: Final = 50
OLD, NEW = "2026-10-01T12:00:00.000000+00:00", "2026-11-28T12:00:00.000000+00:00"
BEFORE: Final = "2026-11-01T12:00:00.000000+00:00"


class CountingTable(MemoryTable):
    """Counts the records and the entries of the trash that are read."""

    def __init__(self) -> None:
        super().__init__()
        self.records = self.entries = 0
        self._ids = itertools.count()

    def batch_get_item(self, **request: Any) -> Any:
        self.records += sum(len(wanted["Keys"]) for wanted in request["RequestItems"].values())
        return super().batch_get_item(**request)

    def query(self, **request: Any) -> Any:
        answer = super().query(**request)
        self.entries += len(answer["Items"])
        return answer

    def put(self, collection: str, at: str, count: int, *, stale: int = 0) -> list[ImageKey]:
        """Add images to the trash, and entries of others that have left it, the oldest."""
        keys = [ImageKey(collection, f"{next(self._ids):064x}") for _ in range(stale + count)]
        for number, key in enumerate(keys):
            entry = {"pk": {"S": "trash"}, "sk": {"S": f"{collection}#{at}#{key.image_id}"}}
            record = {"pk": {"S": f"image#{key.image_id}"}, "sk": {"S": f"collection#{collection}"}}
            self.items["trash", entry["sk"]["S"]] = entry
            self.items[record["pk"]["S"], record["sk"]["S"]] = record | (
                {"trashed_at": {"S": at}} if number >= stale else {}
            )
        return keys[stale:]


def purged(table: Any, collection: str | None = None) -> list[ImageKey]:
    return list(DynamoTrash(table, "t").due(BEFORE, LIMIT, collection))


def test_one_message_reads_what_it_purges() -> None:
    for collection in ("cats", None):
        table = CountingTable()
        keys = table.put("cats", OLD, 500)
        table.put("cats", NEW, 500)
        assert purged(table, collection) == keys[:LIMIT]
        assert (table.records, table.entries) == (LIMIT, LIMIT)


def test_what_is_not_due_is_passed_over() -> None:
    table = CountingTable()
    for number in range(3):
        table.put(f"cats{number}", NEW, 500)
    keys = table.put("dogs", OLD, 10)
    assert purged(table) == keys
    assert table.records == len(keys)
    assert table.entries <= 4 * LIMIT
    table.records = table.entries = 0
    assert purged(table, "cats1") == []
    assert (table.records, table.entries) == (0, 0)


def test_entries_of_images_that_left_the_trash_are_deleted_and_others_take_their_place() -> None:
    table = CountingTable()
    keys = table.put("cats", OLD, 70, stale=30)
    assert purged(table) == keys[:LIMIT]
    assert table.records == LIMIT + 30
    assert len([pk for pk, _ in table.items if pk == "trash"]) == 70
