"""Albums in DynamoDB."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from shared.aws.dynamodb import item_keys
from shared.aws.dynamodb.batches import batch_get, chunks, projection
from shared.aws.dynamodb.transactions import commit
from shared.domain.albums import ALBUM_ID_PATTERN, Album, AlbumChange, AlbumFull, AlbumKey, AlbumMissing, AlbumPage
from shared.domain.cursors import decode_place, encode_place
from shared.domain.ledger import ConflictError, ImageKey
from shared.domain.limits import MAX_ALBUM_IMAGES
from shared.domain.table_schema import LISTING_PARTITION, LISTING_SORT, TAKEN_SORT, TRASHED_AT

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MAX_ROUNDS: Final = 5
"""Maximum number of attempts to change an album while others change it."""
_ADDED_AT_ONCE: Final = 33
_REMOVED_AT_ONCE: Final = 49
"""A transaction has at most 100 items: the album, and three for each image that is added, two for each removed."""
SHOWN: Final = f"attribute_exists(pk) AND attribute_not_exists({TRASHED_AT})"
"""The condition that an album exists and is not in the trash."""
_TIMES: Final = projection("image_id", LISTING_PARTITION, LISTING_SORT, TAKEN_SORT)


@dataclass(frozen=True, slots=True)
class Member:
    """An image in an album, with the times that sort it, as they were when it was added."""

    image_id: str
    created_at: str
    dated_at: str


class DynamoAlbums:
    """Stores albums of one table.

    A collection's albums are one partition, an album's entries another, which the limit of an album keeps at some 3 MB.
    Each image that is in albums has a partition with their ids, outside its own, so that it leaves them all when it
    goes. An entry, that id and the number of images change in one transaction, which checks that the image is there.
    """

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def create(self, album: Album) -> None:
        """Create an album; see `shared.domain.ports.albums.Albums`."""
        texts = {"title": album.title, "since": album.created_at, "cover": album.cover, "about": album.description}
        with suppress(self._client.exceptions.ConditionalCheckFailedException):
            self._client.put_item(
                TableName=self._table,
                Item=item_keys.album_key(album.key)
                | {name: {"S": text} for name, text in texts.items() if text}
                | {"images": {"N": str(album.images)}},
                ConditionExpression="attribute_not_exists(pk)",
            )

    def find(self, key: AlbumKey) -> Album | None:
        item = self._get(item_keys.album_key(key))
        return to_album(key.collection, item) if item and TRASHED_AT not in item else None

    def change(self, key: AlbumKey, change: AlbumChange) -> Album:
        """Change an album; see `shared.domain.ports.albums.Albums`."""
        before = self.find(key)
        if before is None:
            raise AlbumMissing
        after = change.apply(before)
        values: dict[str, Any] = {":title": {"S": after.title}}
        texts = {"cover": after.cover, "about": after.description}
        values |= {f":{name}": {"S": text} for name, text in texts.items() if text}
        kept = ", ".join(f"{name} = :{name}" for name, text in texts.items() if text)
        gone = ", ".join(name for name, text in texts.items() if not text)
        try:
            answer = self._client.update_item(
                TableName=self._table,
                Key=item_keys.album_key(key),
                UpdateExpression=f"SET title = :title{', ' if kept else ''}{kept}{' REMOVE ' if gone else ''}{gone}",
                ConditionExpression=SHOWN,
                ExpressionAttributeValues=values,
                ReturnValues="ALL_NEW",
            )
        except self._client.exceptions.ConditionalCheckFailedException as error:
            raise AlbumMissing from error
        return to_album(key.collection, answer["Attributes"])

    def page(self, collection: str, *, limit: int, cursor: str | None) -> AlbumPage:
        """Return one page of a collection's albums; see `shared.domain.ports.albums.Albums`."""
        after = AlbumKey(collection, decode_place(cursor, collection, ALBUM_ID_PATTERN)) if cursor else None
        start: Any = {"ExclusiveStartKey": item_keys.album_key(after)} if after else {}
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk",
            FilterExpression=f"attribute_not_exists({TRASHED_AT})",
            ExpressionAttributeValues={":pk": item_keys.album_key(AlbumKey(collection, ""))["pk"]},
            ScanIndexForward=False,
            ConsistentRead=True,
            PaginationConfig={"PageSize": limit + 1},
            **start,
        )
        shown = islice((item for page in pages for item in page["Items"]), limit + 1)
        albums = [to_album(collection, item) for item in shown]
        more = len(albums) > limit
        return AlbumPage(albums[:limit], encode_place(collection, albums[limit - 1].key.album_id) if more else None)

    def of_image(self, image: ImageKey) -> Sequence[Album]:
        keys = [item_keys.album_key(AlbumKey(image.collection, one)) for one in self._albums_of(image)]
        items = batch_get(self._client, self._table, keys)
        albums = [to_album(image.collection, item) for item in items if TRASHED_AT not in item]
        return sorted(albums, key=lambda album: album.key.album_id, reverse=True)

    def held(self, key: AlbumKey, image_ids: Collection[str]) -> Sequence[str]:
        keys = [item_keys.album_entry_key(key, one) for one in dict.fromkeys(image_ids)]
        return [item["sk"]["S"] for item in batch_get(self._client, self._table, keys)]

    def members(self, key: AlbumKey) -> Sequence[Member]:
        """Return the entries of an album that is not in the trash, those of images in the trash included."""
        if self.find(key) is None:
            return []
        found = self._query(item_keys.album_entry_key(key, "")["pk"])
        return [Member(item["sk"]["S"], item["at"]["S"], item["taken"]["S"]) for item in found]

    def add(self, key: AlbumKey, image_ids: Sequence[str]) -> Sequence[str]:
        """Add images; see `shared.domain.ports.albums.Albums`."""
        wanted = list(dict.fromkeys(image_ids))
        record_keys = [item_keys.record_key(one, key.collection) for one in wanted]
        for _ in range(MAX_ROUNDS):
            if self.find(key) is None:
                raise AlbumMissing
            items = batch_get(self._client, self._table, record_keys, _TIMES)
            records = {item["image_id"]["S"]: item for item in items if LISTING_PARTITION in item}
            held = set(self.held(key, wanted))
            fresh = [records[one] for one in wanted if one in records and one not in held]
            with suppress(ConflictError):
                for chunk in chunks(fresh, _ADDED_AT_ONCE):
                    self._add(key, chunk)
                return [one for one in wanted if one not in records]
        raise ConflictError

    def _add(self, key: AlbumKey, records: Sequence[Any]) -> None:
        """Add images in one transaction.

        Raises:
            AlbumFull: see `add`.
            ConflictError: one of them, or the album, has changed.
        """
        writes: list[Any] = [
            self._counted(key, len(records), "images <= :room", cover=records[0]["image_id"]["S"]),
        ]
        for record in records:
            image_id, at = record["image_id"]["S"], record[LISTING_SORT]["S"]
            entry = item_keys.album_entry_key(key, image_id)
            entry |= {"at": {"S": at}, "taken": record.get(TAKEN_SORT, {"S": at.removesuffix("+00:00")})}
            link = item_keys.album_of_image_key(ImageKey(key.collection, image_id), key.album_id)
            writes += [
                self._shown(item_keys.record_key(image_id, key.collection)),
                {"Put": {"Item": entry, "ConditionExpression": "attribute_not_exists(pk)"}},
                {"Put": {"Item": link}},
            ]
        try:
            commit(self._client, self._table, writes)
        except ConflictError:
            album = self.find(key)
            if album and album.images + len(records) > MAX_ALBUM_IMAGES:
                raise AlbumFull from None
            raise

    def remove(self, key: AlbumKey, image_ids: Sequence[str]) -> None:
        """Remove images; see `shared.domain.ports.albums.Albums`."""
        for _ in range(MAX_ROUNDS):
            held = self.held(key, image_ids)
            with suppress(ConflictError):
                for chunk in chunks(held, _REMOVED_AT_ONCE):
                    self._remove(key, chunk)
                return
        raise ConflictError

    def forget(self, image: ImageKey) -> None:
        """Remove an image that is gone from every album; may be repeated."""
        for album_id in self._albums_of(image):
            key = AlbumKey(image.collection, album_id)
            if self._get(item_keys.album_key(key)) is None:
                self._delete(item_keys.album_entry_key(key, image.image_id))
                self._delete(item_keys.album_of_image_key(image, album_id))
            else:
                self.remove(key, [image.image_id])

    def _remove(self, key: AlbumKey, image_ids: Sequence[str]) -> None:
        """Remove images in one transaction.

        Raises:
            ConflictError: one of them, or the album, has changed.
        """
        writes: list[Any] = [self._counted(key, -len(image_ids))]
        for image_id in image_ids:
            entry = item_keys.album_entry_key(key, image_id)
            link = item_keys.album_of_image_key(ImageKey(key.collection, image_id), key.album_id)
            writes += [
                {"Delete": {"Key": entry, "ConditionExpression": "attribute_exists(pk)"}},
                {"Delete": {"Key": link}},
            ]
        commit(self._client, self._table, writes)
        for image_id in image_ids:
            with suppress(self._client.exceptions.ConditionalCheckFailedException):
                self._client.update_item(
                    TableName=self._table,
                    Key=item_keys.album_key(key),
                    UpdateExpression="REMOVE cover",
                    ConditionExpression="cover = :cover",
                    ExpressionAttributeValues={":cover": {"S": image_id}},
                )

    @staticmethod
    def _counted(key: AlbumKey, more: int, condition: str = "", *, cover: str | None = None) -> dict[str, Any]:
        """Return the write that changes the number of an album's images, and gives it a cover if it has none.

        Args:
            condition: if there is one, the album must not be in the trash either.
        """
        values: dict[str, Any] = {":more": {"N": str(more)}}
        values |= {":room": {"N": str(MAX_ALBUM_IMAGES - more)}} if condition else {}
        values |= {":cover": {"S": cover}} if cover else {}
        return {
            "Update": {
                "Key": item_keys.album_key(key),
                "UpdateExpression": "SET images = images + :more"
                + (", cover = if_not_exists(cover, :cover)" if cover else ""),
                "ConditionExpression": f"{SHOWN} AND {condition}" if condition else "attribute_exists(pk)",
                "ExpressionAttributeValues": values,
            }
        }

    @staticmethod
    def _shown(key: dict[str, Any]) -> dict[str, Any]:
        return {
            "ConditionCheck": {
                "Key": key,
                "ConditionExpression": "attribute_exists(#collection)",
                "ExpressionAttributeNames": {"#collection": LISTING_PARTITION},
            }
        }

    def _albums_of(self, image: ImageKey) -> list[str]:
        return [item["sk"]["S"] for item in self._query(item_keys.album_of_image_key(image, "")["pk"])]

    def _get(self, key: dict[str, Any]) -> Any:
        return self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")

    def _delete(self, key: dict[str, Any]) -> None:
        self._client.delete_item(TableName=self._table, Key=key)

    def _query(self, partition: Any) -> Iterator[Any]:
        for page in self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": partition},
            ConsistentRead=True,
        ):
            yield from page["Items"]


def to_album(collection: str, item: item_keys.Item) -> Album:
    return Album(
        key=AlbumKey(collection, item["sk"]["S"]),
        title=item["title"]["S"],
        description=item["about"]["S"] if "about" in item else None,
        cover=item["cover"]["S"] if "cover" in item else None,
        images=int(item["images"]["N"]),
        created_at=item["since"]["S"],
    )
