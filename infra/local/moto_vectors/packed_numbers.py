"""Long lists of numbers in moto's items, kept small.

moto makes an object of every number: 0.4 MB for a vector of 2048, which is 4 GB for 10,000 items, and it converts
all of them to Decimal whenever it projects an item, vector asked for or not.
"""

import functools
from typing import Any

from moto.core.serialize import BaseJSONSerializer
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict


def patch_list_serializer() -> None:
    """Have moto write lists of numbers without looking at the shape of each, 0.2 s a vector.

    To be called once a process.
    """
    original = BaseJSONSerializer._serialize_type_list

    @functools.wraps(original)
    def serialise(self: BaseJSONSerializer, serialized: Any, value: Any, shape: Any, key: str) -> None:
        if value and all(isinstance(element, dict) and element.keys() == {"N"} for element in value):
            self._default_serialize(serialized, value, shape, key)
        else:
            original(self, serialized, value, shape, key)

    setattr(BaseJSONSerializer, "_serialize_type_list", serialise)  # noqa: B010 - mypy lets no method be assigned


class PackedNumbers(DynamoType):
    """A DynamoDB list of numbers as one text; the objects are made again whenever they are asked for.

    It cannot be changed: `unpack` an item before moto's update expressions work on it.
    """

    def __init__(self, numbers: list[str]) -> None:
        self.type = "L"
        self._text = " ".join(numbers)

    @property
    def value(self) -> list[DynamoType]:
        return [DynamoType({"N": number}) for number in self.numbers]

    @property
    def numbers(self) -> list[str]:
        return self._text.split()

    def to_regular_json(self) -> dict[str, Any]:
        return {"L": [{"N": number} for number in self.numbers]}

    def size(self) -> int:
        return len(self._text)

    def __deepcopy__(self, memo: dict[int, Any]) -> "PackedNumbers":
        return self


def pack(item: Item, name: str) -> None:
    """Replace one attribute of a stored item; the limit on its size has been checked before."""
    value = item.attrs.get(name)
    if type(value) is DynamoType:
        dict.__setitem__(item.attrs, name, PackedNumbers([number.value for number in value.value]))


def unpack(item: Item, name: str) -> None:
    """Give one attribute of an item back the form that moto can change."""
    value = item.attrs.get(name)
    if isinstance(value, PackedNumbers):
        dict.__setitem__(item.attrs, name, DynamoType(value.to_regular_json()))


def without_others(item: Item, names: set[str]) -> Item:
    """An item with only some of its top-level attributes."""
    slim = Item(item.hash_key, item.range_key, {})
    slim.attrs = LimitedSizeDict.__new__(LimitedSizeDict)
    for name, value in item.attrs.items():
        if name in names:
            dict.__setitem__(slim.attrs, name, value)
    return slim
