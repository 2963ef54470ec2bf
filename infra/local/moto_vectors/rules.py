"""Validation of vector indexes and of items with vectors, with the service's messages.

docs/development/moto-vector-search.md lists which messages are documented, which were captured from the service, and
which are our own.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from moto.core.exceptions import JsonRESTError
from moto.dynamodb.exceptions import ERROR_TYPE_PREFIX, MockValidationException

MAX_INDEXES: Final = 5
MAX_DIMENSIONS: Final = 4096
MAX_INLINE_FILTERS: Final = 18
MAX_FLOAT32: Final = 3.4028235677973366e38
"""The smallest number whose nearest float32 is infinite."""

_INVALID: Final = "One or more parameter values were invalid: "
_INVALID_VECTOR: Final = "One or more parameter values were invalid. "
_INDEX_NAME: Final = re.compile(r"[a-zA-Z0-9_.-]+")
_MIN_INDEX_NAME, _MAX_INDEX_NAME = 3, 255

ON_DEMAND_ONLY: Final = _INVALID + "Vector indexes are only supported for PAY_PER_REQUEST tables"


class LimitExceeded(JsonRESTError):  # noqa: N818 - the service's name
    """DynamoDB's LimitExceededException."""

    def __init__(self, message: str) -> None:
        super().__init__(ERROR_TYPE_PREFIX + "LimitExceededException", message)


@dataclass(frozen=True, slots=True)
class IndexDefinition:
    """A `VectorIndex` structure of the API.

    Attributes:
        distance: COSINE, EUCLIDEAN or DOT_PRODUCT.
        hash_key: the partition key of the search schema, if it has one.
        included: the attributes that an INCLUDE projection adds to the keys; None if all are projected.
        described: the structure as the request has it.
    """

    name: str
    attribute: str
    dimensions: int
    distance: str
    hash_key: str | None
    filters: Sequence[str]
    included: frozenset[str] | None
    described: Mapping[str, Any]

    @classmethod
    def of(cls, wanted: Mapping[str, Any]) -> "IndexDefinition":
        """Read a structure that `check_shape` accepted."""
        schema = wanted.get("SearchSchema") or []
        by_kind = {
            kind: [entry["AttributeName"] for entry in schema if entry["SearchSchemaElementType"] == kind]
            for kind in ("HASH", "INLINE_FILTER")
        }
        projection = wanted["Projection"]
        everything = projection["ProjectionType"] == "ALL"
        return cls(
            name=wanted["IndexName"],
            attribute=wanted["VectorAttribute"]["AttributeName"],
            dimensions=int(wanted["Dimensions"]),
            distance=wanted["DistanceFunction"],
            hash_key=next(iter(by_kind["HASH"]), None),
            filters=by_kind["INLINE_FILTER"],
            included=None if everything else frozenset(projection.get("NonKeyAttributes") or []),
            described=dict(wanted) | {"Dimensions": int(wanted["Dimensions"])},
        )

    @property
    def searched(self) -> Sequence[str]:
        """The names of the search schema's attributes."""
        return [*([self.hash_key] if self.hash_key else []), *self.filters]


def check_shape(wanted: Mapping[str, Any], path: str) -> None:
    """Refuse a structure that the API's model does not allow.

    Args:
        path: its path in the request, such as `vectorIndexes.1.member`.
    """
    for member in ("IndexName", "VectorAttribute", "Projection", "Dimensions", "DistanceFunction"):
        if wanted.get(member) is None:
            raise _constraint(None, f"{path}.{member[0].lower()}{member[1:]}", "Member must not be null")
    name = wanted["IndexName"]
    if len(name) < _MIN_INDEX_NAME:
        raise _constraint(name, f"{path}.indexName", "Member must have length greater than or equal to 3")
    if len(name) > _MAX_INDEX_NAME:
        raise _constraint(name, f"{path}.indexName", "Member must have length less than or equal to 255")
    if not _INDEX_NAME.fullmatch(name):
        raise _constraint(name, f"{path}.indexName", "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+")
    if wanted["DistanceFunction"] not in {"COSINE", "DOT_PRODUCT", "EUCLIDEAN"}:
        raise _constraint(
            wanted["DistanceFunction"],
            f"{path}.distanceFunction",
            "Member must satisfy enum value set: [DOT_PRODUCT, COSINE, EUCLIDEAN]",
        )


