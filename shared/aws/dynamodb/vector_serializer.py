"""Serialise vectors in requests to DynamoDB without boto3.

boto3 validates and serialises each number of a list separately, which takes 7 ms of CPU time for 2,048 of them. So a
long list of numbers is replaced by a placeholder before boto3 sees the parameters, and its JSON is inserted into the
request afterwards.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MIN_LENGTH: Final = 64
"""Minimum length of a list that is serialised here."""
_CONTEXT_KEY: Final = "pictrace_long_lists"


def install_vector_serializer(client: "DynamoDBClient") -> "DynamoDBClient":
    """Make PutItem and SearchVectors of `client` serialise vectors by this module; return the client."""
    for operation in ("PutItem", "SearchVectors"):
        client.meta.events.register(f"provide-client-params.dynamodb.{operation}", _extract_vectors)  # type: ignore[arg-type]
        client.meta.events.register(f"before-call.dynamodb.{operation}", _insert_vectors)
    return client


def _extract_vectors(params: Mapping[str, Any], context: dict[str, Any], **_: Any) -> dict[str, Any]:
    texts: list[str] = []
    context[_CONTEXT_KEY] = texts
    reduced = dict(params)
    if "SearchVector" in reduced:
        reduced["SearchVector"] = _extract(reduced["SearchVector"], texts)
    if isinstance(reduced.get("Item"), dict):
        reduced["Item"] = {
            name: {"L": _extract(value["L"], texts)} if isinstance(value, dict) and value.keys() == {"L"} else value
            for name, value in reduced["Item"].items()
        }
    return reduced


def _insert_vectors(params: dict[str, Any], context: Mapping[str, Any], **_: Any) -> None:
    for number, text in enumerate(context.get(_CONTEXT_KEY, ())):
        body: bytes = params["body"]
        placeholder = f'[{{"N": "{number}:"}}]'.encode()  # cannot occur in a string, where its quotes are escaped
        if body.count(placeholder) != 1:
            raise RuntimeError("boto3 no longer serialises JSON in the expected form; pin an earlier version")
        params["body"] = body.replace(placeholder, text.encode())


def _extract(value: Any, texts: list[str]) -> Any:
    """Append the JSON of a long list of numbers to `texts` and return a placeholder; return anything else unchanged."""
    try:
        if not isinstance(value, list) or len(value) < MIN_LENGTH or sum(map(len, value)) != len(value):
            return value
        texts.append('[{"N":"' + '"},{"N":"'.join([number["N"] for number in value]) + '"}]')
    except (TypeError, KeyError):
        return value
    return [{"N": f"{len(texts) - 1}:"}]
