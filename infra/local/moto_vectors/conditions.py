"""Conditions on the inline filters, as masks over rows: comparisons, BETWEEN and IN, joined by AND, OR and NOT.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/VectorSearchFilterReference.html
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]
"""One boolean for each row of a partition."""

Value = tuple[str, Any]
"""Type (`S`, `N` or `B`) and content, in a form that Python compares as DynamoDB does."""

COMPARATORS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class AttributeCondition:
    """A condition on one attribute; `absent` is its value for an item without the attribute."""

    name: str
    holds: Callable[[Value], bool]
    absent: bool = False

    def mask(self, column: Callable[[str], "Column"]) -> Mask:
        return column(self.name).mask(self.holds, absent=self.absent)


@dataclass(frozen=True, slots=True)
class And:
    parts: Sequence["Condition"]

    def mask(self, column: Callable[[str], "Column"]) -> Mask:
        masks: Mask = np.logical_and.reduce([part.mask(column) for part in self.parts])
        return masks


@dataclass(frozen=True, slots=True)
class Or:
    parts: Sequence["Condition"]

    def mask(self, column: Callable[[str], "Column"]) -> Mask:
        masks: Mask = np.logical_or.reduce([part.mask(column) for part in self.parts])
        return masks


@dataclass(frozen=True, slots=True)
class Not:
    part: "Condition"

    def mask(self, column: Callable[[str], "Column"]) -> Mask:
        return ~self.part.mask(column)


Condition = AttributeCondition | And | Or | Not


@dataclass(frozen=True, slots=True)
class Column:
    """One inline filter of every row: a code for each distinct value, -1 if the item has no value."""

    codes: npt.NDArray[np.int32]
    values: Sequence[Value]

    def mask(self, holds: Callable[[Value], bool], *, absent: bool) -> Mask:
        # Tests each distinct value once, however many rows have it.
        present, where = np.unique(self.codes, return_inverse=True)
        tested = np.array([absent if code < 0 else holds(self.values[code]) for code in present], dtype=bool)
        return tested[where]


def comparison(name: str, comparator: str, value: Value) -> AttributeCondition:
    """Return a comparison. An item without the attribute differs from every value and is neither less nor greater."""
    compare = COMPARATORS[comparator]
    return AttributeCondition(name, lambda held: compare(held[1], value[1]), absent=comparator == "<>")


def between(name: str, low: Value, high: Value) -> AttributeCondition:
    return AttributeCondition(name, lambda held: bool(low[1] <= held[1] <= high[1]))


def one_of(name: str, values: Sequence[Value]) -> AttributeCondition:
    return AttributeCondition(name, lambda held: held in values)
