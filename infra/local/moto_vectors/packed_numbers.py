"""A compact form of long lists of numbers in moto's items.

moto creates an object for every number: 0.4 MB for a vector of 2048, or 4 GB for 10,000 items. It also converts all of
them to Decimal whenever it projects an item, even if the vector is not requested.
"""

import functools
from typing import Any

from moto.core.serialize import BaseJSONSerializer
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict


def patch_list_serializer() -> None:
    """Make moto serialise lists of numbers without examining the shape of each, which takes 0.2 s per vector.

    Call it once per process.
    """
    original = BaseJSONSerializer._serialize_type_list

    @functools.wraps(original)
    def serialise(self: BaseJSONSerializer, serialized: Any, value: Any, shape: Any, key: str) -> None:
        if value and all(isinstance(element, dict) and element.keys() == {"N"} for element in value):
            self._default_serialize(serialized, value, shape, key)
        else:
            original(self, serialized, value, shape, key)

    setattr(BaseJSONSerializer, "_serialize_type_list", serialise)  # noqa: B010 - mypy forbids assigning to a method


class PackedNumbers(DynamoType):
    """A DynamoDB list of numbers as one string; its objects are created again on each access.

    It is immutable: `unpack` an item before moto applies update expressions to it.
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
    """Replace one attribute of a stored item, whose size was checked before, with its compact form."""
    value = item.attrs.get(name)
    if type(value) is DynamoType:
        dict.__setitem__(item.attrs, name, PackedNumbers([number.value for number in value.value]))


def unpack(item: Item, name: str) -> None:
    """Convert one attribute of an item back to the form that moto can change."""
    value = item.attrs.get(name)
    if isinstance(value, PackedNumbers):
        dict.__setitem__(item.attrs, name, DynamoType(value.to_regular_json()))


def with_only(item: Item, names: set[str]) -> Item:
    """Return a copy of an item with only these top-level attributes."""
    slim = Item(item.hash_key, item.range_key, {})
    slim.attrs = LimitedSizeDict.__new__(LimitedSizeDict)
    for name, value in item.attrs.items():
        if name in names:
            dict.__setitem__(slim.attrs, name, value)
    return slim