def check_index(
    wanted: IndexDefinition,
    *,
    others: Sequence[IndexDefinition],
    types: Mapping[str, str],
    billing_mode: str | None,
) -> None:
    """Refuse an index that its table cannot have.

    Args:
        others: the table's other vector indexes.
        types: the attribute definitions of the request, name to `S`, `N` or `B`.
    """
    if billing_mode != "PAY_PER_REQUEST":
        raise MockValidationException(ON_DEMAND_ONLY)
    if not 1 <= wanted.dimensions <= MAX_DIMENSIONS:
        raise MockValidationException(
            _INVALID + f"Number of dimensions must be between 1 and {MAX_DIMENSIONS} inclusive."
        )
    if any(other.attribute == wanted.attribute and other.dimensions != wanted.dimensions for other in others):
        raise MockValidationException(
            _INVALID + f"Conflicting attribute definition for '{wanted.attribute}'. "
            "All VectorIndexes on the same vector attribute must use the same dimensions."
        )
    if not set(wanted.searched) <= types.keys():
        raise MockValidationException(_INVALID + "One element in SearchSchema is not defined in attribute definitions")
    if wanted.attribute in types:
        raise MockValidationException(
            _INVALID + f"Conflicting attribute definition for '{wanted.attribute}'. "
            "An attribute cannot be defined in AttributeDefinitions when used as a VectorAttribute."
        )
    schema = wanted.described.get("SearchSchema") or []
    if sum(entry["SearchSchemaElementType"] == "HASH" for entry in schema) > 1:
        raise MockValidationException(_INVALID + "SearchSchema can have at most 1 HASH element")
    if len(wanted.filters) > MAX_INLINE_FILTERS:
        raise MockValidationException(
            _INVALID + f"SearchSchema can have at most {MAX_INLINE_FILTERS} INLINE_FILTER elements"
        )
    _check_projection(wanted.described["Projection"])


def _check_projection(projection: Mapping[str, Any]) -> None:
    kind, named = projection.get("ProjectionType"), projection.get("NonKeyAttributes")
    if kind not in {"ALL", "KEYS_ONLY", "INCLUDE"}:
        raise MockValidationException(_INVALID + f"Unknown ProjectionType: {kind}")
    if kind == "INCLUDE" and not named:
        raise MockValidationException(_INVALID + "ProjectionType is INCLUDE, but NonKeyAttributes is not specified")
    if kind != "INCLUDE" and named:
        raise MockValidationException(_INVALID + f"ProjectionType is {kind}, but NonKeyAttributes is specified")


def check_write(
    item: Mapping[str, Mapping[str, Any]], definitions: Sequence[IndexDefinition], types: Mapping[str, str]
) -> None:
    """Refuse an item whose vector or search schema attributes an index cannot hold.

    A missing attribute is accepted: such an item is only left out of the index.

    Args:
        item: name to attribute value, in the API's notation.
    """
    for index in definitions:
        if index.attribute in item:
            _check_vector(item[index.attribute], index)
        for name in index.searched:
            for kind, content in item.get(name, {}).items():
                if kind != types[name]:
                    raise MockValidationException(
                        _INVALID + f"Type mismatch for Index Key {name} Expected: {types[name]} Actual: {kind} "
                        f"IndexName: {index.name}"
                    )
                if not content:
                    raise MockValidationException(
                        "One or more parameter values are not valid. A value specified for a secondary index key is "
                        "not supported. The AttributeValue for a key attribute cannot contain an empty string value. "
                        f"IndexName: {index.name}, IndexKey: {name}"
                    )


def check_number(text: str) -> None:
    """Refuse text that is not a DynamoDB number, including NaN and the infinities."""
    try:
        finite = math.isfinite(float(text))
    except ValueError:
        finite = False
    if not finite:
        raise MockValidationException(f"The parameter cannot be converted to a numeric value: {text}")


def _check_vector(value: Mapping[str, Any], index: IndexDefinition) -> None:
    elements = value.get("L")
    if elements is None:
        raise MockValidationException(
            _INVALID_VECTOR + f"Invalid type for parameter {index.attribute}, "
            f"Expected: 32-bit floating point number list IndexName: {index.name}"
        )
    for at, element in enumerate(elements):
        text = element.get("N")
        if text is not None:
            check_number(text)
        if text is None or abs(float(text)) >= MAX_FLOAT32:
            raise MockValidationException(
                _INVALID_VECTOR + f"Invalid type for parameter {index.attribute}[{at}], Expected: 32-bit floating "
                f"point number, Actual: {next(iter(element))}. IndexName: {index.name}"
            )
    if len(elements) != index.dimensions:
        raise MockValidationException(
            _INVALID_VECTOR + f"Invalid size for parameter {index.attribute}, "
            f"Expected: {index.dimensions}, Actual: {len(elements)} IndexName: {index.name}"
        )


def _constraint(value: object, path: str, rule: str) -> MockValidationException:
    given = "null" if value is None else f"'{value}'"
    return MockValidationException(
        f"1 validation error detected: Value {given} at '{path}' failed to satisfy constraint: {rule}"
    )
