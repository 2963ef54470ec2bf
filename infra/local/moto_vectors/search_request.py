"""A SearchVectors request read and checked: its vector, its condition and what it wants of the items.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_SearchVectors.html
"""

import base64
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import numpy as np
from moto.dynamodb.exceptions import KeyIsEmptyStringException, MockValidationException
from moto.dynamodb.responses import ProjectionExpressionParser, validate_attributes_used

from infra.local.moto_vectors import conditions
from infra.local.moto_vectors.conditions import COMPARATORS, Condition, Value
from infra.local.moto_vectors.expression import (
    INVALID,
    INVALID_OPERATOR,
    AttributeValue,
    Leaf,
    Node,
    Parser,
    conjuncts,
    leaves,
)
from infra.local.moto_vectors.index import Vector
from infra.local.moto_vectors.rules import MAX_FLOAT32, Definition, check_number

MAX_TOP_K: Final = 100


def comparable(value: AttributeValue) -> Value:
    """A string, number or binary value in a form that compares as DynamoDB does: 1.0 is 1, bytes are unsigned.

    Python orders strings by code point, which is the order of their UTF-8 bytes.
    """
    kind, content = next(iter(value.items()))
    if kind == "N":
        check_number(content)
        return kind, Decimal(content)
    if kind == "B":
        return kind, content if isinstance(content, bytes) else base64.b64decode(content)
    return kind, str(content)


@dataclass(frozen=True, slots=True)
class Query:
    """A request that has passed every check.

    Attributes:
        partition: the HASH value; `()` for an index without HASH.
        condition: what is asked of the inline filters, None for nothing.
        paths: document paths of the projection expression, resolved; None without one.
    """

    vector: Vector
    partition: Hashable
    condition: Condition | None
    top_k: int
    paths: Sequence[Sequence[str]] | None
    reports_capacity: bool


def checked_top_k(request: Mapping[str, Any]) -> int:
    """TopK, which the service checks before it looks at the table."""
    top_k = int(request["TopK"])
    if top_k < 1:
        raise MockValidationException(
            f"1 validation error detected: Value '{top_k}' at 'topK' failed to satisfy constraint: "
            "Member must have value greater than or equal to 1"
        )
    if top_k > MAX_TOP_K:
        raise MockValidationException(
            f"Provided TopK value '{top_k}' is out of valid range. "
            f"The value must be between 1 and {MAX_TOP_K} inclusive"
        )
    return top_k


def read(request: Mapping[str, Any], index: Definition, types: Mapping[str, str]) -> Query:
    """Read and check a request against the index that it names.

    Args:
        types: the table's attribute definitions, name to `S`, `N` or `B`.

    Raises:
        MockValidationException: as the service answers.
    """
    top_k = checked_top_k(request)
    vector = _vector(request["SearchVector"], index.dimensions)
    names = request.get("ExpressionAttributeNames") or {}
    parser = Parser(names, request.get("ExpressionAttributeValues") or {})
    expression = request.get("SearchConditionExpression")
    wanted = [] if expression is None else conjuncts(parser.parse(expression))
    partition = _partition(wanted, index, types)
    filters = [_bound(one) for one in wanted if not (isinstance(one, Leaf) and one.name == index.hash_key)]
    projection = ProjectionExpressionParser(request.get("ProjectionExpression"), names)
    paths = projection.parse()
    _refuse_undefined(paths)
    used = [*parser.names_used, *projection.expr_attr_names_found]
    validate_attributes_used(names, used, validation_error_prefix=False)
    validate_attributes_used(
        request.get("ExpressionAttributeValues"), parser.values_used, "Values", validation_error_prefix=False
    )
    return Query(
        vector=vector,
        partition=partition,
        condition=conditions.Every(filters) if filters else None,
        top_k=top_k,
        paths=paths or None,
        reports_capacity=_reports_capacity(request),
    )


