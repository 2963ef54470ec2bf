"""The vectors of secondary models: those other than the model of an image's record."""

from typing import TYPE_CHECKING, Any

from shared.aws.dynamodb import item_keys, item_mapper
from shared.aws.dynamodb.batches import batch_delete
from shared.domain.features import FeatureVector
from shared.domain.images import IndexedImage
from shared.domain.ledger import ImageKey

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoSecondaryVectors:
    """Stores one item for each image, collection and model, `features#<collection>#<model>`, in the image's partition.

    The item is in the same vector index as the record; the condition of a search on the model separates the models.
    It has `since` instead of `created_at`, which keeps it out of the listing index.
    """

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def put(self, image: IndexedImage) -> None:
        self._client.put_item(TableName=self._table, Item=item_mapper.vectors_item(image))

    def has(self, image_key: ImageKey, model: str) -> bool:
        return self._get(image_key, model, "pk") is not None

    def find(self, image_key: ImageKey, model: str) -> FeatureVector | None:
        item = self._get(image_key, model, "features")
        return item_mapper.from_numbers(item["features"]["L"]) if item else None

    def keys(self, image_key: ImageKey) -> list[dict[str, Any]]:
        """Return the keys of the vectors of all secondary models, one for each."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
            ExpressionAttributeValues={
                ":pk": item_keys.image_partition(image_key.image_id),
                ":prefix": {"S": item_keys.vectors_prefix(image_key.collection)},
            },
            ProjectionExpression="pk, sk",
            ConsistentRead=True,
        )
        return [{"pk": item["pk"], "sk": item["sk"]} for page in pages for item in page["Items"]]

    def delete(self, image_key: ImageKey) -> None:
        """Delete the vectors of all secondary models; may be repeated."""
        batch_delete(self._client, self._table, self.keys(image_key))

    def _get(self, image_key: ImageKey, model: str, projection: str) -> Any:
        return self._client.get_item(
            TableName=self._table,
            Key=item_keys.vectors_key(image_key.image_id, image_key.collection, model),
            ProjectionExpression=projection,
            ConsistentRead=True,
        ).get("Item")
