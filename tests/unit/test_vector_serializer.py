"""The fast serializer of vectors sends the same requests to DynamoDB as botocore's own."""

import json
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.exceptions import ParamValidationError

from shared.aws.dynamodb.vector_serializer import MIN_LENGTH, install_vector_serializer

NUMBERS: list[Any] = [{"N": str(number - 500)} for number in range(2048)]
PUT: Any = {
    "TableName": "t",
    "Item": {
        "pk": {"S": 'a [{"N": "0:"}] b'},
        "features": {"L": NUMBERS},
        "local_features": {"L": NUMBERS[::-1]},
        "short": {"L": NUMBERS[: MIN_LENGTH - 1]},
        "mixed": {"L": [{"S": "x"}] * MIN_LENGTH},
    },
}
SEARCH: Any = {"TableName": "t", "IndexName": "features", "SearchVector": NUMBERS, "TopK": 3}


class Sent(Exception):  # noqa: N818
    """Carries the request that was about to be sent."""


def _sent_request(fast: bool, operation: str, request: Any) -> Any:
    session = boto3.session.Session("key", "secret", region_name="us-east-1")
    client = session.client("dynamodb")
    if fast:
        install_vector_serializer(client)

    def stop(request: AWSPreparedRequest, **_: Any) -> None:
        raise Sent(request.body)

    client.meta.events.register("before-send", stop)
    with pytest.raises(Sent) as caught:
        getattr(client, operation)(**request)
    return json.loads(caught.value.args[0])


@pytest.mark.parametrize(("operation", "request_"), [("put_item", PUT), ("search_vectors", SEARCH)])
def test_the_fast_serializer_sends_the_same_request(operation: str, request_: Any) -> None:
    before = json.dumps(request_)
    assert _sent_request(True, operation, request_) == _sent_request(False, operation, request_) == json.loads(before)
    assert json.dumps(request_) == before, "the caller's request is not modified"


@pytest.mark.parametrize("wrong", [{"pk": "no type"}, {"features": {"L": [{"N": 1}] * MIN_LENGTH}}, "no item"])
def test_invalid_items_are_still_refused(wrong: Any) -> None:
    with pytest.raises(ParamValidationError):
        _sent_request(True, "put_item", {"TableName": "t", "Item": wrong})