def _vector(elements: Sequence[AttributeValue], dimensions: int) -> Vector:
    try:
        vector = np.array([float(element["N"]) for element in elements])
    except (KeyError, ValueError):
        vector = np.array([np.inf])
    if not (np.abs(vector) < MAX_FLOAT32).all():
        raise MockValidationException(
            "Search vector contains invalid values. All values in the search vector must be a 32-bit floating-point "
            "number attribute"
        )
    if len(vector) != dimensions:
        raise MockValidationException(
            f"Input search vector dimension {len(vector)} does not match vector index dimension {dimensions}"
        )
    return vector.astype(np.float32)


def _partition(wanted: Sequence[Node], index: Definition, types: Mapping[str, str]) -> Hashable:
    """The HASH value that is asked for, after every check of what the conditions name.

    One equality, joined to the rest by AND, must give it: no OR, NOT, range or list may touch it.
    """
    used = [leaf for node in wanted for leaf in leaves(node)]
    for leaf in used:
        if leaf.name not in index.searched:
            raise MockValidationException(
                "SearchConditionExpression must not contain any attributes that is not in SearchSchema. "
                f"Invalid attribute: {leaf.name}"
            )
    of_hash = [leaf for leaf in used if leaf.name == index.hash_key]
    if index.hash_key and not of_hash:
        raise MockValidationException(
            "SearchConditionExpression must have all HASH attributes in configured SearchSchema"
            if used
            else "SearchConditionExpression must be provided when SearchSchema has a HASH key"
        )
    for leaf in of_hash:
        if leaf.operator in COMPARATORS and leaf.operator != "=":
            raise MockValidationException(INVALID + "Invalid comparator used in SearchConditionExpression")
        if leaf.operator != "=" or leaf not in wanted:
            raise MockValidationException(INVALID_OPERATOR)
    if len(of_hash) > 1:
        raise MockValidationException("SearchConditionExpression must only contain one condition per attribute")
    for leaf in used:
        _check_types(leaf, types)
    if not index.hash_key:
        return ()
    (value,) = of_hash[0].values
    if not next(iter(value.values())):
        raise KeyIsEmptyStringException(index.hash_key)
    return comparable(value)


def _check_types(leaf: Leaf, types: Mapping[str, str]) -> None:
    for kind in (next(iter(value)) for value in leaf.values):
        if kind != types[leaf.name]:
            raise MockValidationException(
                f"Type of '{leaf.name}' attribute in SearchConditionExpression ({kind}) does not match type in search "
                f"schema ({types[leaf.name]})"
            )


def _bound(node: Node) -> Condition:
    """The condition that a parsed expression states."""
    if isinstance(node, Leaf):
        first, *others = values = [comparable(value) for value in node.values]
        match node.operator:
            case "IN":
                return conditions.among(node.name, values)
            case "BETWEEN":
                return conditions.between(node.name, first, others[0])
        return conditions.compared(node.name, node.operator, first)
    parts = [_bound(part) for part in node.parts]
    match node.operator:
        case "AND":
            return conditions.Every(parts)
        case "OR":
            return conditions.Some(parts)
    return conditions.Not(parts[0])


def _refuse_undefined(paths: Sequence[Sequence[str]]) -> None:
    for name in (part for path in paths for part in path if part.startswith("#")):
        raise MockValidationException(
            "Invalid ProjectionExpression: An expression attribute name used in the document path is not defined; "
            f"attribute name: {name}"
        )


def _reports_capacity(request: Mapping[str, Any]) -> bool:
    wanted = request.get("ReturnConsumedCapacity", "NONE")
    if wanted not in {"INDEXES", "TOTAL", "NONE"}:
        raise MockValidationException(
            f"1 validation error detected: Value '{wanted}' at 'returnConsumedCapacity' failed to satisfy constraint: "
            "Member must satisfy enum value set: [INDEXES, TOTAL, NONE]"
        )
    return bool(wanted != "NONE")
