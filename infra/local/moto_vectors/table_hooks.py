"""Hooks that update the vector indexes of moto's DynamoDB tables whenever an item is stored, changed or removed.

PutItem, BatchWriteItem, PartiQL, imports and transactions all call `Table.put_item` and `Table.delete_item`; only
UpdateItem changes a stored item itself. These three methods are hooked.
"""

import copy
import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from moto.dynamodb.models import DynamoDBBackend, Table, dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType, Item

from infra.local.moto_vectors import lifecycle
from infra.local.moto_vectors.lifecycle import Phase
from infra.local.moto_vectors.packed_numbers import PackedNumbers, pack, patch_list_serializer, unpack, with_only
from infra.local.moto_vectors.rules import IndexDefinition, check_write
from infra.local.moto_vectors.search_request import comparable
from infra.local.moto_vectors.table_reads import install_reads, snapshot, table_lock
from infra.local.moto_vectors.vector_index import Entry, VectorIndex


@dataclass
class TableIndex:
    """A vector index of a table: its definition, its vectors and its phase."""

    definition: IndexDefinition
    vectors: VectorIndex
    phase: Phase = Phase.SEARCHABLE

    @classmethod
    def build(cls, definition: IndexDefinition, items: Iterable[Item], phase: Phase = Phase.SEARCHABLE) -> "TableIndex":
        empty = VectorIndex(dimensions=definition.dimensions, distance=definition.distance, filters=definition.filters)
        index = cls(definition, empty, phase)
        for item in items:
            index.put(item)
        return index

    def put(self, item: Item) -> None:
        self.vectors.put(_key(item.hash_key, item.range_key), self._entry(item))

    def _entry(self, item: Item) -> Entry | None:
        """Return the entry of an item; None without a vector of the right size or without the HASH attribute."""
        wanted = self.definition
        numbers = _numbers(item.attrs.get(wanted.attribute))
        if numbers is None or len(numbers) != wanted.dimensions:
            return None
        vector = np.array([float(number) for number in numbers]).astype(np.float32)
        partition, *filters = (_scalar(item.attrs.get(name)) for name in (wanted.hash_key, *wanted.filters))
        if not np.isfinite(vector).all() or (wanted.hash_key and partition is None):
            return None
        return Entry(vector, partition if wanted.hash_key else (), filters, item)

    def describe(self, table_arn: str) -> dict[str, Any]:
        """Return a `VectorIndexDescription`; an ACTIVE index has no `Backfilling`."""
        return (
            dict(self.definition.described)
            | lifecycle.status(self.phase)
            | {
                "ItemCount": len(self.vectors),
                "IndexSizeBytes": self.vectors.size_bytes,
                "IndexArn": f"{table_arn}/index/{self.definition.name}",
            }
        )


def indexes(table: Table) -> dict[str, TableIndex]:
    """Return the vector indexes of a table, by name."""
    return cast(dict[str, TableIndex], table.__dict__.setdefault("vector_indexes", {}))


def set_phase(table: str, index: str, phase: Phase) -> None:
    """Set the phase of an index of a table, in any account and region.

    Raises:
        LookupError: no table of this name has such an index.
    """
    for account in dynamodb_backends.values():
        for backend in account.values():
            if table in backend.tables and index in indexes(backend.tables[table]):
                indexes(backend.tables[table])[index].phase = phase
                return
    raise LookupError(f"no table {table} has a vector index {index}")


def _key(hash_key: DynamoType, range_key: DynamoType | None) -> tuple[DynamoType, DynamoType | None]:
    return hash_key, range_key


def types_of(attributes: Iterable[Mapping[str, str]]) -> dict[str, str]:
    return {entry["AttributeName"]: entry["AttributeType"] for entry in attributes}


def _numbers(value: DynamoType | None) -> list[str] | None:
    if isinstance(value, PackedNumbers):
        return value.numbers
    if value is None or not value.is_list() or not all(element.is_number() for element in value.value):
        return None
    return [element.value for element in value.value]


def _wire(value: DynamoType) -> dict[str, Any]:
    """Return an attribute in the API's notation, one level deep: the checks need no more."""
    if not value.is_list():
        return cast(dict[str, Any], value.to_json())
    return {"L": [element.to_json() for element in value.value]}


def _scalar(value: DynamoType | None) -> Any:
    return None if value is None or value.type not in {"S", "N", "B"} else comparable(value.to_json())


def _check_item(table: Table, attributes: Mapping[str, Any]) -> None:
    table_indexes = indexes(table)
    if table_indexes:
        check_write(attributes, [index.definition for index in table_indexes.values()], types_of(table.attr))


def _index_item(table: Table, item: Item) -> None:
    """Update the indexes with an item that was stored."""
    for index in indexes(table).values():
        index.put(item)
        pack(item, index.definition.attribute)


