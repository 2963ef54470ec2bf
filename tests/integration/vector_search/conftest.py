"""A moto server with vector search, called by boto3 over HTTP, and concise helpers for its tests."""

import itertools
import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

import boto3
import pytest
from botocore.client import Config
from botocore.exceptions import ClientError

from infra.local.moto_server import start_moto_server
from infra.local.moto_vectors.patches import install

REGION = "eu-central-1"

Make = Callable[..., str]
Connect = Callable[[Literal["dynamodb", "cloudformation"]], Any]


@pytest.fixture(scope="session")
def endpoint() -> Iterator[str]:
    install()
    install()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = start_moto_server()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def connect(endpoint: str) -> Connect:
    """A function that creates a client without parameter validation, to test the server's checks and not botocore's."""

    def to(service: Literal["dynamodb", "cloudformation"]) -> Any:
        return boto3.client(
            service,
            endpoint_url=endpoint,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(parameter_validation=False, retries={"total_max_attempts": 1}, max_pool_connections=20),
        )

    return to


@pytest.fixture(scope="session")
def dynamodb(connect: Connect) -> Any:
    return connect("dynamodb")


_names = (f"table-{number}" for number in itertools.count())


@pytest.fixture
def make(dynamodb: Any) -> Make:
    """A function that creates a table with `pk` and the given vector indexes, and returns its name."""

    def create(*indexes: dict[str, Any], **request: Any) -> str:
        name = next(_names)
        declared = {"pk": "S"}
        for index in indexes:
            declared |= {entry["AttributeName"]: "S" for entry in index.get("SearchSchema", [])}
        dynamodb.create_table(
            **{
                "TableName": name,
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
                "AttributeDefinitions": attributes(**declared),
                "BillingMode": "PAY_PER_REQUEST",
                **({"VectorIndexes": list(indexes)} if indexes else {}),
                **request,
            }
        )
        return name

    return create


def attributes(**types: str) -> list[dict[str, str]]:
    return [{"AttributeName": name, "AttributeType": kind} for name, kind in types.items()]


def vector_index(name: str = "near", **changes: Any) -> dict[str, Any]:
    """A vector index of three dimensions on `v`; `hash_key` and `filters` make its search schema."""
    hash_key, filters = changes.pop("hash_key", None), changes.pop("filters", [])
    schema = [{"AttributeName": hash_key, "SearchSchemaElementType": "HASH"}] if hash_key else []
    schema += [{"AttributeName": one, "SearchSchemaElementType": "INLINE_FILTER"} for one in filters]
    index = {
        "IndexName": name,
        "VectorAttribute": {"AttributeName": "v"},
        "Dimensions": 3,
        "DistanceFunction": "COSINE",
        "Projection": {"ProjectionType": "ALL"},
        **({"SearchSchema": schema} if schema else {}),
        **changes,
    }
    return {member: value for member, value in index.items() if value is not None}


def numbers(values: Sequence[float]) -> list[dict[str, str]]:
    return [{"N": repr(value)} for value in values]


def item(pk: str, *vector: float, **others: str) -> dict[str, Any]:
    """An item with a key, a vector (omitted if empty) and string attributes."""
    held: dict[str, Any] = {"pk": {"S": pk}, **{name: {"S": text} for name, text in others.items()}}
    return held | {"v": {"L": numbers(vector)}} if vector else held


def search(client: Any, table: str, *query: float, index: str = "near", **request: Any) -> list[tuple[str, float]]:
    """The (pk, score) pairs of the results, in order."""
    answer = client.search_vectors(
        **{"TableName": table, "IndexName": index, "SearchVector": numbers(query or (1, 0, 0)), "TopK": 10, **request}
    )
    return [(found["Item"]["pk"]["S"], found["Score"]) for found in answer["SearchResults"]]


def keys(*args: Any, **kwargs: Any) -> list[str]:
    return [key for key, _ in search(*args, **kwargs)]


def error_from(call: Callable[..., Any], **request: Any) -> tuple[str, str]:
    """The code and message of the error that a call must raise."""
    with pytest.raises(ClientError) as raised:
        call(**request)
    error = raised.value.response["Error"]
    return error["Code"], error["Message"]


def validation_error(call: Callable[..., Any], **request: Any) -> str:
    """The message of the ValidationException that a call must raise."""
    code, message = error_from(call, **request)
    assert code == "ValidationException", (code, message)
    return message
