"""The trash in DynamoDB."""

from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from shared.aws.dynamodb import item_keys, item_mapper
from shared.aws.dynamodb.batches import batch_delete, batch_get, projection
from shared.aws.dynamodb.listing import ANNOTATED_NAMES
from shared.aws.dynamodb.secondary_vectors import DynamoSecondaryVectors
from shared.aws.dynamodb.transactions import transact
from shared.aws.dynamodb.trash_entries import TrashEntry, read_due, read_page
from shared.domain.cursors import decode_cursor, encode_cursor
from shared.domain.ledger import ImageKey
from shared.domain.table_schema import (
    ANNOTATED_PARTITION,
    ANNOTATIONS,
    CONDEMNED,
    LISTING_PARTITION,
    TRASH_PARTITION,
    TRASHED_AT,
)
from shared.domain.trash import TrashedImage, TrashPage

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_MARKS: Final = (TRASHED_AT, CONDEMNED)
_NAMES: Final = {"#collection": LISTING_PARTITION, "#annotated": ANNOTATED_PARTITION, "#at": TRASHED_AT}


class DynamoTrash:
    """Takes the attribute from a record by which every index partitions, so that no index has the image any more.

    The record keeps everything else, and so restoring it is one write. An item for each image lists the trash. The
    vectors of secondary models are deleted; reindexing adds them again.
    """

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table
        self._secondary = DynamoSecondaryVectors(client, table)

    def put(self, image: ImageKey, at: str) -> bool:
        """Move an image into the trash; see `shared.domain.ports.collections.Trash`."""
        listed = self._entry_key(image, at) | {"image_id": {"S": image.image_id}, "owner": {"S": image.collection}}
        update = {
            "UpdateExpression": "SET #at = :at REMOVE #collection, #annotated",
            "ConditionExpression": "attribute_exists(#collection)",
            "ExpressionAttributeNames": _NAMES,
            "ExpressionAttributeValues": {":at": {"S": at}},
        }
        # In the same transaction: left for later, they would stay if this worker died, since a retry finds no image.
        vectors = [{"Delete": {"Key": key}} for key in self._secondary.keys(image)]
        return self._write(image, update, {"Put": {"Item": listed}}, *vectors)

    def take_out(self, image: ImageKey) -> bool:
        """Restore an image; see `shared.domain.ports.collections.Trash`."""
        item = self._get(image, *_MARKS, *ANNOTATIONS)
        if TRASHED_AT not in item or CONDEMNED in item:
            return False
        annotated = any(name in item for name in ANNOTATIONS)
        at = item[TRASHED_AT]["S"]
        update = {
            "UpdateExpression": f"SET #collection = :owner{', #annotated = :owner' if annotated else ''} REMOVE #at",
            "ConditionExpression": f"#at = :at AND attribute_not_exists({CONDEMNED})",
            "ExpressionAttributeNames": _NAMES if annotated else {n: v for n, v in _NAMES.items() if n != "#annotated"},
            "ExpressionAttributeValues": {":owner": {"S": image.collection}, ":at": {"S": at}},
        }
        return self._write(image, update, {"Delete": {"Key": self._entry_key(image, at)}})

    def holds(self, image: ImageKey) -> bool:
        """Return whether an image is in the trash."""
        return TRASHED_AT in self._get(image, TRASHED_AT)

    def condemn(self, image: ImageKey, before: str) -> bool:
        """Begin to purge an image; see `shared.domain.ports.collections.Trash`."""
        try:
            self._client.update_item(
                TableName=self._table,
                Key=item_keys.record_key(image.image_id, image.collection),
                UpdateExpression=f"SET {CONDEMNED} = :true",
                ConditionExpression="attribute_exists(#at) AND #at < :before",
                ExpressionAttributeNames={"#at": TRASHED_AT},
                ExpressionAttributeValues={":true": {"BOOL": True}, ":before": {"S": before}},
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def page(self, collection: str, *, limit: int, cursor: str | None) -> TrashPage:
        """Return one page of a collection's trash, the last deleted first.

        Raises:
            InvalidCursor: the cursor is malformed or belongs to another collection.
        """
        after = TrashEntry(collection, *decode_cursor(cursor, collection)) if cursor else None
        entries, last = read_page(self._client, self._table, TRASH_PARTITION, collection, limit=limit, after=after)
        return TrashPage(
            self._found(entries), encode_cursor(collection, last.trashed_at, last.deleted_id) if last else None
        )

    def due(self, before: str, limit: int, collection: str | None = None) -> Sequence[ImageKey]:
        """Return images that were deleted before a time; entries of images restored otherwise are deleted.

        No more records are read than images are returned, but for those of such entries.
        """
        old = read_due(self._client, self._table, TRASH_PARTITION, before, page=limit, collection=collection)
        due: list[ImageKey] = []
        while len(due) < limit and (entries := list(islice(old, limit - len(due)))):
            due += self._still_in(entries)
        return due

    def _still_in(self, entries: Sequence[TrashEntry]) -> Sequence[ImageKey]:
        """Return the images of entries that are still in the trash since then; delete the entries of the others."""
        items = batch_get(self._client, self._table, _record_keys(entries), projection("pk", "sk", TRASHED_AT))
        since = {(item["pk"]["S"], item["sk"]["S"]): item[TRASHED_AT]["S"] for item in items if TRASHED_AT in item}
        keys = [(entry, item_keys.record_key(entry.deleted_id, entry.collection)) for entry in entries]
        current = [entry for entry, key in keys if since.get((key["pk"]["S"], key["sk"]["S"])) == entry.trashed_at]
        stale = [entry.key(TRASH_PARTITION) for entry in entries if entry not in current]
        batch_delete(self._client, self._table, stale)
        return [ImageKey(entry.collection, entry.deleted_id) for entry in current]

    def _found(self, entries: Sequence[TrashEntry]) -> Sequence[TrashedImage]:
        """Return the images of entries, without those that were restored, condemned or purged since."""
        items = batch_get(self._client, self._table, _record_keys(entries), projection(*ANNOTATED_NAMES, *_MARKS))
        current = {
            TrashEntry(record.collection, item[TRASHED_AT]["S"], record.image_id): record
            for item in items
            if TRASHED_AT in item and CONDEMNED not in item
            for record in [item_mapper.to_record(item)]
        }
        return [TrashedImage(current[entry], entry.trashed_at) for entry in entries if entry in current]

    def _get(self, image: ImageKey, *names: str) -> Any:
        """Return attributes of an image's record; the vectors, most of its bytes, take milliseconds to parse."""
        key = item_keys.record_key(image.image_id, image.collection)
        found: Any = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True, **projection(*names))
        return found.get("Item", {})

    def _entry_key(self, image: ImageKey, at: str) -> dict[str, Any]:
        return TrashEntry(image.collection, at, image.image_id).key(TRASH_PARTITION)

    def _write(self, image: ImageKey, update: dict[str, Any], *others: dict[str, Any]) -> bool:
        """Change a record and other items in one transaction; return False if the record has changed."""
        key = item_keys.record_key(image.image_id, image.collection)
        return transact(self._client, self._table, [{"Update": {"Key": key, **update}}, *others])


def _record_keys(entries: Sequence[TrashEntry]) -> list[dict[str, Any]]:
    images = dict.fromkeys((entry.deleted_id, entry.collection) for entry in entries)
    return [item_keys.record_key(*image) for image in images]
