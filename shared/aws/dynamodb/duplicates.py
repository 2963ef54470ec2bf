"""Groups of near-duplicates in DynamoDB."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from shared.aws.dynamodb import item_keys, item_mapper
from shared.aws.dynamodb.batches import batch_get, projection
from shared.domain.cursors import decode_group, decode_pair, encode_group, encode_pair
from shared.domain.duplicates import (
    DecidedPair,
    Decision,
    DecisionPage,
    Decisions,
    DuplicateGroup,
    DuplicatePage,
    best_first,
    kept_first,
)
from shared.domain.images import ImageRecord
from shared.domain.ledger import ImageKey
from shared.domain.quality import Quality
from shared.domain.table_schema import DUPLICATES_INDEX, DUPLICATES_SORT, LISTING_PARTITION, RECORD_ATTRIBUTES

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MAX_SHOWN: Final = 100
"""Maximum number of images of a group in a page; each read requests one more."""
MAX_READS: Final = 10
"""Maximum number of reads for a page, which may therefore be short if most groups have shrunk to a single image."""

_PROJECTION: Final = projection(
    *("pk", "sk", "collection", "model", "created_at", *RECORD_ATTRIBUTES),
    *("quality", "chosen", DUPLICATES_SORT),
)


class DynamoDuplicates:
    """Stores a group as an attribute of the records in it, which a sparse index contains.

    A group has no item of its own, so an image leaves its group when its record is deleted. Decisions are items of
    their own, two for each pair of images and one in the list of the collection, so that they outlive both images.
    """

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def records(self, collection: str, image_ids: Collection[str]) -> Mapping[str, ImageRecord]:
        """Return those of the images that the collection has now; see `shared.domain.ports.duplicates.Duplicates`."""
        keys = [item_keys.record_key(one, collection) for one in sorted(set(image_ids))]
        items = batch_get(self._client, self._table, keys, _PROJECTION)
        records = [item_mapper.to_record(item) for item in items if LISTING_PARTITION in item]
        return {record.image_id: record for record in records}

    def place(self, image: ImageKey, group: str | None, *, before: str | None) -> bool:
        """Move an image into a group, or out of any; see `shared.domain.ports.duplicates.Duplicates`."""
        values = {name: {"S": value} for name, value in ((":group", group), (":before", before)) if value is not None}
        unchanged = "attribute_not_exists(#group)" if before is None else "#group = :before"
        try:
            self._client.update_item(
                TableName=self._table,
                Key=item_keys.record_key(image.image_id, image.collection),
                UpdateExpression="REMOVE #group" if group is None else "SET #group = :group",
                ConditionExpression=f"attribute_exists(#collection) AND {unchanged}",
                ExpressionAttributeNames={"#group": DUPLICATES_SORT, "#collection": LISTING_PARTITION},
                **({"ExpressionAttributeValues": values} if values else {}),  # type: ignore[arg-type]
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def rate(self, image: ImageKey, quality: Quality) -> None:
        """Store the quality of an image, if it exists."""
        self._set_existing(image, "SET quality = :value", {"S": quality.to_text()})

    def choose(self, image: ImageKey, *, chosen: bool) -> None:
        """Note whether somebody chose to keep an image; an image that was removed stays removed."""
        if chosen:
            self._set_existing(image, "SET chosen = :value", {"BOOL": True})
        else:
            self._set_existing(image, "REMOVE chosen", None)

    def _set_existing(self, image: ImageKey, change: str, value: dict[str, Any] | None) -> None:
        values: Any = {"ExpressionAttributeValues": {":value": value}} if value else {}
        with suppress(self._client.exceptions.ConditionalCheckFailedException):
            self._client.update_item(
                TableName=self._table,
                Key=item_keys.record_key(image.image_id, image.collection),
                UpdateExpression=change,
                ConditionExpression="attribute_exists(pk)",
                **values,
            )

    def members(self, group: ImageKey, limit: int) -> Sequence[str]:
        """Return the ids of images in a group; the index may lag behind."""
        answer: Any = self._client.query(
            TableName=self._table,
            IndexName=DUPLICATES_INDEX,
            KeyConditionExpression="#collection = :collection AND #group = :group",
            ExpressionAttributeNames={"#collection": LISTING_PARTITION, "#group": DUPLICATES_SORT},
            ExpressionAttributeValues={":collection": {"S": group.collection}, ":group": {"S": group.image_id}},
            ProjectionExpression="image_id",
            Limit=limit,
        )
        return [item["image_id"]["S"] for item in answer["Items"]]

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
                    shown = [item_mapper.to_record(item) for item in items[:MAX_SHOWN]]
                    groups.append(DuplicateGroup(name, shown, truncated=len(items) > MAX_SHOWN))
                if len(groups) == limit and (more or name != runs[-1][0]):
                    return DuplicatePage(self._complete(collection, groups), encode_group(collection, after))
            if not more:
                return DuplicatePage(self._complete(collection, groups))
        return DuplicatePage(self._complete(collection, groups), encode_group(collection, after))

    def _complete(self, collection: str, groups: Sequence[DuplicateGroup]) -> Sequence[DuplicateGroup]:
        """Return the groups with what the index does not have, without images that have left them, best first."""
        known = self.records(collection, {record.image_id for group in groups for record in group.records})
        complete = []
        for group in groups:
            records = [known[one.image_id] for one in group.records if one.image_id in known]
            left = best_first([record for record in records if record.group == group.group_id])
            if len(left) > 1:
                complete.append(replace(group, records=kept_first(left, group.group_id)))
        return complete

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

    def decide(self, image: ImageKey, other: str, decision: Decision | None) -> None:
        """Store a decision on two images of a collection, or forget it."""
        keys = [
            item_keys.decision_key(image, other),
            item_keys.decision_key(ImageKey(image.collection, other), image.image_id),
            item_keys.decided_key(image.collection, *sorted((image.image_id, other))),
        ]
        writes: list[Any] = [
            {"Delete": {"TableName": self._table, "Key": key}}
            if decision is None
            else {"Put": {"TableName": self._table, "Item": key | {"decision": {"S": decision.value}}}}
            for key in keys
        ]
        self._client.transact_write_items(TransactItems=writes)

    def decisions(self, image: ImageKey) -> Decisions:
        """Return what was decided on an image and others of its collection."""
        found: dict[str, Decision] = {}
        for page in self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": item_keys.decision_key(image, "")["pk"]},
            ConsistentRead=True,
        ):
            found |= {item["sk"]["S"]: Decision(item["decision"]["S"]) for item in page["Items"]}
        return found

    def decided(self, collection: str, *, limit: int, cursor: str | None) -> DecisionPage:
        """Return a page of decisions.

        Raises:
            InvalidCursor: the cursor is malformed or belongs to another collection.
        """
        after: Any = {}
        if cursor:
            after["ExclusiveStartKey"] = item_keys.decided_key(collection, *decode_pair(cursor, collection))
        answer = self._client.query(
            TableName=self._table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": item_keys.decided_key(collection, "", "")["pk"]},
            ConsistentRead=True,
            Limit=limit,
            **after,
        )
        found = [DecidedPair(_pair_of(item), Decision(item["decision"]["S"])) for item in answer["Items"]]
        more = "LastEvaluatedKey" in answer and found
        return DecisionPage(found, encode_pair(collection, found[-1].images) if more else None)


def _pair_of(item: item_keys.Item) -> tuple[str, str]:
    one, _, other = item["sk"]["S"].partition("#")
    return one, other


def _group_of(item: item_keys.Item) -> str:
    return str(item[DUPLICATES_SORT]["S"])
