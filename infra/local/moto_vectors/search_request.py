"""Parse and check a SearchVectors request: its vector, its condition and its projection.

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
from infra.local.moto_vectors.rules import MAX_FLOAT32, IndexDefinition, check_number
from infra.local.moto_vectors.vector_index import Vector

MAX_TOP_K: Final = 100


def comparable(value: AttributeValue) -> Value:
    """Convert a string, number or binary value to a form that compares as in DynamoDB: 1.0 is 1, bytes are unsigned.

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
        condition: on the inline filters, or None.
        paths: resolved document paths of the projection expression, or None.
    """

    vector: Vector
    partition: Hashable
    condition: Condition | None
    top_k: int
    paths: Sequence[Sequence[str]] | None
    reports_capacity: bool


def read_top_k(request: Mapping[str, Any]) -> int:
    """Return TopK, checked: the service does so before it looks at the table."""
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


def parse(request: Mapping[str, Any], index: IndexDefinition, types: Mapping[str, str]) -> Query:
    """Parse a request and check it against the index that it names.

    Args:
        types: the table's attribute definitions, name to `S`, `N` or `B`.

    Raises:
        MockValidationException: with the service's message.
    """
    top_k = read_top_k(request)
    vector = _vector(request["SearchVector"], index.dimensions)
    names = request.get("ExpressionAttributeNames") or {}
    parser = Parser(names, request.get("ExpressionAttributeValues") or {})
    expression = request.get("SearchConditionExpression")
    wanted = [] if expression is None else conjuncts(parser.parse(expression))
    partition = _partition(wanted, index, types)
    filters = [_to_condition(one) for one in wanted if not (isinstance(one, Leaf) and one.name == index.hash_key)]
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
        condition=conditions.And(filters) if filters else None,
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


def _partition(wanted: Sequence[Node], index: IndexDefinition, types: Mapping[str, str]) -> Hashable:
    """Return the requested HASH value, after checking all attributes that the conditions name.

    The value must come from one equality that AND joins to the rest: HASH may not occur in an OR, NOT, range or list.
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


def _to_condition(node: Node) -> Condition:
    """Convert a parsed expression to a condition."""
    if isinstance(node, Leaf):
        first, *others = values = [comparable(value) for value in node.values]
        match node.operator:
            case "IN":
                return conditions.one_of(node.name, values)
            case "BETWEEN":
                return conditions.between(node.name, first, others[0])
        return conditions.comparison(node.name, node.operator, first)
    parts = [_to_condition(part) for part in node.parts]
    match node.operator:
        case "AND":
            return conditions.And(parts)
        case "OR":
            return conditions.Or(parts)
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
