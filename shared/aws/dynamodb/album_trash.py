"""The trash of albums in DynamoDB."""

from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from shared.aws.dynamodb import item_keys
from shared.aws.dynamodb.albums import SHOWN, to_album
from shared.aws.dynamodb.batches import batch_get, chunks
from shared.aws.dynamodb.transactions import transact
from shared.aws.dynamodb.trash_entries import TrashEntry, read_due, read_page
from shared.domain.albums import AlbumKey
from shared.domain.cursors import decode_place, encode_place
from shared.domain.ledger import ImageKey
from shared.domain.table_schema import ALBUM_TRASH_PARTITION, CONDEMNED, TRASHED_AT
from shared.domain.trash import ALBUM_PLACE_PATTERN, TrashedAlbum, TrashedAlbumPage

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_PAIRS_AT_ONCE: Final = 49
"""A transaction has at most 100 items: the condition on the album, and two for each link or entry that is deleted."""


class DynamoAlbumTrash:
    """Marks the item of an album, and lists it by an item of its own; its entries and links stay where they are.

    A purge marks the album once more, so that it cannot be restored, and deletes the album last. Each of its deletions
    requires that mark, so that none meets an album that was created anew under the same id.
    """

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def put(self, key: AlbumKey, at: str) -> bool:
        """Move an album into the trash; see `shared.domain.ports.albums.AlbumTrash`."""
        update = {
            "Key": item_keys.album_key(key),
            "UpdateExpression": f"SET {TRASHED_AT} = :at",
            "ConditionExpression": SHOWN,
            "ExpressionAttributeValues": {":at": {"S": at}},
        }
        return transact(self._client, self._table, [{"Update": update}, {"Put": {"Item": _entry_key(key, at)}}])

    def take_out(self, key: AlbumKey) -> bool:
        """Restore an album; see `shared.domain.ports.albums.AlbumTrash`."""
        item: Any = self._client.get_item(TableName=self._table, Key=item_keys.album_key(key), ConsistentRead=True).get(
            "Item", {}
        )
        if TRASHED_AT not in item or CONDEMNED in item:
            return False
        update = {
            "Key": item_keys.album_key(key),
            "UpdateExpression": f"REMOVE {TRASHED_AT}",
            "ConditionExpression": f"{TRASHED_AT} = :at AND attribute_not_exists({CONDEMNED})",
            "ExpressionAttributeValues": {":at": item[TRASHED_AT]},
        }
        entry = _entry_key(key, item[TRASHED_AT]["S"])
        return transact(self._client, self._table, [{"Update": update}, {"Delete": {"Key": entry}}])

    def page(self, collection: str, *, limit: int, cursor: str | None) -> TrashedAlbumPage:
        """Return one page of the deleted albums; see `shared.domain.ports.albums.AlbumTrash`."""
        place = decode_place(cursor, collection, ALBUM_PLACE_PATTERN) if cursor else None
        after = TrashEntry(collection, *place.split("#")) if place else None
        entries, last = read_page(
            self._client, self._table, ALBUM_TRASH_PARTITION, collection, limit=limit, after=after
        )
        keys = [item_keys.album_key(_key_of(entry)) for entry in entries]
        items = {item["sk"]["S"]: item for item in batch_get(self._client, self._table, keys)}
        found = [
            TrashedAlbum(to_album(collection, item), entry.trashed_at)
            for entry in entries
            if (item := items.get(entry.deleted_id)) and TRASHED_AT in item and CONDEMNED not in item
        ]
        return TrashedAlbumPage(
            found, encode_place(collection, f"{last.trashed_at}#{last.deleted_id}") if last else None
        )

    def due(self, before: str, limit: int, collection: str | None = None) -> Sequence[AlbumKey]:
        old = read_due(self._client, self._table, ALBUM_TRASH_PARTITION, before, page=limit, collection=collection)
        return [_key_of(entry) for entry in islice(old, limit)]

    def purge(self, key: AlbumKey, before: str, limit: int) -> bool:
        """Remove an album for good; see `shared.domain.ports.albums.AlbumTrash`."""
        at = self._condemn(key, before)
        if at is None:
            return True
        album = {"Key": item_keys.album_key(key), "ConditionExpression": f"attribute_exists({CONDEMNED})"}
        pairs = self._links(key, limit)
        pairs += self._entries(key, limit - len(pairs)) if len(pairs) < limit else []
        for chunk in chunks(pairs, _PAIRS_AT_ONCE):
            deletions = [{"Delete": {"Key": one}} for pair in chunk for one in pair]
            if not transact(self._client, self._table, [{"ConditionCheck": album}, *deletions]):
                return True  # another worker has finished
        if len(pairs) == limit:
            return False
        transact(self._client, self._table, [{"Delete": album}, {"Delete": {"Key": _entry_key(key, at)}}])
        return True

    def _condemn(self, key: AlbumKey, before: str) -> str | None:
        """Begin to purge an album; return when it was deleted, or None if it is not in the trash since then."""
        try:
            answer: Any = self._client.update_item(
                TableName=self._table,
                Key=item_keys.album_key(key),
                UpdateExpression=f"SET {CONDEMNED} = :true",
                ConditionExpression=f"{TRASHED_AT} < :before",
                ExpressionAttributeValues={":true": {"BOOL": True}, ":before": {"S": before}},
                ReturnValues="ALL_NEW",
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return None
        return str(answer["Attributes"][TRASHED_AT]["S"])

    def _links(self, key: AlbumKey, limit: int) -> list[tuple[Any, Any]]:
        """Return the keys of both items of links that share an album."""
        return [
            (item_keys.share_key(item["hash"]["S"]), {"pk": item["pk"], "sk": item["sk"]})
            for item in self._read(item_keys.share_of_album_key(key, "")["pk"], limit)
        ]

    def _entries(self, key: AlbumKey, limit: int) -> list[tuple[Any, Any]]:
        """Return the keys of both items of images in an album."""
        return [
            (
                item_keys.album_of_image_key(ImageKey(key.collection, item["sk"]["S"]), key.album_id),
                {"pk": item["pk"], "sk": item["sk"]},
            )
            for item in self._read(item_keys.album_entry_key(key, "")["pk"], limit)
        ]

    def _read(self, partition: Any, limit: int) -> list[Any]:
        answer: Any = self._client.query(
            TableName=self._table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": partition},
            ConsistentRead=True,
            Limit=limit,
        )
        found: list[Any] = answer["Items"]
        return found


def _key_of(entry: TrashEntry) -> AlbumKey:
    return AlbumKey(entry.collection, entry.deleted_id)


def _entry_key(key: AlbumKey, at: str) -> dict[str, Any]:
    return TrashEntry(key.collection, at, key.album_id).key(ALBUM_TRASH_PARTITION)
