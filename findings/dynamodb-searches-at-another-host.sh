#!/bin/sh
# A client of an AWS service sends its calls to one host, one would guess: DynamoDB's to dynamodb.REGION.amazonaws.com, or with
# the account's number, to NUMBER.ddb.REGION.amazonaws.com. One of DynamoDB's calls goes elsewhere: SearchVectors to
# search-dynamodb.REGION.amazonaws.com, or to NUMBER.search-ddb.REGION.amazonaws.com, though it is signed for the same service.
# A firewall or proxy that lets the one host through lets every call through but the search, a connection that is open for the
# other calls does not serve it, and what answers by the host, as moto's mock_aws does, does not answer this one.
# Exit status 0: still so. Needs python3 and PyPI; everything is in a temporary folder, and no call leaves the machine.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "botocore==1.44.8"
"$folder/venv/bin/python" - <<'PYTHON'
import io
from urllib.parse import urlsplit

from botocore.awsrequest import AWSResponse
from botocore.session import Session


class Body(io.BytesIO):
    def stream(self, *_, **__):
        yield self.getvalue()


def hosts(account):
    """Return the host that GetItem is sent to, and SearchVectors' host; both calls are answered here."""
    sent = []

    def answer(request, **_):
        assert "/us-east-1/dynamodb/aws4_request" in request.headers["Authorization"].decode()
        sent.append(urlsplit(request.url).netloc)
        return AWSResponse(request.url, 200, {}, Body(b"{}"))

    keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x", "aws_account_id": account}
    client = Session().create_client("dynamodb", region_name="us-east-1", **keys)
    client.meta.events.register("before-send.dynamodb", answer)
    client.get_item(TableName="t", Key={"pk": {"S": "a"}})
    client.search_vectors(TableName="t", IndexName="vectors", SearchVector=[{"N": "1"}], TopK=1)
    return sent


model = Session().get_service_model("dynamodb")
others = [name for name in model.operation_names if model.operation_model(name).static_context_parameters]
plain, numbered = hosts(None), hosts("123456789012")
print(f"botocore 1.44.8, DynamoDB: {len(model.operation_names)} operations, of which {others} has an endpoint of its own")
for get, search in (plain, numbered):
    print(f"GetItem: {get}; SearchVectors: {search}")
if (others, plain, numbered) != (
    ["SearchVectors"],
    ["dynamodb.us-east-1.amazonaws.com", "search-dynamodb.us-east-1.amazonaws.com"],
    ["123456789012.ddb.us-east-1.amazonaws.com", "123456789012.search-ddb.us-east-1.amazonaws.com"],
):
    raise SystemExit("changed")
PYTHON
