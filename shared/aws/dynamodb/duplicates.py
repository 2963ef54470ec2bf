"""Groups of near-duplicates in DynamoDB, written as they are found and read by the page."""

from contextlib import suppress
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from shared.aws.dynamodb import item_mapper
from shared.domain.duplicates import DuplicateGroup, DuplicatePage, best_first
from shared.domain.ledger import ImageKey
from shared.domain.table_schema import DUPLICATES_INDEX, DUPLICATES_SORT, LISTING_PARTITION

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MAX_SHOWN: Final = 100
"""Most images of a group that are shown; one read asks for one more."""
READS: Final = 10
"""A page costs at most so many reads before it gives what it has, as when most groups are single images now."""


class DynamoDuplicates:
    """A record carries the name of its group, and a sparse index has those records that do.

    So a group needs no item of its own: an image that is removed leaves its group with its record.
    """

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def join(self, image: ImageKey, earlier: ImageKey) -> None:
        """Put an image into the group of an earlier one that it nearly repeats. Repeating it changes nothing."""
        group = self._mark(earlier, earlier.image_id)
        if group is not None:
            self._mark(image, group)

    def _mark(self, image_key: ImageKey, group: str) -> str | None:
        """The group that an image is in, which is `group` if it was in none; None where the image is gone."""
        key = item_mapper.record_key(image_key.image_id, image_key.collection)
        for _ in range(2):  # somebody else may put it into a group meanwhile
            held = self._client.get_item(
                TableName=self._table,
                Key=key,
                ProjectionExpression="pk, #group",
                ExpressionAttributeNames={"#group": DUPLICATES_SORT},
                ConsistentRead=True,
            ).get("Item")
            if not held:
                return None
            if DUPLICATES_SORT in held:
                return str(held[DUPLICATES_SORT]["S"])
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

    def page(self, collection: str, *, limit: int, cursor: str | None) -> DuplicatePage:
        """Groups with at least two images, in the order of their ids; a page may have fewer than `limit`.

        Raises:
            InvalidCursor: the cursor is not one that a page of this collection gave.
        """
        after = item_mapper.decode_group(cursor, collection) if cursor else ""
        groups: list[DuplicateGroup] = []
        for _ in range(READS):
            answer = self._read(collection, after)
            more = "LastEvaluatedKey" in answer
            runs = [(name, list(items)) for name, items in groupby(answer["Items"], _group_of)]
            if more and len(runs) > 1:
                runs.pop()  # perhaps not all of it: it is read again, from its beginning
            for name, items in runs:
                after = name
                if len(items) > 1:
                    shown = best_first([item_mapper.to_record(item) for item in items[:MAX_SHOWN]])
                    groups.append(DuplicateGroup(name, shown, truncated=len(items) > MAX_SHOWN))
                if len(groups) == limit and (more or name != runs[-1][0]):
                    return DuplicatePage(groups, item_mapper.encode_group(collection, after))
            if not more:
                return DuplicatePage(groups)
        return DuplicatePage(groups, item_mapper.encode_group(collection, after))

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
