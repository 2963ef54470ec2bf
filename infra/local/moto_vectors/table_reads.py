"""Reads of moto's tables that others may write meanwhile, and that take no longer the more a table holds.

moto iterates over dictionaries that concurrent reads and writes change, and sorts a whole table for each query. An item
that is being updated is read once that is done; what was read does not change any more.
"""

import copy
import functools
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, Final

from moto.dynamodb.models import Table
from moto.dynamodb.models.dynamo_type import DynamoType, Item

table_lock: Final = threading.RLock()
"""Held while an item changes, so that a table and its indexes change together and a rollback loses no other write, and
while items are looked up."""


def install_reads() -> None:
    """Replace the reads of moto's tables. Call it once per process."""
    for name in ("all_items", "has_idx_items", "__len__"):
        setattr(Table, name, _of_snapshot(getattr(Table, name)))
    query, get_item = Table.query, Table.get_item

    def quick_query(table: Table, hash_key: DynamoType | None, *args: Any, **kwargs: Any) -> Any:
        conditions = kwargs.get("hash_key_conditions")
        return query(_partition(table, conditions) if conditions else table, hash_key, *args, **kwargs)

    def get(table: Table, hash_key: DynamoType, *args: Any, **kwargs: Any) -> Item | None:
        # moto adds an empty partition for each key that it does not find; without the key it would be a leak.
        if hash_key not in table.items and table.has_range_key:
            table = _holding(table, {})
        with table_lock:
            found: Item | None = get_item(table, hash_key, *args, **kwargs)
        return found

    Table.query, Table.get_item = quick_query, get


def snapshot(table: Table) -> Table:
    """Copy a table with dictionaries of its own; `dict` copies each in one step, between which other threads run."""
    with table_lock:
        return _holding(table, {key: _copied(held) for key, held in dict(table.items).items()})


def _of_snapshot(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def read(table: Table, *args: Any) -> Any:
        return original(snapshot(table), *args)

    return read


def _partition(table: Table, conditions: Sequence[tuple[str, DynamoType]]) -> Table:
    """Return a table of only the items that have the values of these attributes."""
    wanted = dict(conditions)
    if wanted.keys() == {table.hash_key_attr}:
        key = wanted[table.hash_key_attr]
        with table_lock:
            held = table.items.get(key)
            return _holding(table, {} if held is None else {key: _copied(held)})
    found: dict[DynamoType, Any] = {}
    for key, held in snapshot(table).items.items():
        if not isinstance(held, dict):
            if _has(held, wanted):
                found[key] = held
        elif matching := {sort: item for sort, item in held.items() if _has(item, wanted)}:
            found[key] = matching
    return _holding(table, found)


def _has(item: Item, wanted: dict[str, DynamoType]) -> bool:
    return all(name in item.attrs and item.attrs[name] == value for name, value in wanted.items())


def _holding(table: Table, items: dict[DynamoType, Any]) -> Table:
    twin = copy.copy(table)
    twin.items = defaultdict(dict, items)
    return twin


def _copied(held: Any) -> Any:
    return dict(held) if isinstance(held, dict) else held
