"""The active model in DynamoDB."""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from shared.domain.active_model import ActiveModel

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_KEY: Final = {"pk": {"S": "settings"}, "sk": {"S": "model"}}


class DynamoActiveModel(ActiveModel):
    """Keeps the active model in one item of the table."""

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        model_ids: Sequence[str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(model_ids, clock)
        self._client = client
        self._table = table

    def stored(self) -> str | None:
        found: Any = self._client.get_item(TableName=self._table, Key=_KEY, ConsistentRead=True)
        return str(found["Item"]["active"]["S"]) if "Item" in found else None

    def switch(self, model: str) -> None:
        self._client.put_item(TableName=self._table, Item={**_KEY, "active": {"S": model}})
