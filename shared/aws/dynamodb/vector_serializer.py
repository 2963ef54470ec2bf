"""Vectors in requests to DynamoDB, written as one text.

boto3 checks and writes each number of a list by itself: 7 ms of a processor for 2,048 of them. So a long list of
numbers is taken out of the parameters, a mark is left in its place, and the request's JSON gets the list's text back.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

LONG: Final = 64
_KEPT: Final = "pictrace_long_lists"


def with_fast_vectors(client: "DynamoDBClient") -> "DynamoDBClient":
    """The client, whose PutItem and SearchVectors write vectors so."""
    for operation in ("PutItem", "SearchVectors"):
        client.meta.events.register(f"provide-client-params.dynamodb.{operation}", _take_out)  # type: ignore[arg-type]
        client.meta.events.register(f"before-call.dynamodb.{operation}", _put_back)
    return client


def _take_out(params: Mapping[str, Any], context: dict[str, Any], **_: Any) -> dict[str, Any]:
    kept: list[str] = []
    context[_KEPT] = kept
    left = dict(params)
    if "SearchVector" in left:
        left["SearchVector"] = _marked(left["SearchVector"], kept)
    if isinstance(left.get("Item"), dict):
        left["Item"] = {
            name: {"L": _marked(value["L"], kept)} if isinstance(value, dict) and value.keys() == {"L"} else value
            for name, value in left["Item"].items()
        }
    return left


def _put_back(params: dict[str, Any], context: Mapping[str, Any], **_: Any) -> None:
    for number, text in enumerate(context.get(_KEPT, ())):
        body: bytes = params["body"]
        marked = f'[{{"N": "{number}:"}}]'.encode()  # within a text its quotes would be escaped
        if body.count(marked) != 1:
            raise RuntimeError("boto3 does not write JSON as it did")
        params["body"] = body.replace(marked, text.encode())


def _marked(value: Any, kept: list[str]) -> Any:
    """A mark in the place of a long list of numbers; anything else as it is, for boto3 to write or to refuse."""
    try:
        if not isinstance(value, list) or len(value) < LONG or sum(map(len, value)) != len(value):
            return value
        kept.append('[{"N":"' + '"},{"N":"'.join([number["N"] for number in value]) + '"}]')
    except (TypeError, KeyError):
        return value
    return [{"N": f"{len(kept) - 1}:"}]
