"""Groups of near-duplicates in DynamoDB."""

from contextlib import suppress
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from shared.aws.dynamodb import item_mapper
from shared.domain.cursors import decode_group, encode_group
from shared.domain.duplicates import DuplicateGroup, DuplicatePage, best_first
from shared.domain.ledger import ImageKey
from shared.domain.table_schema import DUPLICATES_INDEX, DUPLICATES_SORT, LISTING_PARTITION

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MAX_SHOWN: Final = 100
"""Maximum number of images of a group in a page; each read requests one more."""
MAX_READS: Final = 10
"""Maximum number of reads for a page, which may therefore be short if most groups have shrunk to a single image."""


class DynamoDuplicates:
    """Stores a group as an attribute of the records in it, which a sparse index contains.

    A group has no item of its own, so an image leaves its group when its record is deleted.
    """

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def group_of(self, image: ImageKey) -> str | None:
        """Return the `image_id` of the first image of an image's group; None without a group."""
        held = self._held(item_mapper.record_key(image.image_id, image.collection))
        return _group_of(held) if held and DUPLICATES_SORT in held else None

    def join(self, image: ImageKey, earlier: ImageKey) -> None:
        """Put an image into the group of an earlier near-duplicate. A repeated call changes nothing."""
        group = self._assign(earlier, earlier.image_id)
        if group is not None:
            self._assign(image, group)

    def _assign(self, image_key: ImageKey, group: str) -> str | None:
        """Put an image into `group` unless it has a group; return its group, or None if the image was removed."""
        key = item_mapper.record_key(image_key.image_id, image_key.collection)
        for _ in range(2):  # another worker may assign a group in the meantime
            held = self._held(key)
            if not held:
                return None
            if DUPLICATES_SORT in held:
                return _group_of(held)
            with suppress(self._client.exceptions.ConditionalCheckFailedException):
                self._client.update_item(
                    TableName=self._table,
                    Key=key,
                    UpdateExpression="SET #group = :group",
                    ConditionExpression="attribute_exists(pk) AND attribute_not_exists(#group)",
                    ExpressionAttributeNames={"#group": DUPLICATES_SORT},
                    ExpressionAttributeValues={":group": {"S": group}},
                )
                return group
        return None

    def _held(self, key: item_mapper.Item) -> Any:
        return self._client.get_item(
            TableName=self._table,
            Key=key,
            ProjectionExpression="pk, #group",
            ExpressionAttributeNames={"#group": DUPLICATES_SORT},
            ConsistentRead=True,
        ).get("Item")

    def page(self, collection: str, *, limit: int, cursor: str | None) -> DuplicatePage:
        """Return groups of at least two images, ordered by id; a page may have fewer than `limit`.

        Raises:
            InvalidCursor: the cursor is malformed or belongs to another collection.
        """
        after = decode_group(cursor, collection) if cursor else ""
        groups: list[DuplicateGroup] = []
        for _ in range(MAX_READS):
            answer = self._read(collection, after)
            more = "LastEvaluatedKey" in answer
            runs = [(name, list(items)) for name, items in groupby(answer["Items"], _group_of)]
            if more and len(runs) > 1:
                runs.pop()  # it may be incomplete, and the next read starts with it
            for name, items in runs:
                after = name
                if len(items) > 1:
                    shown = best_first([item_mapper.to_record(item) for item in items[:MAX_SHOWN]])
                    groups.append(DuplicateGroup(name, shown, truncated=len(items) > MAX_SHOWN))
                if len(groups) == limit and (more or name != runs[-1][0]):
                    return DuplicatePage(groups, encode_group(collection, after))
            if not more:
                return DuplicatePage(groups)
        return DuplicatePage(groups, encode_group(collection, after))

    def _read(self, collection: str, after: str) -> Any:
        condition = "#collection = :collection"
        values = {":collection": {"S": collection}}
        names = {"#collection": LISTING_PARTITION}
        if after:
            condition += " AND #group > :after"
            values[":after"] = {"S": after}
            names["#group"] = DUPLICATES_SORT
        return self._client.query(
            TableName=self._table,
            IndexName=DUPLICATES_INDEX,
            KeyConditionExpression=condition,
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=values,
            Limit=MAX_SHOWN + 1,
        )


def _group_of(item: item_mapper.Item) -> str:
    return str(item[DUPLICATES_SORT]["S"])
