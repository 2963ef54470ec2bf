"""The catalogue in DynamoDB: records, features and sources of images."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from shared.aws.dynamodb import item_mapper
from shared.aws.dynamodb.secondary_vectors import DynamoSecondaryVectors
from shared.aws.transient_errors import is_index_not_ready
from shared.domain.errors import IndexNotReady
from shared.domain.features import QUERY_SCALE, FeatureVector, LocalVector
from shared.domain.images import ImageRecord, IndexedImage, ObjectRef, Page
from shared.domain.ledger import ImageKey
from shared.domain.limits import DEFAULT_COLLECTION
from shared.domain.ports import Candidate, Candidates, Occurrences
from shared.domain.table_schema import (
    LISTING_INDEX,
    LOCAL_INDEX,
    PIXELS_HASH,
    PIXELS_INDEX,
    RECORD_ATTRIBUTES,
    SINCE,
    VECTOR_INDEX,
)

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MAX_SOURCES_SHOWN: Final = 100
COUNT_PAGES: Final = 10
"""Maximum number of pages of 1 MB that a count reads; a page holds about 3,000 images."""
FILTER_PAGES: Final = 10
FILTER_PAGE: Final = 500
"""Maximum number of reads for a page filtered by label, and of images in each read."""

_NAMES: Final = ("pk", "sk", "collection", "model", "created_at", *RECORD_ATTRIBUTES)
_PROJECTION: Final = ", ".join(f"#{name}" for name in _NAMES)
_PROJECTION_NAMES: Final = {f"#{name}": name for name in _NAMES}


class DynamoCatalogue:
    """The catalogue in one table.

    An image's partition `image#<image_id>` holds one record for each collection and one small item for each object
    with its bytes. So an image may have any number of sources, and adding one costs one write unit.
    """

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table
        self._secondary = DynamoSecondaryVectors(client, table)

    def add(self, image: IndexedImage, source: ObjectRef, secondary: Sequence[IndexedImage] = ()) -> bool:
        """Store an image's record; see `shared.domain.ports.Catalogue`."""
        for other in secondary:
            self.add_secondary(other)
        record = image.record
        try:
            self._client.put_item(
                TableName=self._table,
                Item=item_mapper.record_item(record, image.features, source, image.local_features, image.pixels_hash),
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
        """Store the vectors of a model other than the record's."""
        self._secondary.put(image)

    def is_first_source(self, image_key: ImageKey, models: Sequence[str], source: ObjectRef) -> bool | None:
        """Return whether `source` was the first to bring an image; None unless it has the vectors of all `models`."""
        held = self._described(image_key, models)
        return None if held is None else bool(held["brought_by"]["S"] == item_mapper.source_id(source))

    def described(self, image_key: ImageKey, models: Sequence[str]) -> bool:
        """Return whether an image is stored with the vectors of all `models`."""
        return self._described(image_key, models) is not None

    def _described(self, image_key: ImageKey, models: Sequence[str]) -> Any:
        held = self._client.get_item(
            TableName=self._table,
            Key=item_mapper.record_key(image_key.image_id, image_key.collection),
            ProjectionExpression="#model, brought_by",
            ExpressionAttributeNames={"#model": "model"},
            ConsistentRead=True,
        ).get("Item")
        if held and all(held["model"]["S"] == model or self._secondary.has(image_key, model) for model in models):
            return held
        return None

    def find(self, image_id: str, collection: str | None = None) -> ImageRecord | None:
        """Return the record of an image with up to `MAX_SOURCES_SHOWN` of its sources, or None.

        Without a collection, the default collection is preferred. With one, nothing of the others is read, so that
        neither the result nor the time it takes reveals what they hold.
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
        """Return the stored features, or None if there are none of this model."""
        item = self._client.get_item(
            TableName=self._table,
            Key=item_mapper.record_key(image_id, collection),
            ProjectionExpression="features, #model",
            ExpressionAttributeNames={"#model": "model"},
        ).get("Item")
        if not item or item["model"]["S"] != model:
            return self._secondary.find(ImageKey(collection, image_id), model)
        numbers: Any = item["features"]["L"]
        return item_mapper.from_numbers(numbers)

    def occurrences(self, image_id: str, collection: str | None = None) -> Occurrences:
        """Return where an image occurs now; with a collection, nothing of the others is read."""
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
        """Delete the record, so that no listing or search returns the image; return False if there was none."""
        try:
            self._client.delete_item(
                TableName=self._table,
                Key=item_mapper.record_key(image_key.image_id, image_key.collection),
                ConditionExpression="attribute_exists(pk)",
            )
            existed = True
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            existed = False
        self._secondary.delete(image_key)
        return existed

    def newest(self, collection: str, *, labels: Collection[str] | None, limit: int, cursor: str | None) -> Page:
        """Return one page of a collection, newest first; see `shared.domain.ports.Catalogue`.

        A page filtered by labels may have fewer than `limit` images and still a cursor. The filter runs here, because
        a filter expression costs the same reads and cannot search a list of labels for a name.

        Raises:
            InvalidCursor: the cursor is malformed or belongs to another collection.
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
            # One record more than requested shows whether there is a next page.
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
        """Return the number of images in a collection, and whether it is exact or a lower bound."""
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
        """Return the nearest images by the cosine of their features.

        Args:
            label: limits the images to those whose most probable class, in canonical form, it is.
            limit: 1 to 100, the range of SearchVectors.

        Raises:
            IndexNotReady: the index is being built.
        """
        return self._search(VECTOR_INDEX, features, collection=collection, model=model, label=label, limit=limit)

    def nearest_local(self, local: LocalVector, *, collection: str, model: str, limit: int) -> Candidates:
        """Return the nearest images by the cosine of their local features; `limit` is 1 to 100.

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
                raise IndexNotReady(f"The vector index {index} is still being built.") from error
            raise
        examined = answer.get("ConsumedCapacity", {}).get("VectorSearchRequestBytes")
        return Candidates(
            found=[
                Candidate(item_mapper.to_record(result["Item"]), cosine=max(-1.0, 1.0 - float(result["Score"])))
                for result in answer.get("SearchResults", [])
            ],
            bytes_examined=None if examined is None else int(examined),
        )

    def with_pixels(self, pixels_hash: str, *, collection: str, limit: int) -> list[ImageRecord]:
        """Return the images whose decoded pixels have this hash; see `shared.domain.ports.PixelSearch`."""
        found = self._client.query(
            TableName=self._table,
            IndexName=PIXELS_INDEX,
            KeyConditionExpression=f"{PIXELS_HASH} = :pixels AND #collection = :collection",
            ExpressionAttributeValues={":pixels": {"S": pixels_hash}, ":collection": {"S": collection}},
            ProjectionExpression=_PROJECTION,
            ExpressionAttributeNames=_PROJECTION_NAMES,
            Limit=limit,
        )
        return [item_mapper.to_record(item) for item in found["Items"]]

    def existing(self, image_ids: Collection[str], collection: str) -> set[str]:
        """Return which of these images the collection holds; see `shared.domain.ports.SearchIndex`."""
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
        """Return an image's records and sources whose sort key begins with `prefix`."""
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
