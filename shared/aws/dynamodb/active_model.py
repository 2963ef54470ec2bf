"""The active model: the one that searches use."""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

CACHE_SECONDS: Final = 5
"""How long a process caches the active model."""
_KEY: Final = {"pk": {"S": "settings"}, "sk": {"S": "model"}}


class DynamoActiveModel:
    """Reads from one item of the table which model searches use unless they name one.

    Args:
        model_ids: the models that this function has. A single model is active without a read; of several, the first
            is active if the table names none of them.
    """

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        model_ids: Sequence[str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._table = table
        self._model_ids = model_ids
        self._clock = clock
        self._cached: tuple[float, str] | None = None

    def __call__(self) -> str:
        if len(self._model_ids) == 1:
            return self._model_ids[0]
        if self._cached is None or self._clock() >= self._cached[0] + CACHE_SECONDS:
            stored = self.stored()
            self._cached = (self._clock(), stored if stored and stored in self._model_ids else self._model_ids[0])
        return self._cached[1]

    def stored(self) -> str | None:
        """Return the id that the table names, whether or not this function has the model."""
        found: Any = self._client.get_item(TableName=self._table, Key=_KEY, ConsistentRead=True)
        return str(found["Item"]["active"]["S"]) if "Item" in found else None

    def switch(self, model: str) -> None:
        self._client.put_item(TableName=self._table, Item={**_KEY, "active": {"S": model}})
