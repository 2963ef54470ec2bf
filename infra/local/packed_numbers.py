"""Long lists of numbers in moto's items, kept small.

moto makes an object of every number: 0.4 MB for a vector of 2048, which is 4 GB for 10,000 items, and it converts
all of them to Decimal whenever it projects an item, vector asked for or not.
"""

from typing import Any

from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict


class PackedNumbers(DynamoType):
    """A DynamoDB list of numbers as one text; the objects are made again whenever they are asked for."""

    def __init__(self, numbers: list[dict[str, str]]) -> None:
        self.type = "L"
        self._text = " ".join(number["N"] for number in numbers)

    @property
    def value(self) -> list[DynamoType]:
        return [DynamoType(number) for number in self.numbers]

    @property
    def numbers(self) -> list[dict[str, str]]:
        """In the API's own notation."""
        return [{"N": text} for text in self._text.split()]

    def to_regular_json(self) -> dict[str, Any]:
        return {"L": self.numbers}

    def size(self) -> int:
        return len(self._text)

    def __deepcopy__(self, memo: dict[int, Any]) -> "PackedNumbers":
        return self


def pack(item: Item, name: str) -> None:
    """Replace one attribute of a stored item; the limit on its size has been checked before."""
    value = item.attrs.get(name)
    if type(value) is DynamoType:
        dict.__setitem__(item.attrs, name, PackedNumbers(value.to_regular_json()["L"]))


def without_others(item: Item, expressions: list[list[str]]) -> Item:
    """An item with only the top-level attributes that a projection mentions."""
    wanted = {expression[0] for expression in expressions if expression}
    slim = Item(item.hash_key, item.range_key, {})
    slim.attrs = LimitedSizeDict.__new__(LimitedSizeDict)
    for name in wanted & item.attrs.keys():
        dict.__setitem__(slim.attrs, name, item.attrs[name])
    return slim