def _restore(table: Table, hash_key: DynamoType, range_key: DynamoType | None, item: Item | None) -> None:
    """Restore the item that the table had under a key, or None if it had none."""
    if item is None:
        table.items[hash_key].pop(range_key, None) if range_key else table.items.pop(hash_key, None)
    elif range_key:
        table.items[hash_key][range_key] = item
    else:
        table.items[hash_key] = item


def locked(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def locked(*args: Any, **kwargs: Any) -> Any:
        with table_lock:
            return original(*args, **kwargs)

    return locked


def install_hooks() -> None:
    """Make moto's tables index the items that they store. Call it once per process."""
    patch_list_serializer()
    _hook_table()
    install_reads()
    _hook_backend()


def _hook_table() -> None:
    put_item, delete_item, describe, project = Table.put_item, Table.delete_item, Table.describe, Item.project

    @locked
    def put(table: Table, item_attrs: dict[str, Any], *args: Any, **kwargs: Any) -> Item:
        _check_item(table, item_attrs)
        vectors = {index.definition.attribute for index in indexes(table).values()} & item_attrs.keys()
        # moto recomputes an item's size with each attribute that it adds, so the long ones come last.
        ordered = {name: value for name, value in item_attrs.items() if name not in vectors}
        item = put_item(table, ordered | {name: item_attrs[name] for name in vectors}, *args, **kwargs)
        _index_item(table, item)
        return item

    @locked
    def delete(table: Table, hash_key: DynamoType, range_key: DynamoType | None) -> Item | None:
        item = delete_item(table, hash_key, range_key)
        for index in indexes(table).values():
            index.vectors.put(_key(hash_key, range_key), None)
        return item

    def described(table: Table, base_key: str = "TableDescription") -> dict[str, Any]:
        result: dict[str, Any] = describe(table, base_key)
        if indexes(table):
            result[base_key]["VectorIndexes"] = [index.describe(table.table_arn) for index in indexes(table).values()]
            if any(index.phase is Phase.ALLOCATING for index in indexes(table).values()):
                result[base_key]["TableStatus"] = "UPDATING"
        return result

    def quick_project(item: Item, expressions: list[list[str]]) -> Item:
        # A path's first part may have a subscript: `labels[0]`.
        return project(with_only(item, {path[0].split("[")[0] for path in expressions if path}), expressions)

    def copied(table: Table, _: dict[int, Any]) -> Table:
        """Copy a table as moto does before each transaction: shallowly, as its items are replaced and never changed."""
        twin = snapshot(table)
        twin.__dict__["vector_indexes"] = dict(indexes(table))
        return twin

    Item.project = quick_project
    Table.put_item, Table.delete_item, Table.describe, Table.__deepcopy__ = put, delete, described, copied


def _hook_backend() -> None:
    update_item, transact = DynamoDBBackend.update_item, DynamoDBBackend.transact_write_items

    @locked
    def update(backend: DynamoDBBackend, table_name: str, key: dict[str, Any], *args: Any, **kwargs: Any) -> Item:
        table = backend.get_table(table_name)
        if not indexes(table) or not key.keys() >= set(table.table_key_attrs):
            return update_item(backend, table_name, key, *args, **kwargs)
        hash_key, range_key = backend.get_keys_value(table, key)
        before = table.get_item(hash_key, range_key)
        if before is not None:
            # moto changes the stored object in place: readers, and a refused update, need the original.
            changing = copy.deepcopy(before)
            for index in indexes(table).values():
                unpack(changing, index.definition.attribute)
            _restore(table, hash_key, range_key, changing)
        try:
            item = update_item(backend, table_name, key, *args, **kwargs)
            _check_item(table, {name: _wire(value) for name, value in item.attrs.items()})
        except Exception:
            _restore(table, hash_key, range_key, before)
            raise
        _index_item(table, item)
        return item

    @locked
    def transact_all(backend: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
        try:
            transact(backend, transact_items)
        except Exception:
            _roll_back(backend, transact_items)
            raise

    DynamoDBBackend.update_item, DynamoDBBackend.transact_write_items = update, transact_all


def _roll_back(backend: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
    """Update the indexes of a cancelled transaction's tables after moto has restored them."""
    for operation in (next(iter(item.values())) for item in transact_items):
        table = backend.tables.get(operation.get("TableName"))
        if table is None or not indexes(table):
            continue
        hash_key, range_key = backend.get_keys_value(table, operation.get("Key") or operation["Item"])
        item = table.get_item(hash_key, range_key)
        for index in indexes(table).values():
            if item is None:
                index.vectors.put(_key(hash_key, range_key), None)
            else:
                index.put(item)
