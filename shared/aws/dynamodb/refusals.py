"""Why images could not be described by another model, for the command that asked for it."""

import time
from typing import TYPE_CHECKING

from shared.aws.dynamodb import item_keys
from shared.domain.errors import PictureRefused
from shared.domain.ledger import ImageKey
from shared.domain.limits import REFUSAL_DAYS
from shared.domain.table_schema import TTL_ATTRIBUTE

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoRefusals:
    """Stores the last refusal for each image, collection and model; it expires after `REFUSAL_DAYS`."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def put(self, image_key: ImageKey, model: str, refused: PictureRefused) -> None:
        now = time.time()
        self._client.put_item(
            TableName=self._table,
            Item={
                **item_keys.refusal_key(image_key.image_id, image_key.collection, model),
                "image_id": {"S": image_key.image_id},
                "code": {"S": refused.code},
                "reason": {"S": refused.reason},
                "revision": {"N": str(int(now * 1000))},
                TTL_ATTRIBUTE: {"N": str(int(now) + REFUSAL_DAYS * 86_400)},
            },
        )
