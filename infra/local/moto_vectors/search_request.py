"""A SearchVectors request read and checked: its vector, its condition and what it wants of the items.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_SearchVectors.html
"""

import base64
import itertools
import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import numpy as np
from moto.dynamodb.exceptions import KeyIsEmptyStringException, MockValidationException
from moto.dynamodb.parsing.reserved_keywords import ReservedKeywords
from moto.dynamodb.responses import ProjectionExpressionParser, validate_attributes_used

from infra.local.moto_vectors.index import Vector
from infra.local.moto_vectors.rules import MAX_FLOAT32, Definition

AttributeValue = Mapping[str, Any]
"""DynamoDB's notation, `{"S": "text"}`."""

MAX_TOP_K: Final = 100

_TOKEN: Final = re.compile(r"\s*(<=|>=|<>|[<>=(),]|[#:]?[\w.\-\[\]]+)\s*")
_COMPARATORS: Final = frozenset({"<", ">", "<=", ">=", "<>"})
_OPERATORS: Final = frozenset({"OR", "NOT", "IN", "BETWEEN", ","})
_CLAUSE: Final = 3
_INVALID: Final = "Invalid SearchConditionExpression: "


def comparable(value: AttributeValue) -> Hashable:
    """A string, number or binary value in a form whose equality is DynamoDB's: 1.0 is 1."""
    kind, content = next(iter(value.items()))
    if kind == "N":
        return kind, Decimal(content)
    if isinstance(content, bytes):
        return kind, base64.b64encode(content).decode()
    return kind, str(content)


@dataclass(frozen=True, slots=True)
class Query:
    """A request that has passed every check.

    Attributes:
        partition: the HASH value; `()` for an index without HASH.
        paths: document paths of the projection expression, resolved; None without one.
    """

    vector: Vector
    partition: Hashable
    filters: Mapping[str, Hashable]
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
    condition = _Condition(names, request.get("ExpressionAttributeValues") or {})
    conditions = _checked(condition.read(request.get("SearchConditionExpression")), index, types)
    projection = ProjectionExpressionParser(request.get("ProjectionExpression"), names)
    paths = projection.parse()
    _refuse_undefined(paths)
    used = [*condition.names_used, *projection.expr_attr_names_found]
    validate_attributes_used(names, used, validation_error_prefix=False)
    validate_attributes_used(
        request.get("ExpressionAttributeValues"), condition.values_used, "Values", validation_error_prefix=False
    )
    return Query(
        vector=vector,
        partition=comparable(conditions.pop(index.hash_key)) if index.hash_key else (),
        filters={name: comparable(value) for name, value in conditions.items()},
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


def _checked(
    conditions: dict[str, AttributeValue], index: Definition, types: Mapping[str, str]
) -> dict[str, AttributeValue]:
    for name in conditions:
        if name not in index.searched:
            raise MockValidationException(
                "SearchConditionExpression must not contain any attributes that is not in SearchSchema. "
                f"Invalid attribute: {name}"
            )
    if index.hash_key and index.hash_key not in conditions:
        raise MockValidationException(
            "SearchConditionExpression must have all HASH attributes in configured SearchSchema"
            if conditions
            else "SearchConditionExpression must be provided when SearchSchema has a HASH key"
        )
    for name, value in conditions.items():
        kind, content = next(iter(value.items()))
        if kind != types[name]:
            raise MockValidationException(
                f"Type of '{name}' attribute in SearchConditionExpression ({kind}) does not match type in search "
                f"schema ({types[name]})"
            )
        if name == index.hash_key and not content:
            raise KeyIsEmptyStringException(name)
    return conditions


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


class _Condition:
    """Reads a conjunction of equalities, the whole of what SearchConditionExpression allows."""

    def __init__(self, names: Mapping[str, str], values: Mapping[str, AttributeValue]) -> None:
        self._names = names
        self._values = values
        self.names_used: list[str] = []
        self.values_used: list[str] = []

    def read(self, expression: str | None) -> dict[str, AttributeValue]:
        """Attribute name to the value that it must have; nothing without an expression."""
        if expression is None:
            return {}
        if not expression.strip():
            raise MockValidationException(_INVALID + "The expression can not be empty;")
        tokens = self._tokens(expression)
        found: dict[str, AttributeValue] = {}
        for start in range(0, len(tokens), _CLAUSE + 1):
            clause, joint = tokens[start : start + _CLAUSE], tokens[start + _CLAUSE : start + _CLAUSE + 1]
            if len(clause) < _CLAUSE or clause[1] != "=" or (joint and joint[0].upper() != "AND"):
                raise MockValidationException(_INVALID + f'Syntax error; token: "{clause[-1]}"')
            left, right = (clause[2], clause[0]) if clause[0].startswith(":") else (clause[0], clause[2])
            if left.startswith(":") or not right.startswith(":"):
                raise MockValidationException(_INVALID + "Invalid operator used in SearchConditionExpression")
            name = self._name(left)
            if name in found:
                raise MockValidationException("SearchConditionExpression must only contain one condition per attribute")
            found[name] = self._value(right)
        if len(tokens) % (_CLAUSE + 1) == 0:
            raise MockValidationException(_INVALID + 'Syntax error; token: "<EOF>"')
        return found

    @staticmethod
    def _tokens(expression: str) -> list[str]:
        """The tokens without their parentheses, which cannot change what a conjunction means."""
        tokens, at, depth = [], 0, 0
        while at < len(expression):
            match = _TOKEN.match(expression, at)
            if match is None:
                raise MockValidationException(
                    _INVALID + f'Syntax error; token: "{expression[at:].split(maxsplit=1)[0]}"'
                )
            tokens.append(match[1])
            at = match.end()
        if _COMPARATORS & set(tokens):
            raise MockValidationException(_INVALID + "Invalid comparator used in SearchConditionExpression")
        called = any(
            after == "(" and before not in {"(", ")", "="} and before.upper() != "AND"
            for before, after in itertools.pairwise(tokens)
        )
        if called or _OPERATORS & {token.upper() for token in tokens}:
            raise MockValidationException(_INVALID + "Invalid operator used in SearchConditionExpression")
        for mark in tokens:
            depth += {"(": 1, ")": -1}.get(mark, 0)
            if depth < 0:
                break
        if depth:
            raise MockValidationException(_INVALID + 'Syntax error; token: ")"')
        return [token for token in tokens if token not in {"(", ")"}]

    def _name(self, token: str) -> str:
        if "[" in token or "." in token:
            raise MockValidationException("SearchConditionExpression cannot have conditions on nested attributes")
        if not token.startswith("#"):
            if token.upper() in ReservedKeywords.get_reserved_keywords():
                raise MockValidationException(
                    _INVALID + f"Attribute name is a reserved keyword; reserved keyword: {token}"
                )
            return token
        self.names_used.append(token)
        if token not in self._names:
            raise MockValidationException(
                _INVALID
                + f"An expression attribute name used in the document path is not defined; attribute name: {token}"
            )
        return self._names[token]

    def _value(self, token: str) -> AttributeValue:
        self.values_used.append(token)
        if token not in self._values:
            raise MockValidationException(
                _INVALID + f"An expression attribute value used in expression is not defined; attribute value: {token}"
            )
        return self._values[token]
