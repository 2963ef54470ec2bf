"""The images' records, features and sources in DynamoDB."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from shared.aws.dynamodb import item_mapper
from shared.aws.dynamodb.secondary_vectors import DynamoVectors
from shared.aws.transient_errors import is_index_not_ready
from shared.domain.errors import IndexNotReady
from shared.domain.features import QUERY_SCALE, FeatureVector, LocalVector
from shared.domain.images import ImageRecord, IndexedImage, ObjectRef, Page
from shared.domain.ledger import ImageKey
from shared.domain.limits import DEFAULT_COLLECTION
from shared.domain.ports import Candidate, Candidates, Occurrences
from shared.domain.table_schema import LISTING_INDEX, LOCAL_INDEX, RECORD_ATTRIBUTES, SINCE, VECTOR_INDEX

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MAX_SOURCES_SHOWN: Final = 100
COUNT_PAGES: Final = 10
"""Counting stops after so many pages of 1 MB; a page holds about 3,000 images."""
FILTER_PAGES: Final = 10
FILTER_PAGE: Final = 500
"""Maximum number of reads for a page filtered by label, and of images that one of them looks through."""

_NAMES: Final = ("pk", "sk", "collection", "model", "created_at", *RECORD_ATTRIBUTES)
_PROJECTION: Final = ", ".join(f"#{name}" for name in _NAMES)
_PROJECTION_NAMES: Final = {f"#{name}": name for name in _NAMES}


class DynamoCatalogue:
    """The catalogue in one table.

    An image's partition `image#<image_id>` holds one record a collection, and one small item for each object
    that brought those bytes. So an image may have any number of sources, and adding one costs one write unit.
    """

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table
        self._vectors = DynamoVectors(client, table)

    def add(self, image: IndexedImage, source: ObjectRef, secondary: Sequence[IndexedImage] = ()) -> bool:
        """Store an image; see `shared.domain.ports.Catalogue`."""
        for other in secondary:
            self.add_secondary(other)
        record = image.record
        try:
            self._client.put_item(
                TableName=self._table,
                Item=item_mapper.record_item(record, image.features, source, image.local_features),
                ConditionExpression="attribute_not_exists(pk) OR #model <> :model",
                ExpressionAttributeNames={"#model": "model"},
                ExpressionAttributeValues={":model": {"S": record.model}},
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            held: Any = error.response
            return bool(held["Item"]["brought_by"]["S"] == item_mapper.source_id(source))
        return True

    def add_secondary(self, image: IndexedImage) -> None:
        """Store the vector of a model that is not the record's."""
        self._vectors.put(image)

    def is_first_source(self, image_key: ImageKey, models: Sequence[str], source: ObjectRef) -> bool | None:
        """Whether `source` is what brought an image that all `models` have described; None: there is none such."""
        held = self._described(image_key, models)
        return None if held is None else bool(held["brought_by"]["S"] == item_mapper.source_id(source))

    def described(self, image_key: ImageKey, models: Sequence[str]) -> bool:
        """Whether all `models` have described an image that is there."""
        return self._described(image_key, models) is not None

    def _described(self, image_key: ImageKey, models: Sequence[str]) -> Any:
        held = self._client.get_item(
            TableName=self._table,
            Key=item_mapper.record_key(image_key.image_id, image_key.collection),
            ProjectionExpression="#model, brought_by",
            ExpressionAttributeNames={"#model": "model"},
            ConsistentRead=True,
        ).get("Item")
        if held and all(held["model"]["S"] == model or self._vectors.has(image_key, model) for model in models):
            return held
        return None

    def find(self, image_id: str, collection: str | None = None) -> ImageRecord | None:
        """The record of an image with up to `MAX_SOURCES_SHOWN` of its sources.

        Without a collection, the default one's is preferred to another's. With one, nothing of another is read, so
        that neither the answer nor its time tells of it.
        """
        chosen = self._record(image_id, collection or DEFAULT_COLLECTION)
        if chosen is None and collection is None:
            chosen = next(iter(self._partition(image_id, item_mapper.RECORDS_PREFIX, limit=1)), None)
        if chosen is None:
            return None
        record = item_mapper.to_record(chosen)
        found = self._partition(image_id, item_mapper.source_prefix(record.collection), limit=MAX_SOURCES_SHOWN)
        return replace(record, sources=tuple(map(item_mapper.to_source, found)))

    def features(self, image_id: str, collection: str, model: str) -> FeatureVector | None:
        """The stored vector, or None where there is none of this model."""
        item = self._client.get_item(
            TableName=self._table,
            Key=item_mapper.record_key(image_id, collection),
            ProjectionExpression="features, #model",
            ExpressionAttributeNames={"#model": "model"},
        ).get("Item")
        if not item or item["model"]["S"] != model:
            return self._vectors.find(ImageKey(collection, image_id), model)
        numbers: Any = item["features"]["L"]
        return item_mapper.from_numbers(numbers)

    def occurrences(self, image_id: str, collection: str | None = None) -> Occurrences:
        """Where an image occurs at this moment, in every collection or, reading nothing of the others, in one."""
        if collection is None:
            items = self._partition(image_id)
        else:
            record = self._record(image_id, collection)
            items = [*([record] if record else []), *self._partition(image_id, item_mapper.source_prefix(collection))]
        return Occurrences(
            collections=[item_mapper.collection_of(item) for item in items if item_mapper.is_record(item)],
            sources=[
                (item_mapper.collection_of(item), item_mapper.to_source(item))
                for item in items
                if not item_mapper.is_record(item)
            ],
        )

    def delete_record(self, image_key: ImageKey) -> bool:
        """Remove the record, so that no listing or search shows the image any more. False: there was none."""
        try:
            self._client.delete_item(
                TableName=self._table,
                Key=item_mapper.record_key(image_key.image_id, image_key.collection),
                ConditionExpression="attribute_exists(pk)",
            )
            there = True
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            there = False
        self._vectors.drop(image_key)
        return there

    def newest(self, collection: str, *, labels: Collection[str] | None, limit: int, cursor: str | None) -> Page:
        """Return one page of a collection, newest first; see `shared.domain.ports.Catalogue`.

        A page filtered by labels may hold fewer than `limit` images and still have a cursor. They are filtered here:
        a filter expression costs the same reads, and cannot look for a name in a list of labels.

        Raises:
            InvalidCursor: the cursor is not one that a page of this collection gave.
        """
        request: dict[str, Any] = {
            "TableName": self._table,
            "IndexName": LISTING_INDEX,
            "KeyConditionExpression": "#collection = :collection",
            "ExpressionAttributeValues": {":collection": {"S": collection}},
            "ScanIndexForward": False,
            "ProjectionExpression": _PROJECTION,
            "ExpressionAttributeNames": dict(_PROJECTION_NAMES),
        }
        if cursor:
            request["ExclusiveStartKey"] = item_mapper.decode_cursor(cursor, collection)
        found: list[tuple[Any, ImageRecord]] = []
        for _ in range(1 if labels is None else FILTER_PAGES):
            # One more than asked for tells whether there is a next page without reading it.
            answer = self._client.query(**request, Limit=limit + 1 if labels is None else max(limit + 1, FILTER_PAGE))
            read = [(item, item_mapper.to_record(item)) for item in answer["Items"]]
            found += [(item, record) for item, record in read if labels is None or record.has_any(labels)]
            if len(found) > limit or "LastEvaluatedKey" not in answer:
                break
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
        page = [record for _, record in found[:limit]]
        if len(found) > limit:
            return Page(page, item_mapper.encode_cursor(found[limit - 1][0]))
        return Page(
            page, item_mapper.encode_cursor(answer["LastEvaluatedKey"]) if "LastEvaluatedKey" in answer else None
        )

    def count(self, collection: str) -> tuple[int, bool]:
        """How many images a collection holds, and whether that is exact or only "at least"."""
        total = 0
        request: dict[str, Any] = {}
        for _ in range(COUNT_PAGES):
            answer = self._client.query(
                TableName=self._table,
                IndexName=LISTING_INDEX,
                KeyConditionExpression="#collection = :collection",
                ExpressionAttributeNames={"#collection": "collection"},
                ExpressionAttributeValues={":collection": {"S": collection}},
                Select="COUNT",
                **request,
            )
            total += answer["Count"]
            if "LastEvaluatedKey" not in answer:
                return total, True
            request = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
        return total, False

    def nearest(
        self, features: FeatureVector, *, collection: str, model: str, label: str | None, limit: int
    ) -> Candidates:
        """The nearest images by the cosine of their features.

        Args:
            label: of which class only, in canonical form; compared with the most probable class of an image.
            limit: 1 to 100, what SearchVectors allows.

        Raises:
            IndexNotReady: the index is being built.
        """
        return self._search(VECTOR_INDEX, features, collection=collection, model=model, label=label, limit=limit)

    def nearest_local(self, local: LocalVector, *, collection: str, model: str, limit: int) -> Candidates:
        """The nearest images by the cosine of their local features, which no model makes; `limit` is 1 to 100.

        Raises:
            IndexNotReady: the index is being built.
        """
        return self._search(LOCAL_INDEX, local, collection=collection, model=model, label=None, limit=limit)

    def _search(
        self, index: str, vector: FeatureVector, *, collection: str, model: str, label: str | None, limit: int
    ) -> Candidates:
        condition = "#collection = :collection AND #model = :model"
        names = _PROJECTION_NAMES | {f"#{SINCE}": SINCE}
        values: dict[str, Any] = {":collection": {"S": collection}, ":model": {"S": model}}
        if label is not None:
            condition += " AND #label = :label"
            names["#label"] = "label"
            values[":label"] = {"S": label}
        try:
            answer = self._client.search_vectors(
                TableName=self._table,
                IndexName=index,
                SearchVector=item_mapper.to_numbers(vector, QUERY_SCALE),
                TopK=limit,
                SearchConditionExpression=condition,
                ProjectionExpression=f"{_PROJECTION}, #{SINCE}",
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=values,
                ReturnConsumedCapacity="TOTAL",
            )
        except ClientError as error:
            if is_index_not_ready(error):
                raise IndexNotReady(f"The vector index {index} is not ready to be searched.") from error
            raise
        examined = answer.get("ConsumedCapacity", {}).get("VectorSearchRequestBytes")
        return Candidates(
            found=[
                Candidate(item_mapper.to_record(result["Item"]), cosine=max(-1.0, 1.0 - float(result["Score"])))
                for result in answer.get("SearchResults", [])
            ],
            bytes_examined=None if examined is None else int(examined),
        )

    def existing(self, image_ids: Collection[str], collection: str) -> set[str]:
        """Which of these images the collection holds; see `shared.domain.ports.Catalogue`."""
        keys: Any = [item_mapper.record_key(image_id, collection) for image_id in set(image_ids)]
        found = set[str]()
        while keys:
            answer: Any = self._client.batch_get_item(
                RequestItems={self._table: {"Keys": keys, "ProjectionExpression": "image_id", "ConsistentRead": True}}
            )
            found |= {item["image_id"]["S"] for item in answer["Responses"].get(self._table, [])}
            keys = answer.get("UnprocessedKeys", {}).get(self._table, {}).get("Keys", [])
        return found

    def _record(self, image_id: str, collection: str) -> Any:
        return self._client.get_item(
            TableName=self._table,
            Key=item_mapper.record_key(image_id, collection),
            ProjectionExpression=_PROJECTION,
            ExpressionAttributeNames=_PROJECTION_NAMES,
            ConsistentRead=True,
        ).get("Item")

    def _partition(self, image_id: str, prefix: str = "", limit: int | None = None) -> list[Any]:
        """What is kept of an image, or what of it has a sort key that begins with `prefix`."""
        condition, values = "pk = :pk", {":pk": item_mapper.image_partition(image_id)}
        if prefix:
            condition, values = f"{condition} AND begins_with(sk, :prefix)", values | {":prefix": {"S": prefix}}
        items: list[Any] = []
        for page in self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=values,
            ProjectionExpression=f"{_PROJECTION}, #bucket, #key, #version",
            ExpressionAttributeNames=_PROJECTION_NAMES | {f"#{name}": name for name in ("bucket", "key", "version")},
            PaginationConfig={} if limit is None else {"MaxItems": limit, "PageSize": limit},
            ConsistentRead=True,
        ):
            items += page["Items"]
        return [item for item in items if not item_mapper.is_vectors(item)]
