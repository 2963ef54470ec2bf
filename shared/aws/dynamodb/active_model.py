"""Which of two models is asked."""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEPT_SECONDS: Final = 5
"""How long a function goes by what it has read."""
_KEY: Final = {"pk": {"S": "settings"}, "sk": {"S": "model"}}


class ActiveModel:
    """One item of the table names the model that searches ask unless they name one themselves.

    Args:
        held: the ids of the models that this function holds. A single one is active without a look; of several it is
            the first where the table names none of them.
    """

    def __init__(
        self, client: "DynamoDBClient", table: str, held: Sequence[str], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = client
        self._table = table
        self._held = held
        self._clock = clock
        self._read: tuple[float, str] | None = None

    def __call__(self) -> str:
        if len(self._held) == 1:
            return self._held[0]
        if self._read is None or self._clock() >= self._read[0] + KEPT_SECONDS:
            named = self.named()
            self._read = (self._clock(), named if named and named in self._held else self._held[0])
        return self._read[1]

    def named(self) -> str | None:
        """What the table says, held here or not."""
        found: Any = self._client.get_item(TableName=self._table, Key=_KEY, ConsistentRead=True)
        return str(found["Item"]["active"]["S"]) if "Item" in found else None

    def switch(self, model: str) -> None:
        self._client.put_item(TableName=self._table, Item={**_KEY, "active": {"S": model}})
