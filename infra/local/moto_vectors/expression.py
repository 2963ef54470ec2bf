"""Parser of SearchConditionExpression: syntax, attribute names and values, without their meaning.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/VectorSearchFilterReference.html
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from moto.dynamodb.exceptions import MockValidationException
from moto.dynamodb.parsing.reserved_keywords import ReservedKeywords

from infra.local.moto_vectors.conditions import COMPARATORS

AttributeValue = Mapping[str, Any]
"""A value in DynamoDB's notation, `{"S": "text"}`."""

INVALID: Final = "Invalid SearchConditionExpression: "
INVALID_OPERATOR: Final = INVALID + "Invalid operator used in SearchConditionExpression"

_TOKEN: Final = re.compile(r"\s*(<=|>=|<>|[<>=(),]|[#:]?[\w.\-\[\]]+)\s*")
_END: Final = "<EOF>"
_MIRRORED: Final = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}


@dataclass(frozen=True, slots=True)
class Leaf:
    """One condition; `operator` is a comparator, `BETWEEN` or `IN`."""

    name: str
    operator: str
    values: Sequence[AttributeValue]


@dataclass(frozen=True, slots=True)
class Branch:
    """`operator` is `AND`, `OR` or `NOT`."""

    operator: str
    parts: Sequence["Node"]


Node = Leaf | Branch


def leaves(node: Node) -> Iterator[Leaf]:
    if isinstance(node, Leaf):
        yield node
        return
    for part in node.parts:
        yield from leaves(part)


def conjuncts(node: Node) -> list[Node]:
    """Return the conditions that must all hold, regardless of parentheses."""
    if isinstance(node, Branch) and node.operator == "AND":
        return [one for part in node.parts for one in conjuncts(part)]
    return [node]


class Parser:
    """A recursive-descent parser of one expression: OR binds more weakly than AND, and AND than NOT."""

    def __init__(self, names: Mapping[str, str], values: Mapping[str, AttributeValue]) -> None:
        self._names = names
        self._values = values
        self._tokens: list[str] = []
        self.names_used: list[str] = []
        self.values_used: list[str] = []

    def parse(self, expression: str) -> Node:
        """Parse an expression, and collect the names and values that it uses.

        Raises:
            MockValidationException: with the service's message.
        """
        if not expression.strip():
            raise MockValidationException(INVALID + "The expression can not be empty;")
        self._tokens = _tokenise(expression)
        node = self._parse_operands("OR")
        if self._tokens:
            raise _unexpected(self._tokens[0])
        return node

    def _parse_operands(self, operator: str) -> Node:
        parts = [self._parse_operand(operator)]
        while self._next_is(operator):
            self._next()
            parts.append(self._parse_operand(operator))
        return parts[0] if len(parts) == 1 else Branch(operator, parts)

    def _parse_operand(self, operator: str) -> Node:
        if operator == "OR":
            return self._parse_operands("AND")
        if self._next_is("NOT"):
            self._next()
            return Branch("NOT", [self._parse_operand(operator)])
        if self._next_is("("):
            self._next()
            node = self._parse_operands("OR")
            self._expect(")")
            return node
        return self._parse_leaf()

    def _parse_leaf(self) -> Leaf:
        left, operator = self._next(), self._next()
        if operator in COMPARATORS:
            right = self._next()
            if left.startswith(":") and not right.startswith(":"):
                left, operator, right = right, _MIRRORED.get(operator, operator), left
            return Leaf(self._name(left), operator, [self._value(right)])
        match operator.upper():
            case "BETWEEN":
                low = self._next()
                self._expect("AND")
                return Leaf(self._name(left), "BETWEEN", [self._value(low), self._value(self._next())])
            case "IN":
                self._expect("(")
                values = [self._value(self._next())]
                while self._next_is(","):
                    self._next()
                    values.append(self._value(self._next()))
                self._expect(")")
                return Leaf(self._name(left), "IN", values)
            case "(":
                raise MockValidationException(INVALID_OPERATOR)
        raise _unexpected(operator)

    def _next_is(self, token: str) -> bool:
        return bool(self._tokens) and self._tokens[0].upper() == token

    def _next(self) -> str:
        if not self._tokens:
            raise _unexpected(_END)
        return self._tokens.pop(0)

    def _expect(self, token: str) -> None:
        found = self._next()
        if found.upper() != token:
            raise _unexpected(found)

    def _name(self, token: str) -> str:
        if token.startswith(":"):
            raise MockValidationException(INVALID_OPERATOR)
        if "[" in token or "." in token:
            raise MockValidationException("SearchConditionExpression cannot have conditions on nested attributes")
        if not token.startswith("#"):
            if token.upper() in ReservedKeywords.get_reserved_keywords():
                raise MockValidationException(
                    INVALID + f"Attribute name is a reserved keyword; reserved keyword: {token}"
                )
            return token
        self.names_used.append(token)
        if token not in self._names:
            raise MockValidationException(
                INVALID
                + f"An expression attribute name used in the document path is not defined; attribute name: {token}"
            )
        return self._names[token]

    def _value(self, token: str) -> AttributeValue:
        if not token.startswith(":"):
            raise MockValidationException(INVALID_OPERATOR)
        self.values_used.append(token)
        if token not in self._values:
            raise MockValidationException(
                INVALID + f"An expression attribute value used in expression is not defined; attribute value: {token}"
            )
        return self._values[token]


def _tokenise(expression: str) -> list[str]:
    tokens, at = list[str](), 0
    while at < len(expression):
        match = _TOKEN.match(expression, at)
        if match is None:
            raise _unexpected(expression[at:].split(maxsplit=1)[0])
        tokens.append(match[1])
        at = match.end()
    return tokens


def _unexpected(token: str) -> MockValidationException:
    return MockValidationException(INVALID + f'Syntax error; token: "{token}"')
